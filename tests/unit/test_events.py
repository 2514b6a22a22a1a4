"""Transactions and labels: what is taken, and what a refusal says."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuatro.currencies import EXPONENTS, formatted
from cuatro.errors import Rejected
from cuatro.events import (
    MAX_LABELS,
    CardBlocked,
    Transaction,
    checked_id,
    decode_body,
    decode_labels,
    decode_transaction,
    milliseconds,
)

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
DAY = 86400.0
GOOD = {
    "version": 1, "transaction_id": "t-1", "card_id": "c-1", "terminal_id": "s-1", "amount": 1250, "currency": "EUR",
    "time": "2026-11-23T10:00:00.000Z",
}  # fmt: skip


def decoded(body: Any, max_age_s: float = DAY) -> Transaction:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return decode_transaction(data, NOW.timestamp(), max_age_s)


def refusal(body: Any, max_age_s: float = DAY) -> tuple[str | None, str]:
    with pytest.raises(Rejected) as caught:
        decoded(body, max_age_s)
    assert len(caught.value.reason) > 5
    return caught.value.field, caught.value.code


def test_a_good_transaction_is_read() -> None:
    transaction = decoded({**GOOD, "merchant_id": "m-1", "correlation_id": "order:7", "something": "new"})
    assert (transaction.amount, transaction.time, transaction.channel) == (1250, NOW, "stream")
    assert (transaction.merchant_id, transaction.correlation_id) == ("m-1", "order:7")
    assert milliseconds(transaction.time) == 1_795_428_000_000
    assert decoded(msgspec.json.encode(transaction)) == transaction


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"version": 2}, "version", "unknown_version"),
        ({"version": "1"}, "version", "unknown_version"),
        ({"version": 2, "amount": "new in 2"}, "version", "unknown_version"),
        ({"transaction_id": ""}, "transaction_id", "invalid_value"),
        ({"transaction_id": "x" * 65}, "transaction_id", "invalid_value"),
        ({"transaction_id": "a\n"}, "transaction_id", "invalid_value"),
        ({"transaction_id": "ä"}, "transaction_id", "invalid_value"),
        ({"transaction_id": 7}, "transaction_id", "wrong_type"),
        ({"card_id": None}, "card_id", "wrong_type"),
        ({"amount": 0}, "amount", "out_of_range"),
        ({"amount": -1}, "amount", "out_of_range"),
        ({"amount": 1_000_000_001}, "amount", "out_of_range"),
        ({"amount": 10**30}, "amount", "out_of_range"),
        ({"amount": 12.5}, "amount", "wrong_type"),
        ({"amount": True}, "amount", "wrong_type"),
        ({"currency": "eur"}, "currency", "unknown_currency"),
        ({"currency": "XXX"}, "currency", "unknown_currency"),
        ({"time": "2026-11-23T10:00:00"}, "time", "time_without_zone"),
        ({"time": 1_795_428_000}, "time", "wrong_type"),
        ({"time": "2026-02-30T10:00:00Z"}, "time", "invalid_time"),
        ({"time": "2026-11-23T10:05:01Z"}, "time", "time_in_future"),
        ({"time": "2026-11-22T09:59:59Z"}, "time", "time_too_old"),
        ({"time": "0001-01-01T00:00:00+23:00"}, "time", "time_too_old"),
        ({"channel": "phone"}, "channel", "invalid_value"),
    ],
)
def test_a_refusal_names_field_and_reason(change: dict[str, Any], field: str, code: str) -> None:
    assert refusal({**GOOD, **change}) == (field, code)


@pytest.mark.parametrize("field", GOOD)
def test_every_field_is_needed(field: str) -> None:
    assert refusal({key: value for key, value in GOOD.items() if key != field}) == (field, "missing_field")


def test_times_at_the_limits_are_taken() -> None:
    for time in ("2026-11-23T10:05:00Z", "2026-11-22T10:00:00Z", "2026-11-23T11:30:00+01:30"):
        decoded({**GOOD, "time": time})


def test_nothing_before_1970_is_taken_whatever_the_allowed_age() -> None:
    assert refusal({**GOOD, "time": "1969-12-31T23:59:59Z"}, max_age_s=1e12) == ("time", "time_too_old")


@pytest.mark.parametrize(
    "data", [b"", b"{", b"\x00" * 10, b"\xff\xfe", b'{"version":1}x', b'{"x":' + b"[" * 30_000, b"NaN", b'{"a":"\xff"}']
)
def test_what_is_not_json_is_malformed(data: bytes) -> None:
    with pytest.raises(Rejected):
        decoded(data)


def test_an_oversized_record_is_refused_unread() -> None:
    assert refusal(b"[" * 65_537) == (None, "oversized")


@given(st.binary(max_size=300))
def test_garbage_is_always_rejected_and_never_crashes(data: bytes) -> None:
    with pytest.raises(Rejected):
        decoded(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(), st.lists, max_leaves=5
)


@given(st.sampled_from([*GOOD, "merchant_id", "channel", "new"]), JSON)
def test_any_value_in_any_field_is_taken_or_rejected(field: str, value: Any) -> None:
    refused = None
    try:
        decoded({**GOOD, field: value})
    except Rejected as rejected:
        refused = rejected.field
    assert refused in {None, field}


LABEL = {"version": 1, "transaction_id": "t-1", "fraud": True, "time": "2026-11-23T10:00:00Z", "source": "analyst"}


def labels(*bodies: dict[str, Any]) -> Any:
    return decode_labels(json.dumps({"labels": bodies}).encode(), NOW.timestamp())


def test_labels_are_read_and_a_bad_one_is_named() -> None:
    assert [label.fraud for label in labels(LABEL, {**LABEL, "fraud": False})] == [True, False]
    future = (NOW + timedelta(hours=1)).isoformat()
    for change, field in (
        ({"fraud": 1}, "labels[1].fraud"),
        ({"source": "rumour"}, "labels[1].source"),
        ({"time": future}, "labels[1].time"),
    ):
        with pytest.raises(Rejected) as caught:
            labels(LABEL, {**LABEL, **change})
        assert caught.value.field == field


def test_a_missing_field_of_a_label_is_named() -> None:
    with pytest.raises(Rejected) as caught:
        labels(LABEL, {key: value for key, value in LABEL.items() if key != "fraud"})
    assert caught.value.field == "labels[1].fraud"


@pytest.mark.parametrize("number", [0, MAX_LABELS + 1])
def test_the_number_of_labels_is_limited(number: int) -> None:
    with pytest.raises(Rejected) as caught:
        labels(*[LABEL] * number)
    assert caught.value.field == "labels"


def test_ids_in_paths_and_other_bodies_are_checked() -> None:
    assert checked_id("c-1", "card_id") == "c-1"
    with pytest.raises(Rejected):
        checked_id("c 1", "card_id")
    with pytest.raises(Rejected):
        decode_body(b'{"card_id":1,"reason":"x","correlation_id":"y"}', CardBlocked)


def test_currencies_have_their_decimals() -> None:
    assert {code: EXPONENTS[code] for code in ("JPY", "EUR", "KWD", "CLF")} == {"JPY": 0, "EUR": 2, "KWD": 3, "CLF": 4}
    assert all(len(code) == 3 and code.isupper() for code in EXPONENTS)
    assert (formatted(125_000, "EUR"), formatted(1250, "JPY"), formatted(5, "KWD")) == (
        "1,250.00 EUR", "1,250 JPY", "0.005 KWD",
    )  # fmt: skip
