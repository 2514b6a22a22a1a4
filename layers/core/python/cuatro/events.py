"""Bytes from outside -> checked transactions and labels, or Rejected with field and reason; and events to publish.

Schemas are versioned: a field may be added, a change of meaning needs a new `version`. Unknown fields are ignored.
"""

import re
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from cuatro.currencies import EXPONENTS
from cuatro.errors import Rejected

MAX_RECORD_BYTES = 65_536
"""A transaction has some 300 bytes; anything longer than this is not one."""
MAX_AHEAD_S = 300
"""Clocks differ; a transaction from further in the future than this is wrong."""
MAX_LABELS, MAX_LABELS_BYTES = 500, 262_144

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.:-]+\Z")]
Amount = Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)]
ZonedTime = Annotated[datetime, msgspec.Meta(tz=True)]
Outcome = Literal["approve", "review", "decline"]


class Transaction(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A card wants to pay. Amount in minor units of the currency, time with zone."""

    version: Literal[1]
    transaction_id: Id
    card_id: Id
    terminal_id: Id
    merchant_id: Id | None = None
    amount: Amount
    currency: str
    time: ZonedTime
    correlation_id: Id | None = None
    channel: Literal["stream", "api"] = "stream"


class Label(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A past transaction was fraud, or was not; `time` is when that became known."""

    version: Literal[1]
    transaction_id: Id
    fraud: bool
    time: ZonedTime
    source: Literal["chargeback", "analyst", "customer"]


class Labels(msgspec.Struct, frozen=True):
    """The body of POST /labels."""

    labels: Annotated[list[Label], msgspec.Meta(min_length=1, max_length=MAX_LABELS)]


class TransactionScored(msgspec.Struct, frozen=True, kw_only=True):
    """A decision was made, once for each transaction_id; it may be delivered more than once."""

    version: Literal[1] = 1
    transaction_id: str
    card_id: str
    terminal_id: str
    merchant_id: str | None
    amount: int
    currency: str
    time: str
    outcome: Outcome
    score: float
    rules: list[str]
    reasons: list[str]
    model_version: str
    decided_at: str
    latency_ms: int
    correlation_id: str


class CardBlocked(msgspec.Struct, frozen=True, kw_only=True):
    """All further transactions of the card are declined."""

    version: Literal[1] = 1
    card_id: str
    reason: str
    correlation_id: str


class ModelPromoted(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a model decides from now on. report: URI of the comparison with the one before; may be empty."""

    version: Literal[1] = 1
    pipeline: str
    model_version: str
    previous_version: str
    package_arn: str
    report: str
    time: str


class ModelRolledBack(msgspec.Struct, frozen=True, kw_only=True):
    """A version decides no more, or never did alone. weight: its share of the calls when it was taken back."""

    version: Literal[1] = 1
    pipeline: str
    model_version: str
    back_to: str
    package_arn: str
    weight: float
    reason: str
    time: str


PublishedEvent = TransactionScored | CardBlocked | ModelPromoted | ModelRolledBack

T = TypeVar("T")
_TRANSACTION = msgspec.json.Decoder(Transaction)
_LABELS = msgspec.json.Decoder(Labels)


def decode_transaction(data: bytes, now: float, max_age_s: float) -> Transaction:
    """A checked transaction. `now` in unix seconds. Raises Rejected."""
    transaction = _decoded(_TRANSACTION, data, MAX_RECORD_BYTES)
    if transaction.currency not in EXPONENTS:
        raise Rejected(f"{transaction.currency!r:.20} is not an ISO 4217 currency", "currency", "unknown_currency")
    ahead = transaction.time.timestamp() - now
    if ahead > MAX_AHEAD_S:
        raise Rejected(f"lies {ahead:.0f} s in the future, at most {MAX_AHEAD_S} are allowed", "time", "time_in_future")
    if -ahead > min(max_age_s, now):  # nothing before 1970 either
        raise Rejected(f"is older than {max_age_s / 86400:g} days", "time", "time_too_old")
    return transaction


def decode_labels(data: bytes, now: float) -> list[Label]:
    """The checked labels of one request. `now` in unix seconds. Raises Rejected."""
    labels = _decoded(_LABELS, data, MAX_LABELS_BYTES).labels
    for number, label in enumerate(labels):
        if label.time.timestamp() - now > MAX_AHEAD_S:
            raise Rejected("lies in the future", f"labels[{number}].time", "time_in_future")
    return labels


def decode_body(data: bytes, cls: type[T]) -> T:
    """Any other JSON body. Raises Rejected."""
    return _decoded(msgspec.json.Decoder(cls), data, MAX_RECORD_BYTES)


def checked_id(text: str, field: str) -> str:
    """An id from a path. Raises Rejected."""
    try:
        return msgspec.convert(text, Id)
    except msgspec.ValidationError:
        raise Rejected("must be 1 to 64 letters, digits and _ . : -", field, "invalid_value") from None


def milliseconds(time: datetime) -> int:
    """Unix milliseconds of a time with zone."""
    return round(time.timestamp() * 1000)


def _decoded(decoder: msgspec.json.Decoder[T], data: bytes, limit: int) -> T:
    if len(data) > limit:
        raise Rejected(f"{len(data)} bytes, at most {limit} are allowed", code="oversized")
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as error:
        raise _explained(str(error), data) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Rejected(f"not JSON: {error}", code="malformed_json") from None
    except RecursionError:
        raise Rejected("nested too deeply", code="malformed_json") from None


_PLACE = re.compile(r" - at `\$\.?([^`]*)`$")
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


def _explained(message: str, data: bytes) -> Rejected:
    """msgspec's message -> our codes. Runs for rejected records only, so it may look at the data again."""
    version = _version(data)
    if version is not None and version != 1:
        return Rejected(f"unknown version {version!r:.20}, this suite reads 1", "version", "unknown_version")
    place = _PLACE.search(message)
    field = place.group(1) if place else None
    words = _PLACE.sub("", message)
    if missing := _MISSING.search(message):
        return Rejected("is missing", f"{field}.{missing.group(1)}" if field else missing.group(1), "missing_field")
    for part, code, ours in _CODES:
        if part in words:
            return Rejected(ours or words.replace("`", ""), field or None, code)
    return Rejected(words.replace("`", ""), field or None, "wrong_type")


def _version(data: bytes) -> Any:
    try:
        return msgspec.json.decode(data, type=dict[str, Any]).get("version")
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors; so is that of bad UTF-8
        return None
