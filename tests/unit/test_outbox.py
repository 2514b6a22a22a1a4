"""Decisions in the outbox: there and back, small, and readable by a later version of the code."""

import msgspec
import pytest

from cuatro.times import text_of, time_of
from functions.fraud.outbox import DecidedTransaction, Shadow, decode, encode

DECISION = DecidedTransaction(
    transaction_id="t-1", card_id="c-1", terminal_id="s-1", merchant_id=None, amount=1250, currency="EUR",
    time=1_795_428_000_123, channel="stream", correlation_id="x-1", outcome="review", score=0.5,
    rules=("score_review",), features=bytes(200), model_version="v1", decided_at=1_795_428_000_456, latency_ms=333,
    shadow=Shadow("v2", 0.25, "approve"),
)  # fmt: skip


def test_decisions_come_back_as_they_were() -> None:
    assert decode(encode([DECISION, DECISION])) == [DECISION, DECISION]
    assert len(encode([DECISION])) < 200 + 130


def test_an_outbox_of_older_code_without_the_last_field_is_read() -> None:
    (fields,) = msgspec.msgpack.decode(encode([DECISION]))
    assert decode(msgspec.msgpack.encode([fields[:-1]]))[0].shadow is None


def test_garbage_is_refused() -> None:
    for garbage in (b"", b"\xc1", b"\x91\x01"):
        with pytest.raises(msgspec.DecodeError):
            decode(garbage)


def test_times_are_rfc_3339_with_milliseconds() -> None:
    assert text_of(DECISION.time) == "2026-11-23T10:00:00.123Z"
    assert time_of(DECISION.time).isoformat() == "2026-11-23T10:00:00.123000+00:00"
