"""What the lake keeps, one JSON object a line: each decision with the features it was made from, and each label.

Delivered at least once: readers keep the first decision of a transaction_id and the latest label. A field may be added,
with a default; a change of meaning needs a new `version`.
"""

from typing import Literal, TypeVar

import msgspec

from cuatro.errors import Rejected
from cuatro.events import Outcome, ZonedTime

T = TypeVar("T")


class ShadowRecorded(msgspec.Struct, frozen=True, gc=False):
    """What a second model would have decided."""

    version: str
    score: float
    outcome: Outcome


class DecisionRecorded(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A decision. amount: minor units. features: float32, little endian, in the order of FEATURES (base64 in JSON).

    feature_set: FEATURE_SET of the code that made the features; rows of another set cannot be compared with these.
    """

    version: Literal[1] = 1
    transaction_id: str
    card_id: str
    terminal_id: str
    merchant_id: str | None
    amount: int
    currency: str
    time: ZonedTime
    channel: str
    outcome: Outcome
    score: float
    rules: tuple[str, ...]
    model_version: str
    shadow: ShadowRecorded | None = None
    features: bytes
    feature_set: str
    decided_at: ZonedTime
    latency_ms: int
    correlation_id: str


class LabelRecorded(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A past transaction was fraud, or was not; `time` is when that became known."""

    version: Literal[1] = 1
    transaction_id: str
    fraud: bool
    transaction_time: ZonedTime
    time: ZonedTime
    source: str


_ENCODE = msgspec.json.Encoder().encode
_DECISION, _LABEL = msgspec.json.Decoder(DecisionRecorded), msgspec.json.Decoder(LabelRecorded)


def encode(recorded: DecisionRecorded | LabelRecorded) -> bytes:
    """One line, without its end."""
    return _ENCODE(recorded)


def decode_decision(line: bytes) -> DecisionRecorded:
    """Raises Rejected."""
    return _decoded(_DECISION, line)


def decode_label(line: bytes) -> LabelRecorded:
    """Raises Rejected."""
    return _decoded(_LABEL, line)


def _decoded(decoder: msgspec.json.Decoder[T], line: bytes) -> T:
    try:
        return decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Rejected(f"not a line of the lake: {error}") from None
