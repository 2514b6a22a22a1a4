"""Decisions of one write <-> one binary attribute of the card's item, so that state and decisions commit together."""

from collections.abc import Sequence

import msgspec

from cuatro.events import Outcome


class Shadow(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What a second model would have decided."""

    version: str
    score: float
    outcome: Outcome


class DecidedTransaction(msgspec.Struct, frozen=True, gc=False, array_like=True, kw_only=True):
    """A decision with all that its effects need. Times in unix milliseconds, features float32 little endian.

    Written as a msgpack array: new fields go to the end, with a default.
    """

    transaction_id: str
    card_id: str
    terminal_id: str
    merchant_id: str | None
    amount: int
    currency: str
    time: int
    channel: str
    correlation_id: str
    outcome: Outcome
    score: float
    rules: tuple[str, ...]
    features: bytes
    model_version: str
    decided_at: int
    latency_ms: int
    shadow: Shadow | None = None


_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE = msgspec.msgpack.Decoder(list[DecidedTransaction]).decode


def encode(decided: Sequence[DecidedTransaction]) -> bytes:
    """The outbox of one card."""
    return _ENCODE(decided)


def decode(outbox: bytes) -> list[DecidedTransaction]:
    """Raises msgspec.DecodeError."""
    return _DECODE(outbox)
