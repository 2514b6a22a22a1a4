"""Seed -> the radiographs that every contestant reads: one as a modern unit writes it, one compressed; of nobody."""

from datetime import UTC, datetime
from io import BytesIO
from typing import NamedTuple

from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset

from functions.imaging.pseudonym import Pseudonyms
from local.demo.imaging.patients import Patient, radiograph
from local.demo.imaging.phantoms import phantom

SIDE = 2048
SECRET = "the-secret-of-the-benchmarks-has-32-characters"  # noqa: S105
NAMES = Pseudonyms(SECRET.encode())
NATIVE, COMPRESSED = "2048 x 2048, 12 bits, native", "1955 x 1841, 15 bits, JPEG 2000"


class Image(NamedTuple):
    """content: the file. study, instance: its pseudonyms."""

    content: bytes
    study: str
    instance: str


def images() -> dict[str, Image]:
    """By what they are."""
    taken = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    drawn = radiograph(phantom(1, "pneumonia", (SIDE, SIDE)), Patient(1, 5), taken)
    return {NATIVE: _image(drawn), COMPRESSED: _image(dcmread(str(get_testdata_file("RG1_J2KR.dcm"))))}


def _image(made: Dataset) -> Image:
    file = BytesIO()
    made.save_as(file, enforce_file_format=True)
    return Image(file.getvalue(), NAMES.study(made.StudyInstanceUID), NAMES.instance(made.SOPInstanceUID))
