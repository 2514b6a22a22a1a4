"""POST /uploads: sizes of files -> a pre-signed link for each: images too big for one request go straight to S3.

{"version": 1, "uploads": [{"bytes": 25000000}, ...]} -> {"uploads": [{"url", "method", "headers", "expires_at"}, ...]}
"""

import base64
import time
from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec

from cuatro.adapters import links as presigned
from cuatro.decoding import decoded
from cuatro.errors import Rejected
from cuatro.times import text_of
from functions.imaging.api.access import Caller

LINK_S = 900
MAX_LINKS = 100
_MAX_BODY = 16_384
_MB = 1 << 20


class Upload(msgspec.Struct, frozen=True):
    """One file. bytes: exactly; the link takes no more and no less."""

    bytes: Annotated[int, msgspec.Meta(ge=1)]


class _Request(msgspec.Struct, frozen=True):
    uploads: Annotated[list[Upload], msgspec.Meta(min_length=1, max_length=MAX_LINKS)]
    version: Literal[1] = 1


_DECODER = msgspec.json.Decoder(_Request)


def links(body: bytes, of: Caller, random: Callable[[int], bytes]) -> dict[str, Any]:
    """random: so many random bytes. Raises Rejected."""
    request = decoded(_DECODER, body, _MAX_BODY)
    limit = of.policy.max_object_mb * _MB
    if any(each.bytes > limit for each in request.uploads):
        raise Rejected(f"at most {limit:,} bytes are taken", "uploads", "oversized")
    expires = text_of(int(time.time() + LINK_S) * 1000)
    return {
        "uploads": [
            {
                "url": presigned.upload(of.setting.identified_bucket, _key(of.sender, random), each.bytes, LINK_S),
                "method": "PUT",
                "headers": {"Content-Length": str(each.bytes)},
                "expires_at": expires,
            }
            for each in request.uploads
        ]
    }


def _key(sender: str, random: Callable[[int], bytes]) -> str:
    return f"inbox/{sender}/{base64.b32encode(random(17)).decode()[:26].lower()}"
