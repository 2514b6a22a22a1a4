"""Lines of the lake: what is written is what is read, and a bad line is refused with a reason."""

import json
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from cuatro.errors import Rejected
from functions.fraud.features import FEATURE_SET, FEATURES
from functions.fraud.lake import (
    DecisionRecorded,
    LabelRecorded,
    ShadowRecorded,
    decode_decision,
    decode_label,
    encode,
)

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


def decision(**changes: Any) -> DecisionRecorded:
    return DecisionRecorded(
        **{
            "transaction_id": "t-1", "card_id": "c-1", "terminal_id": "s-1", "merchant_id": None, "amount": 1250,
            "currency": "EUR", "time": NOW, "channel": "stream", "outcome": "review", "score": 0.5,
            "rules": ("score_review",), "model_version": "tiny-1", "shadow": ShadowRecorded("tiny-2", 0.9, "decline"),
            "features": np.arange(len(FEATURES), dtype="<f4").tobytes(), "feature_set": FEATURE_SET,
            "decided_at": NOW, "latency_ms": 3, "correlation_id": "t-1", **changes,
        }
    )  # fmt: skip


def test_a_decision_is_read_as_it_was_written() -> None:
    line = encode(decision())
    assert b"\n" not in line
    assert decode_decision(line) == decision()
    written = json.loads(line)
    assert (written["version"], written["time"], written["shadow"]["version"]) == (1, "2026-11-23T10:00:00Z", "tiny-2")


def test_a_label_is_read_as_it_was_written() -> None:
    label = LabelRecorded(transaction_id="t-1", fraud=True, transaction_time=NOW, time=NOW, source="chargeback")
    assert decode_label(encode(label)) == label


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "truncated"),
        (b"\xff\xfe", "not a line of the lake"),
        (encode(decision()).replace(b'"version":1', b'"version":2'), "version"),
        (encode(decision()).replace(b'"amount":1250', b'"amount":"much"'), "amount"),
        (encode(decision(outcome="shrug")), "outcome"),
    ],
)
def test_a_bad_line_is_refused_with_its_reason(line: bytes, reason: str) -> None:
    with pytest.raises(Rejected, match=reason):
        decode_decision(line)
