"""Accept of a request (RFC 9110 12.5.1, PS3.18 8.7) -> the media type of the answer, or 406; bytes -> an answer."""

from base64 import b64encode
from typing import Any, Literal

import msgspec
from chalice.app import Response

from cuatro.errors import Rejected
from functions.imaging import dicomjson
from functions.imaging.dicomjson import Json

JSON, XML, DICOM, MULTIPART = (
    "application/dicom+json",
    "application/dicom+xml",
    "application/dicom",
    "multipart/related",
)
ENCODED = "x-cuatro-encoded"
"""Header of an answer whose body is base64; it never leaves the function."""


def written(accept: str) -> Literal["application/dicom+json", "application/dicom+xml"]:
    """Of a STOW-RS answer. Raises Rejected before anything is stored."""
    types = _types(accept)
    if not types or types & {JSON, "application/json", "application/*", "*/*"}:
        return "application/dicom+json"
    if XML in types:
        return "application/dicom+xml"
    raise Rejected(f"the answer is {JSON} or {XML}", "Accept", "not_acceptable")


def check_json(accept: str) -> None:
    """Of a query's answer and of metadata. Raises Rejected."""
    types = _types(accept)
    if types and not types & {JSON, "application/json", "application/*", "*/*"}:
        raise Rejected(f"the answer is {JSON}", "Accept", "not_acceptable")


def retrieved(accept: str) -> Literal["application/dicom", "multipart/related"]:
    """Of results. Raises Rejected."""
    types = _types(accept)
    if not types or types & {MULTIPART, "multipart/*", "*/*"}:
        return "multipart/related"
    if DICOM in types:
        return "application/dicom"
    raise Rejected(f'the answer is multipart/related; type="{DICOM}"', "Accept", "not_acceptable")


def document(
    body: Json | list[Json], kind: str = JSON, status: int = 200, headers: dict[str, Any] | None = None
) -> Response:
    """Data sets as an answer."""
    content = dicomjson.xml(body) if kind == XML and isinstance(body, dict) else msgspec.json.encode(body)
    return Response(content.decode(), {"Content-Type": kind, "Cache-Control": "no-store", **(headers or {})}, status)


def binary(body: bytes, kind: str) -> Response:
    """Bytes as an answer: in base64, which `decoded` tells API Gateway."""
    return Response(b64encode(body).decode(), {"Content-Type": kind, "Cache-Control": "no-store", ENCODED: "1"}, 200)


def told(answer: dict[str, Any]) -> dict[str, Any]:
    """Chalice's answer as API Gateway wants it."""
    return {**answer, "isBase64Encoded": answer["headers"].pop(ENCODED, None) is not None}


def _types(accept: str) -> set[str]:
    """Media types without parameters, but not those that the client refuses (q=0)."""
    found = set()
    for each in accept.split(","):
        kind, *parameters = (part.strip().lower() for part in each.split(";"))
        if kind and not any(parameter.replace(" ", "") in {"q=0", "q=0.0", "q=0.00"} for parameter in parameters):
            found.add(kind)
    return found
