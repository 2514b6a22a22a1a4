"""A tag -> what PS3.15's basic profile does with it, and a de-identified data set -> what in it breaks the profile.

The table is data (profile.json, with its source). What is kept for the options that we say (113101 clean pixel data,
113107 modified dates, 113108 patient characteristics) is in `OPTIONS`. This is the second look at what the positive
list of `deidentification` made: neither of the two knows the other's rules.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from functions.imaging.deidentification_values import texts

_TABLE: Final = Path(__file__).with_name("profile.json")
OPTIONS: Final = {
    "113107": (
        "StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate", "StudyTime", "SeriesTime", "AcquisitionTime",
        "ContentTime", "DateOfSecondaryCapture", "TimeOfSecondaryCapture",
    ),
    "113108": ("PatientAge", "PatientSex", "PatientSize", "PatientWeight"),
}  # fmt: skip
"""Attributes that an option of the profile lets stand, by the option's code: dates moved, characteristics as they are.

No other text, descriptor, device or institution is kept, although options would allow that.
"""
_DUMMIES: Final = ("PatientID", "PatientName")
"""Type 2 attributes that carry a pseudonym: Z allows a value that is a dummy."""
_NEVER: Final = frozenset({"AE", "LT", "ST", "UC", "UN", "UR", "UT", "OB", "OD", "OF", "OL", "OV"})
"""Value representations in which anything can be written. PixelData, the one OB that leaves, is looked at by itself."""
_BULK: Final = 0x7FE00010


class Finding(NamedTuple):
    """tag: eight hexadecimal digits. why: in words without any value."""

    tag: str
    why: str


@cache
def _actions() -> tuple[dict[str, str], tuple[tuple[re.Pattern[str], str], ...]]:
    table = json.loads(_TABLE.read_text(encoding="utf-8"))["actions"]
    exact = {tag: action for action, tags in table.items() for tag in tags if "x" not in tag}
    repeating = [(tag.replace("x", "[0-9a-f]"), action) for action, tags in table.items() for tag in tags if "x" in tag]
    return exact, tuple((re.compile(pattern), action) for pattern, action in repeating)


def action(tag: int) -> str | None:
    """X, Z, D, U or several of them as Table E.1-1 writes it; X for private attributes; None for what it leaves."""
    if tag >> 16 & 1:
        return "X"
    exact, repeating = _actions()
    name = f"{tag:08x}"
    if name in exact:
        return exact[name]
    return next((found for pattern, found in repeating if pattern.fullmatch(name)), None)


def violations(made: Dataset, original: Dataset) -> list[Finding]:
    """What in `made`, at any depth, the profile with our options does not allow, compared with where it came from.

    An empty list is what lets an object leave. Nothing is repaired here: what is found is a fault of the first look.
    """
    found = list(_walk(made, original))
    if made.get("PatientIdentityRemoved") != "YES":
        found.append(Finding("00120062", "the identity is not said to be removed"))
    codes = {item.get("CodeValue") for item in made.get("DeidentificationMethodCodeSequence") or []}
    found += [Finding("00120064", f"does not say {code}") for code in ("113100", *OPTIONS) if code not in codes]
    return found


def _walk(made: Dataset, original: Dataset | None) -> Iterator[Finding]:
    for element in made:
        tag, vr = element.tag, element.VR
        why = _fault(tag, element.value, [] if original is None else texts(original, tag))
        if vr in _NEVER and tag != _BULK:
            why = f"a value of {vr} can hold anything"
        if vr == "PN" and element.keyword not in _DUMMIES and element.value:
            why = "a name"
        if why:
            yield Finding(f"{tag:08x}", why)
        if vr == "SQ":
            for item in element.value:
                yield from _walk(item, None)


def _fault(tag: BaseTag, value: object, before: list[str]) -> str | None:
    what = action(tag)
    if what is None:
        return None
    if tag in _allowed():
        return "a date as it was" if tag in _dates() and value and str(value) in before else None
    if what == "U":
        return "a UID as it was" if str(value) in before else None
    if "Z" not in what and "D" not in what:
        return f"is there, and the profile says {what}"
    if tag in _pseudonymous():
        return "an identity as it was" if value and str(value) in before else None
    return f"has a value, and the profile says {what}" if value else None


@cache
def _allowed() -> frozenset[int]:
    return frozenset(tag_for_keyword(keyword) or 0 for kept in OPTIONS.values() for keyword in kept)


@cache
def _dates() -> frozenset[int]:
    return frozenset(tag_for_keyword(keyword) or 0 for keyword in OPTIONS["113107"] if keyword.endswith("Date"))


@cache
def _pseudonymous() -> frozenset[int]:
    return frozenset(tag_for_keyword(keyword) or 0 for keyword in _DUMMIES)
