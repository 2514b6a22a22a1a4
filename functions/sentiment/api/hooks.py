"""A signed request of another system -> is it from who it says, and of now? As Stripe and GitHub sign their hooks.

X-Cuatro-Signature: t=<unix seconds>,v1=<hex HMAC-SHA-256 of "<t>.<body>" by the hook's key>; several v1 while a key is
being changed. A request that is recorded and sent again within the tolerance is harmless: each post counts once.
"""

import hmac
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from cuatro.errors import Rejected
from cuatro.posts import Slug

TOLERANCE_S = 300
HEADER = "x-cuatro-signature"
MIN_KEY = 16
"""Characters; a hook with a shorter key is closed."""
_SIGNATURE = re.compile(r"v1=([0-9a-f]{64})\Z")
_TIME = re.compile(r"t=([0-9]{1,12})\Z")


def verify(source: str, body: bytes, signature: str, keys: Mapping[str, Any], now: float) -> str:
    """The hook's name. keys: by hook, from the secret: a text, or several of them. now: unix seconds. Raises Rejected.

    An unknown hook and a wrong signature get the same answer: nobody learns which hooks there are.
    """
    times = [int(found[1]) for part in signature.split(",") if (found := _TIME.match(part.strip()))]
    given = [found[1] for part in signature.split(",")[:8] if (found := _SIGNATURE.match(part.strip()))]
    if len(times) != 1 or not given:
        raise Rejected("needs the header X-Cuatro-Signature: t=<unix seconds>,v1=<hex>", None, "unauthorized")
    if abs(now - times[0]) > TOLERANCE_S:
        raise Rejected(f"was signed more than {TOLERANCE_S} s ago, or ahead of its time", None, "unauthorized")
    found = keys.get(source) if _is_name(source) else None
    known = [key for key in (found if isinstance(found, list) else [found]) if isinstance(key, str)]
    usable = [key for key in known if len(key) >= MIN_KEY]
    signed = b"%d.%b" % (times[0], body)
    right = [
        hmac.compare_digest(sign(key, signed), each)
        for key in usable or [""]  # the work is the same for a hook that there is not
        for each in given
    ]
    if not usable or not any(right):
        raise Rejected("the signature is not right", None, "unauthorized")
    return source


def sign(key: str, signed: bytes) -> str:
    """HMAC-SHA-256 (RFC 2104) in hexadecimal. signed: "<t>.<body>"."""
    return hmac.digest(key.encode(), signed, "sha256").hex()


def _is_name(source: str) -> bool:
    try:
        msgspec.convert(source, Slug)
    except msgspec.ValidationError:
        return False
    return True
