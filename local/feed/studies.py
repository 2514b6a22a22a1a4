"""DICOM files of folders -> the imaging pipeline as a hospital's program sends them: STOW-RS, big ones by link; status.

Files go out as they are, byte for byte. What a request may hold is Lambda's limit; what is bigger is put to S3 by a
pre-signed link that the same API gives.
"""

import json
import time
import uuid
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from botocore.awsrequest import AWSRequest
from botocore.exceptions import HTTPClientError
from botocore.httpsession import URLLib3Session

from functions.imaging.stow import MAX_BODY
from local.platform.errors import PlatformError

TRIES, FIRST_WAIT = 5, 0.2
_AGAIN = {429, 500, 502, 503, 504}
_TIMEOUT_S = 60
_AROUND = 1_000
"""Bytes of a request around a file: boundaries and headers of its part."""
_MAX_FILES = 100
_MAGIC_AT, _MAGIC = 128, b"DICM"
FAILURES = {
    0x0111: "another image has this UID",
    0x0122: "images of this kind are not taken",
    0x0124: "it is another sender's",
    0xA700: "it could not be kept now; send it again",
    0xA900: "it is of another study",
    0xC000: "it is not DICOM that can be read",
}
"""Failure reasons of STOW-RS, as a person reads them."""


@dataclass
class Sent:
    """instances: UIDs taken. by_link: files put by link, which are looked at afterwards. refused: (file, why)."""

    instances: list[str] = field(default_factory=list)
    studies: set[str] = field(default_factory=set)
    by_link: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)

    def add(self, other: "Sent") -> None:
        """Take in what another call sent."""
        self.instances += other.instances
        self.studies |= other.studies
        self.by_link += other.by_link
        self.refused += other.refused


@dataclass(frozen=True)
class Reply:
    """What the API said; json: None where it is no JSON."""

    status: int
    body: bytes

    @property
    def json(self) -> Any:
        """The body, decoded."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


class SenderApi:
    """The API of one suite as one sender calls it. authority: PEM file to verify TLS by; None: the system's."""

    def __init__(self, url: str, authority: str | None, sender: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._authorization = f"Basic {b64encode(f'{sender}:{token}'.encode()).decode()}"
        self._http = URLLib3Session(timeout=_TIMEOUT_S, verify=authority or True)

    def store(self, files: Sequence[tuple[str, bytes]]) -> Sent:
        """One STOW-RS request with these (name, content). Raises PlatformError when the API does not take it."""
        boundary = uuid.uuid4().hex
        body = bytearray()
        for _, content in files:
            body += f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode() + content + b"\r\n"
        body += f"--{boundary}--\r\n".encode()
        kind = f'multipart/related; type="application/dicom"; boundary={boundary}'
        headers = {"Content-Type": kind, "Accept": "application/dicom+json"}
        reply = self._call("POST", "/studies", bytes(body), headers)
        if reply.status not in {200, 202, 409} or not isinstance(reply.json, dict):
            raise _refusal(reply)
        return _sent(reply.json, [name for name, _ in files])

    def upload(self, name: str, content: bytes) -> Sent:
        """One file by a pre-signed link. Raises PlatformError."""
        asked = json.dumps({"version": 1, "uploads": [{"bytes": len(content)}]}).encode()
        reply = self._call("POST", "/uploads", asked, {"Content-Type": "application/json"})
        if reply.status == 413:
            return Sent(refused=[(name, _words(reply))])
        if reply.status != 201:
            raise _refusal(reply)
        (link,) = reply.json["uploads"]
        put = self._tried("PUT", link["url"], content, dict(link["headers"]))
        if put.status != 200:
            raise PlatformError(
                f"The link was refused: HTTP {put.status}.", "Send it again: a link is good for minutes."
            )
        return Sent(by_link=1)

    def status(self, study_uid: str) -> dict[str, Any] | None:
        """GET /status/{study}; None for a study that is not known (yet). Raises PlatformError."""
        reply = self._call("GET", f"/status/{quote(study_uid, safe='')}", b"", {})
        if reply.status == 404:
            return None
        if reply.status != 200:
            raise _refusal(reply)
        return dict(reply.json)

    def get(self, path: str, accept: str) -> Reply:
        """Any resource, such as results."""
        return self._call("GET", path, b"", {"Accept": accept})

    def _call(self, method: str, path: str, data: bytes, headers: dict[str, str]) -> Reply:
        return self._tried(method, self._url + path, data, {**headers, "Authorization": self._authorization})

    def _tried(self, method: str, url: str, data: bytes, headers: dict[str, str]) -> Reply:
        """The last answer; everything here may be done twice. Raises PlatformError when there is none."""
        reply, why = None, ""
        for attempt in range(TRIES):
            if attempt:
                time.sleep(FIRST_WAIT * 2 ** (attempt - 1))
            try:
                answer = self._http.send(AWSRequest(method, url, headers=headers, data=data or None).prepare())
            except HTTPClientError as error:
                why = str(error)
                continue
            reply = Reply(answer.status_code, answer.content)
            if reply.status not in _AGAIN:
                break
        if reply is None:
            raise PlatformError(f"{url.split('/')[2]} does not answer: {why}", "See `cuatro status`.")
        return reply


def files(paths: Iterable[Path]) -> Iterator[Path]:
    """DICOM files (PS3.10) at these paths and below; whatever else lies there is passed over.

    Raises PlatformError for a path that is not there.
    """
    for path in paths:
        if not path.exists():
            raise PlatformError(f"There is no {path}.", "Give DICOM files, or folders of them.")
        found = sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]
        yield from (each for each in found if is_dicom(each))


