"""A de-identified file and the one that it was made of -> what in it could still identify, by rules of our own.

Written without the profile's table: from the value representations, the words in the dictionary's keywords and the
groups of PS3.6. So it errs in other places than the code that it judges. Read with pydicom's low-level reader.
"""

import re
import warnings
from collections.abc import Iterator
from datetime import date
from io import BytesIO

from pydicom import dcmread
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.uid import UID_dictionary

_GROUPS = {0x0008, 0x0010, 0x0012, 0x0018, 0x0020, 0x0028, 0x0040, 0x0054, 0x2050, 0x7FE0}
"""Others are private, curves, overlays, text, signatures, orders, visits, treatment, storage, padding."""
_REPRESENTATIONS = {"AS", "CS", "DA", "DS", "IS", "LO", "PN", "SH", "SQ", "SS", "TM", "UI", "US", "OW", "OB"}
_META = {0x00020000, 0x00020001, 0x00020002, 0x00020003, 0x00020010, 0x00020012, 0x00020013}
_WORDS = re.compile(
    "Name|Address|Telephone|Physician|Operator|Performer|Institution|Department|Station|Serial|Identifier|Comment|"
    "Description|History|Reason|Allerg|Occupation|Ethnic|Religi|Insurance|Military|Country|Accession|Admission|Visit|"
    "Birth|Mother|Responsible|Issuer|Author|Verifying|Participant|Reviewer|Label|Creator|Location|Protocol|Request"
)
_LISTED = {"PatientName", "PatientID"}
"""Attributes with such a word that may have a value: pseudonyms."""
_PHRASES = re.compile(r"[A-Za-z0-9 .,()&/-]{1,64}")
_PSEUDONYM = re.compile("[a-z2-7]{26}")


def faults(made: bytes, original: bytes) -> list[str]:
    """In words; empty when nothing is left that identifies."""
    after = dcmread(BytesIO(made))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what came may be odd
        before = dcmread(BytesIO(original), force=True)
        found = [*_frame(made, after), *_elements(after), *_identity(after, before), *_dates(after, before)]
    return found + list(_said(after))


def _frame(made: bytes, after: Dataset) -> Iterator[str]:
    if made[:128] != bytes(128):
        yield "the preamble is not empty"
    for element in after.file_meta:
        if element.tag not in _META:
            yield f"file meta {element.tag}"
    size = after.Rows * after.Columns * after.SamplesPerPixel * after.BitsAllocated // 8
    if len(after.PixelData) != size + size % 2:
        yield "the pixel data have another length than the image"
    if not made.endswith(after.PixelData):
        yield "something follows the pixels"


def _elements(data: Dataset) -> Iterator[str]:
    for element in data:
        where = f"{element.tag} {element.keyword}"
        if element.tag.group not in _GROUPS or element.tag.is_private or not element.keyword:
            yield f"{where}: of no group that an image needs"
        if element.VR not in _REPRESENTATIONS:
            yield f"{where}: representation {element.VR}"
        if _WORDS.search(element.keyword) and element.keyword not in _LISTED and element.value:
            yield f"{where}: has a value"
        if element.VR in {"LO", "SH", "PN"}:
            yield from (f"{where}: is free text" for text in _texts(element) if not _harmless(element, text))
        if element.VR in {"IS", "DS"}:
            yield from (f"{where}: a number of an identity" for text in _texts(element) if len(text.split(".")[0]) > 6)
        if element.VR == "UI":
            yield from (f"{where}: a UID of somebody" for text in _texts(element) if not _known(text))
        if element.VR == "SQ":
            for item in element.value:
                yield from _elements(item)


def _identity(after: Dataset, before: Dataset) -> Iterator[str]:
    if not _PSEUDONYM.fullmatch(str(after.PatientID)) or after.PatientName != after.PatientID:
        yield "the patient has no pseudonym"
    for keyword in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "PatientID"):
        if keyword in after and keyword in before and after[keyword].value == before[keyword].value:
            yield f"{keyword} is as it was"
    years = re.fullmatch(r"(\d{3})([DWMY])", after.get("PatientAge", "") or "000Y")
    if years is None or (years[2] == "Y" and int(years[1]) > 90):
        yield "an age above 89 is told"


def _dates(after: Dataset, before: Dataset) -> Iterator[str]:
    """Every date is there moved, all by the same number of days, at least a year."""
    moves = set()
    for element in after:
        if element.VR in {"DA", "DT"} and element.value:
            moves.add((_day(element.value) - _day(before[element.tag].value)).days)
        if element.VR == "TM" and len(element.value or "") > 4:
            yield f"{element.keyword}: an instant"
    if len(moves) > 1 or any(abs(days) < 365 for days in moves):
        yield f"dates are moved by {sorted(moves)} days"


def _said(after: Dataset) -> Iterator[str]:
    expected = {
        "PatientIdentityRemoved": "YES", "BurnedInAnnotation": "NO",
        "LongitudinalTemporalInformationModified": "MODIFIED",
    }  # fmt: skip
    yield from (f"{keyword} is not {value}" for keyword, value in expected.items() if after.get(keyword) != value)
    codes = [item.CodeValue for item in after.get("DeidentificationMethodCodeSequence", [])]
    if codes != ["113100", "113101", "113107", "113108"]:
        yield f"the method's codes are {codes}"


def _day(value: object) -> date:
    text = str(value).replace(".", "")
    return date(int(text[:4]), int(text[4:6]), int(text[6:8]))


def _texts(element: DataElement) -> list[str]:
    value = element.value
    many = value if isinstance(value, (list, tuple)) or hasattr(value, "append") else [value]
    return [str(each) for each in many if each not in (None, "")]


def _harmless(element: DataElement, text: str) -> bool:
    if element.keyword in _LISTED:
        return bool(_PSEUDONYM.fullmatch(text))
    listed = {"DeidentificationMethod", "CodeValue", "CodingSchemeDesignator", "CodeMeaning", "RescaleType",
              "ModalityLUTType"}  # fmt: skip
    return element.keyword in listed and bool(_PHRASES.fullmatch(text))


def _known(uid: str) -> bool:
    return uid in UID_dictionary or bool(re.fullmatch(r"2\.25\.[1-9][0-9]{20,38}", uid))
