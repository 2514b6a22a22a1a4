"""Data sets <-> the DICOM JSON model (PS3.18 F) and the native XML model (PS3.19 A.1); which of them a query wants.

Only what a query or an answer needs: attributes of the results, at the level of studies, series and instances.
"""

import re
from collections.abc import Mapping
from fnmatch import translate
from typing import Any
from xml.etree import ElementTree

from pydicom.datadict import keyword_for_tag, tag_for_keyword

Json = dict[str, Any]
"""One data set: {"0020000D": {"vr": "UI", "Value": [...]}, ...}."""
_TAG = re.compile(r"[0-9A-Fa-f]{8}\Z")
_RANGED = {"DA", "TM", "DT"}


def tag_of(name: str) -> str | None:
    """A keyword or eight hexadecimal digits -> the tag as DICOM JSON has it; None for anything else."""
    if _TAG.match(name):
        return name.upper()
    tag = tag_for_keyword(name)
    return None if tag is None else f"{tag:08X}"


def attribute(vr: str, *values: Any) -> Json:
    """One attribute; without values it is there and empty."""
    return {"vr": vr, "Value": list(values)} if values else {"vr": vr}


def first(dataset: Mapping[str, Any], tag: str) -> Any:
    """The attribute's first value; None for none."""
    values = dataset.get(tag, {}).get("Value") or [None]
    return values[0]


def matches(dataset: Mapping[str, Any], tag: str, wanted: str) -> bool:
    """Does an attribute match a query's value (PS3.4 C.2.2.2)? Lists of UIDs, ranges of dates and times, * and ?."""
    if wanted in {"", "*"}:
        return True
    given = dataset.get(tag, {})
    values = [_plain(value) for value in given.get("Value", [])]
    vr = given.get("vr", "")
    if vr == "UI":
        return bool(set(values) & set(re.split(r"[,\\]", wanted)))
    if vr in _RANGED and "-" in wanted:
        low, _, high = wanted.partition("-")
        return any((not low or value >= low) and (not high or value[: len(high)] <= high) for value in values)
    flags = re.IGNORECASE if vr == "PN" else 0
    pattern = re.compile(translate(wanted.replace("[", "[[]")), flags)
    return any(pattern.match(value) for value in values)


def xml(dataset: Mapping[str, Any]) -> bytes:
    """The native model of one data set, of attributes with plain values and sequences."""
    root = ElementTree.Element("NativeDicomModel", {"xmlns": "http://dicom.nema.org/PS3.19/models/NativeDICOM"})
    _attributes(root, dataset)
    body: bytes = ElementTree.tostring(root, encoding="utf-8")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + body


def _attributes(parent: ElementTree.Element, dataset: Mapping[str, Any]) -> None:
    for tag, given in sorted(dataset.items()):
        told = {"tag": tag, "vr": given["vr"], "keyword": keyword_for_tag(int(tag, 16))}
        element = ElementTree.SubElement(parent, "DicomAttribute", told)
        for number, value in enumerate(given.get("Value", []), 1):
            if given["vr"] == "SQ":
                _attributes(ElementTree.SubElement(element, "Item", {"number": str(number)}), value)
            else:
                ElementTree.SubElement(element, "Value", {"number": str(number)}).text = str(value)


def _plain(value: Any) -> str:
    """Of a person's name its alphabetic form."""
    return str(value.get("Alphabetic", "")) if isinstance(value, dict) else str(value)
