"""Seed, or a folder of pictures -> the studies that the demo's hospital sends, each with what it is there to show."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from local.demo.imaging.patients import Patient, pictures, radiograph
from local.demo.imaging.phantoms import BITS, Finding, phantom
from models.imaging.films import film

SIZE = (896, 1024)
MOST_PICTURES = 20
RADIOGRAPH, HAND, SLICE = "RG1_J2KR.dcm", "RG3_J2KR.dcm", "CT_small.dcm"
"""Of pydicom-data: a chest and a hand as a unit for computed radiography writes them, JPEG 2000; a CT slice."""


@dataclass(frozen=True)
class Case:
    """One study with one image. shows: what to look out for."""

    shows: str
    dataset: Dataset

    @property
    def study(self) -> str:
        return str(self.dataset.StudyInstanceUID)

    @property
    def content(self) -> bytes:
        """The file that leaves the hospital."""
        written = BytesIO()
        self.dataset.save_as(written, enforce_file_format=True)
        return written.getvalue()


def cases(run: str, seed: int, now: datetime) -> Iterator[Case]:
    """Synthetic films, a phantom and public images, all of synthetic patients; new studies for each run."""

    def child(number: int, age: int) -> Patient:
        return Patient(number, age, run=run)

    taken = now - timedelta(hours=2)
    yield Case("a child's chest", _film(seed, "normal", child(1, 6), taken))
    yield Case("another, with opacities", _film(seed, "pneumonia", child(2, 4), taken))
    named = child(3, 9)
    written = _written(phantom(seed + 2, "normal", SIZE), f"{named.name.replace('^', ' ')}  ID {named.patient_id}")
    yield Case("a drawing of a chest, with a name in its pixels", radiograph(written, named, taken))
    yield Case("a real chest, age not told", _dressed(RADIOGRAPH, child(4, 0), taken, age=False))
    yield Case("a real hand", _dressed(HAND, child(5, 8), taken))
    yield Case("a slice of a CT", _dressed(SLICE, child(6, 10), taken))


def of_folder(folder: Path, run: str, now: datetime) -> Iterator[Case]:
    """Each picture (the first 20) as the chest of a synthetic child of 4. Raises PlatformError."""
    for number, (path, picture) in enumerate(pictures(folder), start=1):
        if number > MOST_PICTURES:
            return
        yield Case(path.name, radiograph(picture, Patient(number, 4, run=run), now - timedelta(hours=2), bits=8))


def _film(seed: int, finding: Finding, patient: Patient, taken: datetime) -> Dataset:
    return radiograph(film(seed, finding).astype(np.uint16) << (BITS - 8), patient, taken)


def _written(picture: npt.NDArray[np.uint16], text: str) -> npt.NDArray[np.uint16]:
    """The picture with the text in a corner, as old units burn it in."""
    canvas = Image.new("L", (picture.shape[1], picture.shape[0]))
    ImageDraw.Draw(canvas).text((24, 20), text, fill=255, font=ImageFont.load_default(26))
    return np.maximum(picture, np.asarray(canvas, dtype=np.uint16) << 4)


def _dressed(name: str, patient: Patient, taken: datetime, *, age: bool = True) -> Dataset:
    """A public image as this patient's: its pixels and how it was taken stay, who it is of is made up."""
    found = get_testdata_file(name, download=False)
    if not isinstance(found, str):
        raise FileNotFoundError(f"{name}: pydicom-data is not installed, run `make setup`")
    dataset = dcmread(found)
    made = radiograph(np.zeros((8, 8), dtype=np.uint8), patient, taken)
    for keyword in (
        "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "PatientAge", "StudyInstanceUID",
        "SeriesInstanceUID", "SOPInstanceUID", "StudyDate", "StudyTime", "AccessionNumber", "InstitutionName",
        "ReferringPhysicianName", "StudyDescription",
    ):  # fmt: skip
        dataset[keyword] = made[keyword]
    if not age:
        del dataset.PatientAge, dataset.PatientBirthDate

    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        setattr(dataset, keyword, generate_uid(entropy_srcs=[keyword, patient.patient_id, name]))
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    return dataset
