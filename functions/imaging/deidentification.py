"""A sender's image and its pixels -> another data set, written from nothing, that says what it keeps and no more.

PS3.15 Annex E, Basic Application Level Confidentiality Profile with the options clean pixel data, modified dates and
patient characteristics (age up to 89, sex, size, weight: the model's intended use needs the age). Instead of deleting
what a table names, only what `retained.json` names is written, each value in a form that can hold nothing else; private
and unknown attributes, free text, overlays, curves, icons, structured content, signatures and padding have no way in.
`profile.violations` then holds the result against the standard's table, and a caller refuses what it finds.
"""

import json
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
from pydicom import dcmwrite
from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian

from cuatro.errors import Rejected
from functions.imaging import deidentification_values as kept
from functions.imaging.deidentification_luts import keep_luts
from functions.imaging.pixels import Values
from functions.imaging.profile import violations
from functions.imaging.pseudonym import Pseudonyms

IMPLEMENTATION: Final = UID("2.25.251879123160461637411527190423185563651")
METHOD: Final = ("PS3.15 2026c Table E.1-1", "Positive list of attributes", "Keyed pseudonyms, dates moved per patient")
CODES: Final = {
    "113100": "Basic Application Confidentiality Profile",
    "113101": "Clean Pixel Data Option",
    "113107": "Retain Longitudinal Temporal Information Modified Dates Option",
    "113108": "Retain Patient Characteristics Option",
}
"""De-identification Method Code Sequence (0012,0064), of CID 7050, scheme DCM."""
_MONOCHROME: Final = ("MONOCHROME1", "MONOCHROME2")


def deidentified(original: Dataset, pixels: Values, names: Pseudonyms, patient: str, *, masked: bool) -> Dataset:
    """The data set that may leave, with its file meta information.

    original: of a CR, DX or SC image, of which nothing is changed. pixels: stored values [rows, columns] of a
    monochrome image or [rows, columns, 3] of RGB, text already masked (masked: any was). patient: the pseudonym.
    Raises Rejected with codes unsupported_sop_class, pixel_data, missing_uid and not_deidentified.
    """
    rules = _rules()
    kind = rules["classes"].get("".join(kept.texts(original, "SOPClassUID")[:1]))
    if kind is None:
        raise Rejected("is of no class of images that can be de-identified", "00080016", "unsupported_sop_class")
    made = Dataset()
    made.SOPClassUID = kept.texts(original, "SOPClassUID")[0]
    _identity(made, original, names, patient, rules)
    _characteristics(made, original, names.days(patient), rules)
    _image(made, original, pixels, masked=masked)
    for keyword in (*rules["empty"]["all"], *rules["empty"][kind]):
        if keyword not in made:
            setattr(made, keyword, Sequence() if keyword.endswith("Sequence") else None)
    if kind != "DX" and not made.get("BodyPartExamined") and "ImageLaterality" not in made and "Laterality" not in made:
        made.Laterality = None  # type 2C: unknown, where the body part may be one of a pair
    _said(made)
    made.file_meta = _meta(made)
    if found := violations(made, original):
        raise Rejected(f"would keep {found[0].tag}: {found[0].why}", found[0].tag, "not_deidentified")
    return made


def written(made: Dataset) -> bytes:
    """The file: zeros as its preamble, Explicit VR Little Endian, nothing after the pixels; the same for the same."""
    file = BytesIO()
    dcmwrite(file, made, enforce_file_format=True, little_endian=True, implicit_vr=False)
    return file.getvalue()


def _identity(made: Dataset, original: Dataset, names: Pseudonyms, patient: str, rules: dict[str, Any]) -> None:
    made.PatientName = made.PatientID = patient
    for keyword in rules["uids"]:
        found = kept.texts(original, keyword)[:1]
        if found and found[0]:
            setattr(made, keyword, names.uid(found[0]))
    for keyword in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
        if keyword not in made:
            raise Rejected(f"has no {keyword}", code="missing_uid")


