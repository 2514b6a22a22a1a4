"""The senders' secret (JSON) -> who may send, for which patients' issuer, and where results go; whose token this is.

Of a token only its SHA-256 is kept: it has 256 random bits, so a slow hash would add nothing, unlike a password's.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from cuatro.posts import Slug

MAX_CREDENTIALS = 1024
_NOBODY = "0" * 64


class Destination(msgspec.Struct, frozen=True):
    """A DICOMweb server that takes results. header: "Name: value", sent with them."""

    url: str
    header: str = ""


class Sender(msgspec.Struct, frozen=True):
    """sha256: of the token, or of each while it is being changed. issuer: within what its patients' ids count."""

    sha256: str | list[str]
    destination: Destination | None = None
    issuer: Annotated[str, msgspec.Meta(max_length=64)] | None = None


def senders(document: Mapping[str, Any]) -> dict[str, Sender]:
    """By their slugs; an entry that is damaged is no sender, and does not take the others with it."""
    found = {}
    for name, entry in document.items():
        try:
            found[msgspec.convert(name, Slug)] = msgspec.convert(entry, Sender)
        except msgspec.ValidationError:
            continue
    return found


def whose(authorization: str, known: Mapping[str, Sender]) -> str | None:
    """The slug of the sender with these credentials: "Bearer <token>" (RFC 6750), or Basic with the slug (RFC 7617).

    Every sender's hash is compared, each in constant time, so that an answer's time tells nothing.
    """
    scheme, _, given = authorization.strip().partition(" ")
    given = given.strip()
    if not given or len(given) > MAX_CREDENTIALS:
        return None
    name: str | None = None
    token = given.encode("utf-8", "surrogatepass")
    if scheme.lower() == "basic":
        try:
            user, colon, token = base64.b64decode(given, validate=True).partition(b":")
        except (binascii.Error, ValueError):
            return None
        name = user.decode("utf-8", "replace")
        if not colon:
            return None
    elif scheme.lower() != "bearer":
        return None
    digest = hashlib.sha256(token).hexdigest()
    found = [slug for slug, sender in known.items() if _is(digest, sender) and name in {None, slug}]
    return found[0] if len(found) == 1 else None


def _is(digest: str, sender: Sender) -> bool:
    hashes = sender.sha256 if isinstance(sender.sha256, list) else [sender.sha256]
    matches = [hmac.compare_digest(digest.encode(), (each.lower() or _NOBODY).encode()) for each in hashes]
    return any(matches)
