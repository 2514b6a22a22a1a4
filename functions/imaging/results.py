"""Results of a study, as its row names them -> data sets for queries, and the bodies of DICOMweb's answers.

The row says where each result lies and its UIDs (`k`, written when the study is concluded); the results themselves hold
the patient's identity again, and are read here only to be given to the sender that they are about.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from pydicom.dataset import Dataset

from cuatro.adapters.attributes import Item
from cuatro.errors import Unavailable
from functions.imaging import reading
from functions.imaging.dicomjson import Json, attribute, first
from functions.imaging.outcome import results_of
from functions.imaging.progress import Result

HEADER_BYTES = 262_144
"""Of a result: what comes before its pixels."""
_BULK = 1024
"""Bytes of a value from which on metadata leave it out."""

_OF_STUDY = {
    "00080020": "DA", "00080030": "TM", "00080050": "SH", "00080090": "PN", "00080201": "SH", "00081030": "LO",
    "00100010": "PN", "00100020": "LO", "00100030": "DA", "00100040": "CS", "0020000D": "UI", "00200010": "SH",
}  # fmt: skip
_OF_SERIES = {
    "00080060": "CS",
    "0008103E": "LO",
    "0020000E": "UI",
    "00200011": "IS",
    "00400244": "DA",
    "00400245": "TM",
}
_OF_INSTANCE = {
    "00080016": "UI", "00080018": "UI", "00200013": "IS", "00280008": "IS", "00280010": "US", "00280011": "US",
    "00280100": "US",
}  # fmt: skip
"""What an answer has at each level (PS3.18 tables 10.6.3-3 to -5), there even where it has no value."""


def results(study: Item) -> list[Result]:
    """Of all revisions, in their order. study: a row. Raises msgspec.MsgspecError for a damaged one."""
    revisions = results_of(study.get("k", ""))
    return [each for revision in sorted(revisions, key=int) for each in revisions[revision]]


def selected(found: Iterable[Result], series: str | None, instance: str | None) -> list[Result]:
    """Those of a series and with an instance's UID; None: all."""
    return [each for each in found if series in {None, each.series} and instance in {None, each.instance}]


def metadata(content: bytes) -> Json:
    """A result's first bytes -> its metadata in DICOM JSON, without pixels and other long values. Raises Unavailable:
    a result that cannot be read was made by us, so it is not the sender's mistake.
    """
    with reading.quiet():
        try:
            dataset = Dataset(reading.header(content))
            written = dataset.to_json(_BULK, lambda _element: "", suppress_invalid_tags=True)
            told: Json = msgspec.json.decode(written)
        except Exception:  # noqa: BLE001 - pydicom's errors quote values
            raise Unavailable("a result could not be read") from None
    return {tag: {name: value for name, value in each.items() if name != "BulkDataURI"} for tag, each in told.items()}


def of_study(each: Mapping[str, Any], among: Sequence[Result], modalities: Iterable[str], base_url: str) -> Json:
    """A study as a query's answer has it. each: metadata of one of its results; among: all of them."""
    found = _chosen(each, _OF_STUDY)
    found["00080056"] = attribute("CS", "ONLINE")
    found["00080061"] = attribute("CS", *sorted(modalities))
    found["00081190"] = attribute("UR", f"{base_url}/studies/{first(each, '0020000D')}")
    found["00201206"] = attribute("IS", len({result.series for result in among}))
    found["00201208"] = attribute("IS", len(among))
    return found


def of_series(each: Mapping[str, Any], among: Sequence[Result], base_url: str) -> Json:
    """A series, likewise."""
    series = first(each, "0020000E")
    found = _chosen(each, {"0020000D": "UI", **_OF_SERIES})
    found["00081190"] = attribute("UR", f"{base_url}/studies/{first(each, '0020000D')}/series/{series}")
    found["00201209"] = attribute("IS", sum(result.series == series for result in among))
    return found


def of_instance(each: Mapping[str, Any], base_url: str) -> Json:
    """An instance, likewise."""
    found = _chosen(each, {"0020000D": "UI", "0020000E": "UI", **_OF_INSTANCE})
    path = f"{first(each, '0020000D')}/series/{first(each, '0020000E')}/instances/{first(each, '00080018')}"
    found["00080056"] = attribute("CS", "ONLINE")
    found["00081190"] = attribute("UR", f"{base_url}/studies/{path}")
    return found


def multipart(contents: Iterable[bytes], boundary: str) -> bytes:
    """multipart/related body of DICOM files (PS3.18 8.6.1.2)."""
    body = bytearray()
    for content in contents:
        body += f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
        body += content
        body += b"\r\n"
    return bytes(body + f"--{boundary}--\r\n".encode())


def _chosen(each: Mapping[str, Any], wanted: Mapping[str, str]) -> Json:
    return {tag: each.get(tag, attribute(vr)) for tag, vr in wanted.items()}
