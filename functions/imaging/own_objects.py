"""What the DICOM objects of our own have in common: their label, their UIDs, who made them, whose study they belong to.

All of it follows from the study and its revision, so that whoever makes a report again makes the same bytes.
"""

import hashlib
from io import BytesIO
from typing import Final

from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

LABEL: Final = "AI - research use only - not for clinical use"
MANUFACTURER: Final = "Cuatro"
MODEL_NAME: Final = "Cuatro imaging, chest radiographs of children"
NO_DATE, NO_TIME = "19000101", "000000"
"""Where a study says none: the true time of a report would tell by how much the study's dates were moved."""

_VERSION, _VARIANT = 8 << 76, 2 << 62
_FIXED = (0xF << 76) | (3 << 62)
_STUDY = (
    "StudyInstanceUID", "StudyDate", "StudyTime", "StudyID", "AccessionNumber", "ReferringPhysicianName",
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex",
)  # fmt: skip
_ALSO = (
    "PatientAge", "PatientIdentityRemoved", "DeidentificationMethod", "DeidentificationMethodCodeSequence",
    "LongitudinalTemporalInformationModified",
)  # fmt: skip
_IMAGE = ("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "Modality", "Rows", "Columns")


def label(model_version: str) -> str:
    """Which every output carries."""
    return f"{LABEL} - model {model_version or 'none'}"


def own_uid(*parts: str | int) -> str:
    """The UID of an object made for a study: the same parts, the same UID.

    "2.25." and a UUID of version 8 (RFC 9562) as an integer (PS3.5, B.2); it tells nothing but what is in `parts`.
    """
    digest = hashlib.sha256("|".join(["cuatro", *map(str, parts)]).encode()).digest()
    bits = int.from_bytes(digest[:16], "big")
    return f"2.25.{bits & ~_FIXED | _VERSION | _VARIANT}"


DEVICE_UID: Final = own_uid("device", "imaging")
_IMPLEMENTATION = UID(own_uid("implementation"))


def is_own(header: Dataset) -> bool:
    """Is it a result of ours that comes back? A PACS may forward whatever it gets, and it would be read for ever."""
    made_by = (str(header.get("Manufacturer") or ""), str(header.get("ManufacturerModelName") or ""))
    return made_by == (MANUFACTURER, MODEL_NAME)


def of_study(header: Dataset) -> Dataset:
    """Patient and study of a de-identified image, all that an object of the study must have; empty where it has none.

    What else a sender's file says of either stays where it is.
    """
    found = Dataset()
    for name in (*_STUDY, *_ALSO):
        if name in header:
            setattr(found, name, getattr(header, name))
        elif name in _STUDY:
            setattr(found, name, None if name in {"StudyDate", "StudyTime"} else "")
    found.SpecificCharacterSet = "ISO_IR 192"
    return found


def of_image(header: Dataset) -> Dataset:
    """The same, and what refers to the image. Raises KeyError for an image without its type 1 attributes."""
    found = of_study(header)
    for name in _IMAGE:
        found[name] = header[name]
    return found


def content_time(study: Dataset) -> tuple[str, str]:
    """Date and time of a de-identified report: the study's own, which are moved like all of its dates."""
    return str(study.get("StudyDate") or NO_DATE), str(study.get("StudyTime") or NO_TIME)


def reference(image: Dataset) -> Dataset:
    """An item of a sequence of referenced instances."""
    item = Dataset()
    item.ReferencedSOPClassUID = image.SOPClassUID
    item.ReferencedSOPInstanceUID = image.SOPInstanceUID
    return item


def encoded(dataset: Dataset) -> bytes:
    """The file: PS3.10, Explicit VR Little Endian, with no word of the machine that wrote it."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = _IMPLEMENTATION
    meta.ImplementationVersionName = "CUATRO"
    plain = Dataset()
    plain.update({element.tag: element for element in dataset})
    plain.file_meta = meta
    file = BytesIO()
    dcmwrite(file, plain, enforce_file_format=True)
    return file.getvalue()
