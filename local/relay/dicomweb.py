"""STOW-RS of the hospital's programs (WSGI) -> the spool. What a Lambda cannot take in one request, this can."""

import json
from collections.abc import Callable, Iterable
from typing import Any

from cuatro.errors import Rejected
from functions.imaging.header import FIRST_BYTES, header
from functions.imaging.stow import CANNOT_UNDERSTAND, OUT_OF_RESOURCES, WRONG_STUDY, Failed, Stored, answer, parts
from local.relay.spool import FullError, Spool

MAX_BODY = 1 << 30
MAX_PARTS = 2_000
_STATUS = {
    200: "200 OK", 202: "202 Accepted", 400: "400 Bad Request", 404: "404 Not Found", 405: "405 Method Not Allowed",
    409: "409 Conflict", 411: "411 Length Required", 413: "413 Content Too Large", 415: "415 Unsupported Media Type",
    507: "507 Insufficient Storage",
}  # fmt: skip
Start = Callable[[str, list[tuple[str, str]]], Any]


class Receiver:
    """WSGI: POST /studies and POST /studies/{study}, with any prefix before."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        status, body = self._answered(environ)
        content = json.dumps(body).encode()
        kind = "application/dicom+json" if status in {200, 202, 409} else "application/json"
        start(_STATUS[status], [("Content-Type", kind), ("Content-Length", str(len(content)))])
        return [content]

    def _answered(self, environ: dict[str, Any]) -> tuple[int, Any]:
        path = environ.get("PATH_INFO", "").rstrip("/").split("/")
        study = path[-1] if len(path) > 1 and path[-2] == "studies" else None
        if study is None and path[-1] != "studies":
            return 404, _error("there is nothing but /studies")
        if environ["REQUEST_METHOD"] != "POST":
            return 405, _error("studies are only taken here: results are at the pipeline")
        try:
            length = int(environ.get("CONTENT_LENGTH") or "")
        except ValueError:
            return 411, _error("the length of the body must be known")
        if length > MAX_BODY:
            return 413, _error(f"a request may have {MAX_BODY:,} bytes")
        try:
            found = parts(environ.get("CONTENT_TYPE", ""), environ["wsgi.input"].read(length), MAX_PARTS)
        except Rejected as rejected:
            return 415 if rejected.code == "unsupported_media_type" else 400, _error(rejected.reason)
        return self._kept([part.content for part in found], study)

    def _kept(self, contents: list[bytes], study: str | None) -> tuple[int, Any]:
        stored: list[Stored] = []
        failed: list[Failed] = []
        for content in contents:
            try:
                found = header(content[:FIRST_BYTES])
            except Rejected:
                failed.append(Failed(CANNOT_UNDERSTAND))
                continue
            if study not in {None, found.study}:
                failed.append(Failed(WRONG_STUDY, found.sop_class, found.instance))
                continue
            try:
                self._spool.add(content)
            except FullError:
                failed.append(Failed(OUT_OF_RESOURCES, found.sop_class, found.instance))
            else:
                stored.append(Stored(found.sop_class, found.instance, found.study))
        if not stored and all(each.reason == OUT_OF_RESOURCES for each in failed):
            return 507, _error("the spool is full")
        return answer(stored, failed, "")


def _error(message: str) -> dict[str, Any]:
    return {"error": {"message": message}}
