"""pydicom's own test files and character sets through de-identification: clean or refused, and valid where they were.

Every file has one of two ends: what leaves passes the independent check, or a code says why nothing does.
"""

from collections import Counter
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from cuatro.errors import Rejected
from functions.imaging.deidentification import deidentified, written
from functions.imaging.pixels import stored
from functions.imaging.pseudonym import Pseudonyms
from functions.imaging.reading import whole
from tests.dicom.confidentiality import faults
from tests.dicom.planted import file_of, image
from tests.dicom_programs import errors

NAMES = Pseudonyms(b"an-obviously-synthetic-secret-of-tests")
PATIENT = NAMES.patient(None, "1")
LARGEST = 300_000
CODES = {
    "missing_tag", "unsupported_sop_class", "multi_frame", "unsupported_pixel_format", "not_dicom", "missing_uid",
    "no_pixels", "unsupported_transfer_syntax", "pixel_data_length", "truncated", "damaged", "undecodable",
    "pixel_data", "oversized_header", "too_many_pixels",
}  # fmt: skip


def small(folder: str) -> list[Path]:
    """Files that came with pydicom; its own search would download others."""
    found = (Path(pydicom.__file__).parent / "data" / folder).rglob("*")
    return sorted(path for path in found if path.is_file() and path.stat().st_size < LARGEST)


def left(content: bytes) -> bytes:
    original = whole(content)
    values = stored(original, max_pixels=1_000_000)
    return written(deidentified(original, values, NAMES, PATIENT, masked=False))


def end(path: Path) -> str:
    """A code, or "clean" when no fault is found in what leaves and no byte of the name is in it."""
    content = path.read_bytes()
    try:
        made = left(content)
    except Rejected as rejected:
        return rejected.code
    assert faults(made, content) == [], path.name
    name = whole(content).get_item("PatientName")
    assert not name or len(name.value or b"") < 6 or bytes(name.value).strip() not in made, path.name
    return "clean"


def test_files_of_pydicom_are_clean_or_refused() -> None:
    ends = Counter(end(path) for path in small("test_files"))
    assert ends["clean"] >= 25, ends
    assert set(ends) <= CODES | {"clean"}, ends


def test_files_of_all_character_sets_are_clean_or_refused() -> None:
    """Names in Arabic, Greek, Hebrew, Japanese, Cyrillic."""
    ends = Counter(end(path) for path in small("charset_files"))
    assert ends["clean"] >= 11, ends
    assert set(ends) <= CODES | {"clean"}, ends


def whole_dx() -> Dataset:
    """A DX image with all that its IOD requires."""
    made = image()
    made.PresentationIntentType, made.ImageLaterality, made.PatientOrientation = "FOR PRESENTATION", "U", ["L", "F"]
    made.ImageType = ["ORIGINAL", "PRIMARY"]
    made.PixelIntensityRelationship, made.PixelIntensityRelationshipSign = "LIN", 1
    made.RescaleIntercept, made.RescaleSlope, made.RescaleType = 0, 1, "US"
    made.PresentationLUTShape, made.LossyImageCompression, made.BurnedInAnnotation = "IDENTITY", "00", "NO"
    made.ImagerPixelSpacing, made.DetectorType, made.PositionerType = [0.1, 0.1], "DIRECT", "COLUMN"
    made.WindowCenter, made.WindowWidth, made.KVP = 2000, 4000, 70
    region, view = Dataset(), Dataset()
    region.CodeValue, region.CodingSchemeDesignator, region.CodeMeaning = "816094009", "SCT", "Chest"
    view.CodeValue, view.CodingSchemeDesignator, view.CodeMeaning = "399348003", "SCT", "antero-posterior"
    made.AnatomicRegionSequence, made.ViewCodeSequence = Sequence([region]), Sequence([view])
    made.ViewPosition = "AP"
    return made


@pytest.mark.parametrize(
    ("sop_class", "modality"), [("1.2.840.10008.5.1.4.1.1.1.1", "DX"), ("1.2.840.10008.5.1.4.1.1.1", "CR")]
)
def test_what_leaves_is_a_valid_object_of_its_kind(sop_class: str, modality: str, tmp_path: Path) -> None:
    """By dicom3tools' validator, an independent one."""
    original = whole_dx()
    original.SOPClassUID, original.Modality = sop_class, modality
    file = tmp_path / "image.dcm"
    file.write_bytes(left(file_of(original)))
    assert errors(file) == []


def test_a_secondary_capture_with_little_in_it_becomes_a_valid_one(tmp_path: Path) -> None:
    original = image()
    original.SOPClassUID, original.Modality, original.ConversionType = "1.2.840.10008.5.1.4.1.1.7", "OT", "WSD"
    file = tmp_path / "image.dcm"
    file.write_bytes(left(file_of(original)))
    assert errors(file) == []
