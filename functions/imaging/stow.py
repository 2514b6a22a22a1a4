"""STOW-RS (PS3.18 10.5): body of a request -> its parts; what became of each instance -> the answer and its status."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from cuatro.errors import Rejected
from functions.imaging.dicomjson import Json, attribute

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

DICOM = "application/dicom"
MAX_BODY = 4_500_000
"""Bytes: what Lambda takes in one event (6 MiB), in base64, with room for headers."""
TOO_BIG = f"a request may have {MAX_BODY:,} bytes: send larger images by POST /uploads, which gives pre-signed links"

CANNOT_UNDERSTAND = 0xC000
DUPLICATE = 0x0111
NOT_SUPPORTED = 0x0122
NOT_AUTHORIZED = 0x0124
OUT_OF_RESOURCES = 0xA700
WRONG_STUDY = 0xA900
"""Failure reasons (PS3.18 I.2, PS3.7 C): A700 tells the sender to come again, the others not to."""


class Part(NamedTuple):
    """type: media type without parameters, in lower case; "" where none is given."""

    type: str
    content: bytes


class Stored(NamedTuple):
    """UIDs as the sender made them."""

    sop_class: str
    instance: str
    study: str


class Failed(NamedTuple):
    """reason: one of those above. instance: "" where the part is no DICOM, so that nobody knows."""

    reason: int
    sop_class: str = ""
    instance: str = ""


def parts(content_type: str, body: bytes, limit: int) -> list[Part]:
    """Parts of a multipart/related body. limit: of parts.

    Raises Rejected with the codes unsupported_media_type and malformed_multipart, the latter also when the body ends
    before its last boundary.
    """
    kind, options = parse_options_header(content_type)
    if kind.lower() != b"multipart/related":
        raise Rejected('must be multipart/related; type="application/dicom"', "Content-Type", "unsupported_media_type")
    root = options.get(b"type", DICOM.encode()).lower()
    if root != DICOM.encode():
        raise Rejected("only parts of type application/dicom are taken", "Content-Type", "unsupported_media_type")
    boundary = options.get(b"boundary", b"")
    if not boundary:
        raise Rejected("has no boundary", "Content-Type", "malformed_multipart")
    found = _Parts(limit)
    try:
        MultipartParser(boundary, found.callbacks()).write(body)
    except FormParserError:
        raise Rejected("cannot be parsed as multipart/related", "body", "malformed_multipart") from None
    if not found.ended:
        raise Rejected("ends before its last boundary", "body", "malformed_multipart")
    if not found.parts:
        raise Rejected("has no parts", "body", "malformed_multipart")
    if any(part.type not in {DICOM, ""} for part in found.parts):
        raise Rejected("a part is not application/dicom", "body", "unsupported_media_type")
    return found.parts


def answer(stored: Sequence[Stored], failed: Sequence[Failed], base_url: str) -> tuple[int, Json]:
    """Status and Store Instances Response (PS3.18 10.5.3, I.1). base_url: what comes before /studies.

    200 all stored, 202 some, 409 none.
    """
    body: Json = {}
    urls = {f"{base_url}/studies/{each.study}" for each in stored}
    body["00081190"] = attribute("UR", *urls) if len(urls) == 1 else attribute("UR")
    if stored:
        body["00081199"] = attribute("SQ", *(_reference(each, base_url) for each in stored))
    known = [each for each in failed if each.instance]
    if known:
        body["00081198"] = attribute("SQ", *(_failure(each) for each in known))
    if len(known) < len(failed):
        body["0008119A"] = attribute("SQ", *(_failure(each) for each in failed if not each.instance))
    if not stored:
        return 409, body
    return (202 if failed else 200), body


def _reference(each: Stored, base_url: str) -> Json:
    return {
        "00081150": attribute("UI", each.sop_class),
        "00081155": attribute("UI", each.instance),
        "00081190": attribute("UR", f"{base_url}/studies/{each.study}"),
    }


def _failure(each: Failed) -> Json:
    reason = {"00081197": attribute("US", each.reason)}
    if not each.instance:
        return reason
    return {"00081150": attribute("UI", each.sop_class), "00081155": attribute("UI", each.instance), **reason}


class _Parts:
    """What the parser has told so far."""

    def __init__(self, limit: int) -> None:
        self.parts: list[Part] = []
        self.ended = False
        self._limit = limit
        self._name, self._value, self._type, self._content = b"", b"", b"", bytearray()

    def callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self._begin,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_header_field": self._field,
            "on_header_value": self._words,
            "on_header_end": self._header,
            "on_end": self._last,
        }

    def _begin(self) -> None:
        if len(self.parts) >= self._limit:
            raise Rejected(f"has more than {self._limit} parts", "body", "too_many_parts")
        self._type, self._content = b"", bytearray()

    def _field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _words(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header(self) -> None:
        if self._name.lower() == b"content-type":
            self._type = parse_options_header(self._value)[0].lower()
        self._name, self._value = b"", b""

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._content += memoryview(data)[start:end]

    def _end(self) -> None:
        self.parts.append(Part(self._type.decode("latin-1"), bytes(self._content)))

    def _last(self) -> None:
        self.ended = True
