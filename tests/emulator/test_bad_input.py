"""A poisoned batch: the good records are decided, the bad ones wait with their reason until a person corrects them."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local.replay.rejected import Rejection, rejections
from tests.emulator.deployed import Item, name, rfc3339
from tests.emulator.suite import Suite, transaction
from tests.waiting import eventually

# What is wrong -> the fields that make a transaction so, the field that the reason names, its code.
WRONG: dict[str, tuple[Item, str, str]] = {
    "no card": ({"card_id": None}, "card_id", "missing_field"),
    "text for a number": ({"amount": "1250"}, "amount", "wrong_type"),
    "a fraction": ({"amount": 12.5}, "amount", "wrong_type"),
    "negative": ({"amount": -1}, "amount", "out_of_range"),
    "nothing": ({"amount": 0}, "amount", "out_of_range"),
    "absurd": ({"amount": 10**15}, "amount", "out_of_range"),
    "no such currency": ({"currency": "EURO"}, "currency", "unknown_currency"),
    "no exchange rate": ({"currency": "XAF"}, "currency", "no_rate"),
    "no zone": ({"time": "2026-11-23T10:00:00"}, "time", "time_without_zone"),
    "no time": ({"time": "yesterday"}, "time", "invalid_time"),
    "far future": ({"time": rfc3339(datetime.now(UTC) + timedelta(days=400))}, "time", "time_in_future"),
    "far past": ({"time": "1971-01-01T00:00:00Z"}, "time", "time_too_old"),
    "an id with spaces": ({"transaction_id": "a b"}, "transaction_id", "invalid_value"),
    "a long id": ({"card_id": "c" * 65}, "card_id", "invalid_value"),
    "another version": ({"version": 9}, "version", "unknown_version"),
}
GARBAGE: dict[bytes, str] = {
    b"\x00\xff\xfe\x80 binary": "malformed_json",
    b"": "malformed_json",
    b'{"version": 1,': "malformed_json",
    b"[[[" * 5_000: "wrong_type",
    b'"a string"': "wrong_type",
    b"null": "wrong_type",
    b'{"version": 1, "note": "' + b"x" * 100_000 + b'"}': "oversized",
}
FINE: Item = {"amount": 1250, "currency": "EUR", "version": 1}


def rejected(suite: Suite, data: set[bytes]) -> dict[bytes, Rejection]:
    """Of these records, the ones that wait in the rejected bucket."""
    found = rejections(suite.client("s3"), suite.outputs["RejectedBucket"], "fraud")
    return {each.data: each for each in found if each.data in data}


@pytest.fixture(scope="module")
def poisoned(suite: Suite) -> tuple[list[Item], dict[bytes, tuple[str, str]]]:
    """One batch of a hundred good records with every kind of bad one between them, on one shard."""
    good = [transaction(terminal_id="p-shared") for _ in range(100)]
    bad = {json.dumps(transaction(**change)).encode(): (field, code) for change, field, code in WRONG.values()}
    bad |= {data or b" ": ("", code) for data, code in GARBAGE.items()}
    mixed: list[Item | bytes] = list(good)
    for place, data in enumerate(bad):
        mixed.insert(place * 4, data)
    suite.put(*mixed, key="poisoned")
    return good, bad


def test_good_records_of_a_poisoned_batch_are_decided(suite: Suite, poisoned: Any) -> None:
    good, _ = poisoned
    assert len(suite.decided(good)) == 100


def test_bad_records_are_kept_with_field_and_reason(suite: Suite, poisoned: Any) -> None:
    _, bad = poisoned
    eventually(lambda: len(rejected(suite, set(bad))) == len(bad), f"{len(bad)} rejected records")
    found = rejected(suite, set(bad))
    told = {data[:80]: (each.field, each.code) for data, each in found.items()}
    assert told == {data[:80]: expected for data, expected in bad.items()}
    assert all(each.reason and each.partition_key == "poisoned" for each in found.values())


def test_corrected_records_are_decided_once_by_replay(suite: Suite, poisoned: Any, tmp_path: Path) -> None:
    _, bad = poisoned
    eventually(lambda: len(rejected(suite, set(bad))) == len(bad), "the rejected records")
    assert "unknown_currency" in suite.cuatro("replay", "fraud", "--dry-run")
    file = tmp_path / "rejected.jsonl"
    suite.cuatro("replay", "fraud", "--out", str(file))
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    corrected = [row for row in rows if isinstance(row.get("record"), dict) and "terminal_id" in row["record"]]
    for row in corrected:
        record = row["record"]
        ids = {"transaction_id": name("t"), "card_id": name("c")}
        record |= FINE | ids | {"time": rfc3339(datetime.now(UTC))}
    file.write_text("".join(json.dumps(row) + "\n" for row in corrected))
    assert len(corrected) >= len(WRONG)

    told = suite.cuatro("replay", "fraud", "--from", str(file))
    assert f"{len(corrected)} records sent again" in told
    sent = [row["record"] for row in corrected]
    decisions = suite.decided(sent)
    left = set(rejected(suite, set(bad)))
    assert left == {data for data, (field, _) in bad.items() if not field}, "only the garbage still waits"

    assert "wait no longer" in suite.cuatro("replay", "fraud", "--from", str(file))
    again = transaction(card_id=sent[0]["card_id"])
    suite.put(again)
    suite.decided([again])
    assert suite.decided(sent) == decisions

    # As they are, they are refused again, and wait again: nothing is lost by a replay that cures nothing.
    suite.cuatro("replay", "fraud", "--reason", "oversized")
    eventually(lambda: set(rejected(suite, set(bad))) == left, "the garbage, refused once more")


def test_what_was_replayed_is_kept_under_replayed(suite: Suite, poisoned: Any) -> None:
    bucket = suite.outputs["RejectedBucket"]
    listed = suite.client("s3").list_objects_v2(Bucket=bucket, Prefix="replayed/fraud/").get("Contents", [])
    text = b"".join(suite.client("s3").get_object(Bucket=bucket, Key=e["Key"])["Body"].read() for e in listed)
    kept = {base64.b64decode(json.loads(line)["data"]) for line in text.splitlines()}
    _, bad = poisoned
    assert {data for data, (field, _) in bad.items() if field} <= kept
