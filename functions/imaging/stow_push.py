"""A DICOM object -> a STOW-RS request (PS3.18, 10.5), and what a server's answer to it means.

One object a request: what a server refuses is known for that object, and nothing larger than it is held in memory.
"""

import hashlib
import re
from ipaddress import ip_address
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

import msgspec

from cuatro.errors import Rejected

_HEADER = re.compile(r"([A-Za-z0-9-]+): *([\x21-\x7e][\x20-\x7e]*)")
_AGAIN = {408, 425, 429}
_TAKEN = (200, 202)
_FAILED_SEQUENCE = "00081198"
Verdict = Literal["taken", "refused", "again"]


class Request(NamedTuple):
    """url, headers and body of a POST."""

    url: str
    headers: dict[str, str]
    body: bytes


def request(destination: str, header: str, content: bytes, *, private: bool) -> Request:
    """destination: the server's root (".../dicom-web") or its /studies. header: "Name: value", or "".

    Raises Rejected: identified results travel by TLS only, except within the machine where `private` hosts are allowed.
    """
    url = _studies(destination, private=private)
    boundary = hashlib.sha256(content).hexdigest()
    headers = {
        "Content-Type": f'multipart/related; type="application/dicom"; boundary={boundary}',
        "Accept": "application/dicom+json",
    }
    if header:
        found = _HEADER.fullmatch(header)
        if not found:
            raise Rejected("the header of the destination is not one", "header", "invalid_value")
        headers[found[1]] = found[2]
    start = f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
    return Request(url, headers, start + content + f"\r\n--{boundary}--\r\n".encode())


def verdict(status: int, body: bytes) -> Verdict:
    """Of an answer to one object. 202 may say that it was not stored: then it is refused."""
    if status >= 500 or status in _AGAIN:
        return "again"
    if status not in _TAKEN:
        return "refused"
    return "refused" if _failures(body) else "taken"


def _studies(destination: str, *, private: bool) -> str:
    try:
        parts = urlsplit(destination)
    except ValueError:
        raise Rejected("the destination is not a URL", "url", "invalid_value") from None
    if parts.scheme != "https" and not (private and parts.scheme == "http" and _is_loopback(parts.hostname or "")):
        raise Rejected("a destination must be an https URL", "url", "not_encrypted")
    path = parts.path.rstrip("/")
    return parts._replace(path=path if path.endswith("/studies") else f"{path}/studies", fragment="").geturl()


def _is_loopback(host: str) -> bool:
    """By its address: a name may lead anywhere."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _failures(body: bytes) -> list[Any]:
    try:
        answer = msgspec.json.decode(body, type=dict[str, dict[str, Any]])
    except msgspec.MsgspecError:
        return []  # a server that answers in XML, or not at all, has said what it has to by its status
    found = answer.get(_FAILED_SEQUENCE, {}).get("Value", [])
    return found if isinstance(found, list) else []