def is_dicom(path: Path) -> bool:
    """Has it DICOM's prefix, and is it more than a directory of others?"""
    with path.open("rb") as opened:
        return opened.read(_MAGIC_AT + 4)[_MAGIC_AT:] == _MAGIC and path.name.upper() != "DICOMDIR"


def send(api: SenderApi, found: Iterable[Path]) -> Iterator[Sent]:
    """All of them, in as few requests as may be; what became of each request. Raises PlatformError."""
    batch: list[tuple[str, bytes]] = []
    size = _AROUND
    for path in found:
        content = path.read_bytes()
        if len(content) + 2 * _AROUND > MAX_BODY:
            yield api.upload(str(path), content)
            continue
        if batch and (size + len(content) + _AROUND > MAX_BODY or len(batch) == _MAX_FILES):
            yield api.store(batch)
            batch, size = [], _AROUND
        batch.append((str(path), content))
        size += len(content) + _AROUND
    if batch:
        yield api.store(batch)


def _sent(body: dict[str, Any], names: list[str]) -> Sent:
    """A Store Instances Response (PS3.18 10.5.3)."""
    stored, failed, unknown = (body.get(tag, {}).get("Value", []) for tag in ("00081199", "00081198", "0008119A"))
    sent = Sent(instances=[each["00081155"]["Value"][0] for each in stored])
    sent.studies = {each["00081190"]["Value"][0].rpartition("/")[2] for each in stored}
    sent.refused += [(each["00081155"]["Value"][0], _why(each)) for each in failed]
    where = names[0] if len(names) == 1 else f"one of {names[0]} ... {names[-1]}"
    sent.refused += [(where, _why(each)) for each in unknown]
    return sent


def _why(failure: dict[str, Any]) -> str:
    reason = failure["00081197"]["Value"][0]
    return FAILURES.get(reason, f"failure {reason:04X}H")


def _refusal(reply: Reply) -> PlatformError:
    if reply.status in {401, 403}:
        return PlatformError(
            f"The API does not know this sender: {_words(reply)}", "`cuatro sender add NAME` gives a token."
        )
    return PlatformError(f"The API refused it: {_words(reply)}", "`cuatro logs imaging api` tells more.")


def _words(reply: Reply) -> str:
    body = reply.json if isinstance(reply.json, dict) else {}
    return str(body.get("error", {}).get("message") or body.get("message") or f"HTTP {reply.status}")