def _characteristics(made: Dataset, original: Dataset, days: int, rules: dict[str, Any]) -> None:
    given: dict[str, Any] = {
        **{keyword: kept.term(original, keyword, terms) for keyword, terms in rules["terms"].items()},
        **{keyword: kept.moved_date(original, keyword, days) for keyword in rules["dates"]},
        **{keyword: kept.minute(original, keyword) for keyword in rules["times"]},
        "PatientAge": kept.age(original),
        "PatientOrientation": kept.directions(original, "PatientOrientation"),
    }
    for keyword, instead in rules["instead"].items():
        if keyword in original and not given[keyword]:
            given[keyword] = instead
    for keyword, value in given.items():
        if value:
            setattr(made, keyword, value)
    for keyword, bounds in rules["numbers"].items():
        if found := kept.numbers(original, keyword, bounds):
            _set_numbers(made, keyword, found)
    for keyword, group in rules["codes"].items():
        if known := kept.concepts(original, keyword, _concepts()[group]):
            setattr(made, keyword, Sequence([_code(*known[0])]))


def _set_numbers(made: Dataset, keyword: str, found: list[float]) -> None:
    vr = dictionary_VR(keyword)
    value: list[Any] = [kept.decimal(each) for each in found] if vr == "DS" else [int(each) for each in found]
    made.add_new(keyword, vr, value if len(value) > 1 else value[0])


def _image(made: Dataset, original: Dataset, pixels: Values, *, masked: bool) -> None:
    colour = pixels.ndim == 3
    photometric = "RGB" if colour else kept.term(original, "PhotometricInterpretation", _MONOCHROME)
    bits = pixels.dtype.itemsize * 8
    stored = kept.numbers(original, "BitsStored", (1, bits))
    usual = bits in {8, 16} and kept.numbers(original, "HighBit", (0, bits - 1)) == [each - 1 for each in stored]
    if not photometric or not stored or not usual or (colour and pixels.shape[2:] != (3,)):
        raise Rejected("has pixels that cannot be de-identified", "7fe00010", "pixel_data")
    first = "DERIVED" if masked else kept.term(original, "ImageType", ("ORIGINAL", "DERIVED")) or "DERIVED"
    second = kept.texts(original, "ImageType")[1:2]
    made.ImageType = [first, "SECONDARY" if second == ["SECONDARY"] else "PRIMARY"]
    made.SamplesPerPixel = 3 if colour else 1
    made.PhotometricInterpretation = photometric
    if colour:
        made.PlanarConfiguration = 0
    made.Rows, made.Columns = map(int, pixels.shape[:2])
    made.BitsAllocated, made.BitsStored, made.HighBit = bits, int(stored[0]), int(stored[0]) - 1
    made.PixelRepresentation = int(pixels.dtype.kind == "i")
    if not colour:
        keep_luts(made, original)
        _padding(made, original)
    content = clean(pixels, int(stored[0])).tobytes()
    made.add_new(0x7FE00010, "OB" if bits == 8 else "OW", content + b"\0" * (len(content) % 2))


def _padding(made: Dataset, original: Dataset) -> None:
    low = -(1 << made.BitsStored - 1) if made.PixelRepresentation else 0
    found = kept.numbers(original, "PixelPaddingValue", (low, low + (1 << made.BitsStored) - 1))
    if len(found) == 1:
        made.add_new("PixelPaddingValue", "SS" if made.PixelRepresentation else "US", int(found[0]))


def clean(pixels: Values, stored: int) -> Values:
    """Pixels, little-endian, without what lies in bits that are not stored: older devices kept overlays there."""
    unused = pixels.dtype.itemsize * 8 - stored
    shown = pixels.astype(pixels.dtype.newbyteorder("<"), copy=False)
    return np.ascontiguousarray((shown << unused) >> unused if unused > 0 else shown)


def _said(made: Dataset) -> None:
    made.PatientIdentityRemoved = "YES"
    made.DeidentificationMethod = list(METHOD)
    made.DeidentificationMethodCodeSequence = Sequence([_code(code, "DCM", said) for code, said in CODES.items()])
    made.LongitudinalTemporalInformationModified = "MODIFIED"
    made.BurnedInAnnotation = "NO"
    made.RecognizableVisualFeatures = "NO"


def _meta(made: Dataset) -> FileMetaDataset:
    """Written anew: the sender's names its application entities, its software and can hold private information."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = made.SOPClassUID
    meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = IMPLEMENTATION
    meta.ImplementationVersionName = "CUATRO"
    return meta


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


@cache
def _rules() -> dict[str, Any]:
    rules: dict[str, Any] = json.loads(Path(__file__).with_name("retained.json").read_text(encoding="utf-8"))
    return rules


@cache
def _concepts() -> dict[str, dict[str, str]]:
    found: dict[str, Any] = json.loads(Path(__file__).with_name("concepts.json").read_text(encoding="utf-8"))
    return {group: found[group] for group in ("regions", "views")}
