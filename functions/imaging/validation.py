"""Bytes of one DICOM file -> what the pipeline needs to know of it, or why it is not read, as one of CODES.

What is given on goes through state machines and logs: of what a sender wrote there are only numbers and terms of ours.
"""

import re
from datetime import date, datetime
from typing import NamedTuple, NoReturn

from pydicom.dataset import Dataset
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    SecondaryCaptureImageStorage,
)

from cuatro.errors import Rejected
from functions.imaging.pixels import TRANSFER_SYNTAXES, check_length, format_of, stored
from functions.imaging.reading import quiet, whole

CODES = frozenset({
    "not_dicom",  # no DICOM prefix: another kind of file
    "damaged",  # it begins as DICOM and cannot be parsed, or does not say its transfer syntax
    "oversized",  # more bytes than the policy allows
    "oversized_header",  # more elements, nested or deflated bytes than any radiograph has
    "missing_tag",  # an element is missing or unusable without which nothing can be done
    "inconsistent",  # the file's two statements of what it is differ
    "unsupported_sop_class",  # no radiograph: CT, MR, reports, encapsulated documents, ...
    "unsupported_transfer_syntax",  # none that the codecs of the layer decode
    "unsupported_pixel_format",  # bits, samples or photometric interpretation of no radiograph
    "multi_frame",
    "too_many_pixels",
    "no_pixels",
    "truncated",  # fewer bytes than declared
    "pixel_data_length",  # more bytes or frames than declared, or compressed images of another size
    "gone",  # erased, or never there
    "undecodable",  # the codec cannot read it, or not within bounds
})  # fmt: skip
"""Every reason for which a file is not read."""
SOP_CLASSES = frozenset(
    map(str, (ComputedRadiographyImageStorage, DigitalXRayImageStorageForPresentation, SecondaryCaptureImageStorage))
)
"""Computed and digital radiographs as they are shown, and secondary captures of the chest. Raw detector data (DX for
processing) is not what a model of shown radiographs can read."""
CHEST, OTHER = "CHEST", "OTHER"
OLDEST = 90
"""Ages above it are given as 90 (45 CFR 164.514(b)(2)(i)(C))."""
_MODALITIES = frozenset(
    {"CR", "DX", "RG", "RF", "XA", "XC", "OT", "SC", "MG", "PX", "IO", "CT", "MR", "US", "NM", "PT"}
)
_VIEWS = frozenset({"PA", "AP", "LL", "RL", "LLD", "RLD", "LLO", "RLO"})
_VIEW_CODES = {
    "399348003": "AP", "R-10206": "AP", "272479007": "PA", "R-10214": "PA", "399173006": "LL", "R-10236": "LL",
    "399198007": "RL", "R-10232": "RL",
}  # fmt: skip
"""SNOMED CT and SNOMED RT codes of PS3.16 CID 4010."""
_CHEST_CODES = frozenset({"51185008", "816094009", "T-D3000"})
_UID = re.compile(r"[0-9]+(\.[0-9]+)+")
_AGE = re.compile(r"(\d{3})([DWMY])")
_DAYS = {"D": 1.0, "W": 7.0, "M": 365.25 / 12, "Y": 365.25}


class Limits(NamedTuple):
    """Of one file: pixels of all its frames together, and frames."""

    max_pixels: int = 64_000_000
    max_frames: int = 1


class Valid(NamedTuple):
    """rows, columns: pixels. age_years: at the study, None where the file does not tell; view, body_part: "" likewise.

    A term that the standard has no such use for is "OTHER": free text does not come through.
    """

    modality: str
    sop_class: str
    rows: int
    columns: int
    frames: int
    age_years: int | None
    view: str
    body_part: str


