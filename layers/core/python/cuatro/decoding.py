"""JSON from outside and a msgspec decoder -> a checked value, or Rejected with our own codes, field and reason.

Schemas are versioned: a field may be added, a change of meaning needs a new `version`. Unknown fields are ignored.
"""

import re
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from cuatro.errors import Rejected

MAX_AHEAD_S = 300
"""Clocks differ; what comes from further in the future than this is wrong."""

T = TypeVar("T")


def decoded(decoder: msgspec.json.Decoder[T], data: bytes | msgspec.Raw, limit: int) -> T:
    """limit: bytes. Raises Rejected."""
    size = memoryview(data).nbytes
    if size > limit:
        raise Rejected(f"{size} bytes, at most {limit} are allowed", code="oversized")
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as error:
        raise _explained(str(error), data) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Rejected(f"not JSON: {error}", code="malformed_json") from None
    except RecursionError:
        raise Rejected("nested too deeply", code="malformed_json") from None


def check_time(time: datetime, now: float, max_age_s: float = float("inf"), field: str = "time") -> None:
    """now: unix seconds. Raises Rejected for what lies in the future, before 1970, or further back than max_age_s."""
    ahead = time.timestamp() - now
    if ahead > MAX_AHEAD_S:
        raise Rejected(f"lies {ahead:.0f} s in the future, at most {MAX_AHEAD_S} are allowed", field, "time_in_future")
    if -ahead > min(max_age_s, now):
        limit = f"is older than {max_age_s / 86400:g} days" if max_age_s <= now else "is before 1970"
        raise Rejected(limit, field, "time_too_old")


_PLACE = re.compile(r" - at (?:`key` in )?`\$\.?([^`]*)`$")
_MISSING = re.compile(r"missing required field `(\w+)`")
_CODES = (
    # msgspec's words, our code, our words (None keeps msgspec's)
    (" matching regex ", "invalid_value", "must be letters, digits and _ . : - only"),
    (" of length ", "invalid_value", None),
    ("Invalid enum value", "invalid_value", None),
    ("datetime` with a timezone", "time_without_zone", "needs a time zone, such as Z or +02:00"),
    ("RFC3339", "invalid_time", "is not a time of RFC 3339, such as 2026-11-23T10:00:00.000Z"),
    ("out of range", "out_of_range", None),
    ("` >", "out_of_range", None),
    ("` <", "out_of_range", None),
)


def _explained(message: str, data: bytes | msgspec.Raw) -> Rejected:
    """msgspec's message -> our codes. Runs for rejected records only, so it may look at the data again."""
    version = _version(data)
    if version is not None and version != 1:
        return Rejected(f"unknown version {version!r:.20}, this suite reads 1", "version", "unknown_version")
    place = _PLACE.search(message)
    field = place.group(1).removesuffix("[...]") if place else None
    words = _PLACE.sub("", message)
    if missing := _MISSING.search(message):
        return Rejected("is missing", f"{field}.{missing.group(1)}" if field else missing.group(1), "missing_field")
    for part, code, ours in _CODES:
        if part in words:
            return Rejected(ours or words.replace("`", ""), field or None, code)
    return Rejected(words.replace("`", ""), field or None, "wrong_type")


def _version(data: bytes | msgspec.Raw) -> Any:
    try:
        return msgspec.json.decode(data, type=dict[str, Any]).get("version")
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors; so is that of bad UTF-8
        return None