def validated(data: bytes, limits: Limits = Limits()) -> Valid:  # noqa: B008 - immutable
    """Raises Rejected with one of CODES, and nothing else, whatever the bytes."""
    dataset = whole(data)
    with quiet():
        sop_class = _uid(dataset, "SOPClassUID")
        body_part = _body_part(dataset)
        if sop_class not in SOP_CLASSES or (sop_class == SecondaryCaptureImageStorage and body_part != CHEST):
            _reject("unsupported_sop_class", "not a radiograph, nor a secondary capture of a chest")
        _check_identity(dataset)
        if str(dataset.file_meta.TransferSyntaxUID) not in TRANSFER_SYNTAXES:
            _reject("unsupported_transfer_syntax", "the transfer syntax is not one that is read")
        modality = _word(dataset, "Modality")
        if not modality:
            _reject("missing_tag", "Modality is missing")
        format_ = format_of(dataset, max_pixels=limits.max_pixels, max_frames=limits.max_frames)
        check_length(dataset, format_)
        # Decoded once before anything is done with it: what is damaged is told here, with its reason.
        stored(dataset, max_pixels=limits.max_pixels, max_frames=limits.max_frames)
        return Valid(
            modality=modality if modality in _MODALITIES else OTHER,
            sop_class=sop_class,
            rows=format_.rows,
            columns=format_.columns,
            frames=format_.frames,
            age_years=_age(dataset),
            view=_view(dataset),
            body_part=body_part,
        )


def _check_identity(dataset: Dataset) -> None:
    """Every UID that the pipeline lives by is there, and the two places that name the object agree."""
    uids = {name: _uid(dataset, name) for name in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")}
    for name, uid in (
        ("MediaStorageSOPClassUID", _uid(dataset, "SOPClassUID")),
        ("MediaStorageSOPInstanceUID", uids["SOPInstanceUID"]),
    ):
        if _word(dataset.file_meta, name) not in {"", uid}:
            _reject("inconsistent", f"{name} is not that of the dataset")


def _uid(dataset: Dataset, name: str) -> str:
    uid = _word(dataset, name)
    if not (_UID.fullmatch(uid) and len(uid) <= 64):
        _reject("missing_tag", f"{name} is missing or no UID")
    return uid


def _word(dataset: Dataset, name: str) -> str:
    """A single value in upper case; "" for anything else, whatever pydicom makes of it."""
    try:
        value = dataset.get(name)
    except Exception:  # noqa: BLE001 - its words quote the value
        return ""
    return value.strip(" \0").upper() if isinstance(value, str) else ""


def _body_part(dataset: Dataset) -> str:
    if named := _word(dataset, "BodyPartExamined"):
        return CHEST if named == CHEST else OTHER
    codes = _codes(dataset, "AnatomicRegionSequence")
    if not codes:
        return ""
    return CHEST if _CHEST_CODES.intersection(codes) else OTHER


def _view(dataset: Dataset) -> str:
    if named := _word(dataset, "ViewPosition"):
        return named if named in _VIEWS else OTHER
    codes = _codes(dataset, "ViewCodeSequence")
    return next((_VIEW_CODES.get(code, OTHER) for code in codes), "")


def _codes(dataset: Dataset, name: str) -> list[str]:
    try:
        return [code for item in dataset.get(name) or () if (code := _word(item, "CodeValue"))]
    except Exception:  # noqa: BLE001 - no sequence, or one that cannot be parsed
        return []


def _age(dataset: Dataset) -> int | None:
    """Whole years, from the age that is told or the two dates."""
    told = _AGE.fullmatch(_word(dataset, "PatientAge"))
    if told:
        years = int(int(told[1]) * _DAYS[told[2]] / _DAYS["Y"] + 1e-9)
        return min(years, OLDEST)
    born, taken = _date(dataset, "PatientBirthDate"), _date(dataset, "StudyDate")
    if not born or not taken or taken < born:
        return None
    return min(taken.year - born.year - ((taken.month, taken.day) < (born.month, born.day)), OLDEST)


def _date(dataset: Dataset, name: str) -> date | None:
    try:
        return datetime.strptime(_word(dataset, name).replace(".", ""), "%Y%m%d").date()  # noqa: DTZ007 - a day
    except ValueError:
        return None


def _reject(code: str, reason: str) -> NoReturn:
    raise Rejected(reason, code=code) from None
