"""Bad records among good ones: the good are decided, the bad are kept with their reason, to be sent again."""

import base64
import json
from collections import Counter
from collections.abc import Callable

import pytest

from tests.functional.stage import SHARD
from tests.functional.suite import Suite, transaction

BAD = {
    "malformed": (b'{"version":1,', None, "malformed_json"),
    "garbage": (bytes(range(256)), None, "malformed_json"),
    "empty": (b"", None, "malformed_json"),
    "array": (b"[]", None, "wrong_type"),
    "nested": (b'{"x":' + b"[" * 20_000, None, "malformed_json"),
    "oversized": (json.dumps(transaction(1, note="x" * 70_000)).encode(), None, "oversized"),
    "missing": (json.dumps({"version": 1, "transaction_id": "t"}).encode(), "card_id", "missing_field"),
    "type": (transaction(1, amount="12"), "amount", "wrong_type"),
    "negative": (transaction(1, amount=-1), "amount", "out_of_range"),
    "zero": (transaction(1, amount=0), "amount", "out_of_range"),
    "absurd": (transaction(1, amount=10**12), "amount", "out_of_range"),
    "endless": (transaction(1, amount=10**400), "amount", "out_of_range"),
    "currency": (transaction(1, currency="XYZ"), "currency", "unknown_currency"),
    "rate": (transaction(1, currency="CHF"), "currency", "no_rate"),
    "zone": (transaction(1, time="2026-11-01T10:00:00"), "time", "time_without_zone"),
    "date": (transaction(1, time="yesterday"), "time", "invalid_time"),
    "future": (transaction(1, time="2999-01-01T00:00:00Z"), "time", "time_in_future"),
    "past": (transaction(1, time="1960-01-01T00:00:00Z"), "time", "time_too_old"),
    "version": (transaction(1, version=2), "version", "unknown_version"),
    "id": (transaction(1, transaction_id="a\nb"), "transaction_id", "invalid_value"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_record_is_kept_with_its_reason(suite: Suite, kind: str) -> None:
    body, field, code = BAD[kind]
    records = suite.records([body])
    assert suite.deliver(records) == {"batchItemFailures": []}
    (line,) = suite.rejected()
    assert (line["field"], line["code"]) == (field, code)
    assert line["reason"]
    assert line["data"] == records[0]["kinesis"]["data"]
    assert (line["shard"], line["partition_key"]) == (SHARD, "c-1")
    assert line["sequence_number"] == records[0]["kinesis"]["sequenceNumber"]
    assert suite.items("cards") == {}


def test_all_bad_records_of_a_batch_make_one_object_that_a_repeat_overwrites(suite: Suite) -> None:
    records = suite.records(body for body, _, _ in BAD.values())
    suite.deliver(records)
    suite.deliver(records)
    assert suite.wire.calls["PutObject"] == 2
    assert [line["code"] for line in suite.rejected()] == [code for _, _, code in BAD.values()]
    (key,) = [each["Key"] for each in suite.s3.list_objects_v2(Bucket="rejected")["Contents"]]
    day = suite.rejected()[0]["received_at"][:10].replace("-", "/")
    assert key == f"fraud/{day}/{SHARD}-{records[0]['kinesis']['sequenceNumber']}.jsonl"


@pytest.mark.parametrize("place", [0, 50, 100])
def test_a_poison_record_among_100_good_ones(suite: Suite, metrics: Callable[[], Counter[str]], place: int) -> None:
    bodies = [transaction(n, card_id=f"c-{n % 40}", terminal_id=f"s-{n % 30}") for n in range(100)]
    suite.wire.calls.clear()
    assert suite.score(*bodies[:place], b"\x00\xff", *bodies[place:]) == {"batchItemFailures": []}
    assert suite.wire.calls == {"BatchGetItem": 1, "BatchExecuteStatement": 4, "PutObject": 1}
    suite.act()
    assert set(suite.items("decisions")) == {f"t-{n}" for n in range(100)}
    assert base64.b64decode(suite.rejected()[0]["data"]) == b"\x00\xff"
    counted = metrics()
    assert (counted["TransactionsScored"], counted["Rejected"]) == (100, 1)


def test_without_the_store_of_rejections_nothing_is_lost(suite: Suite, metrics: Callable[[], Counter[str]]) -> None:
    records = suite.records([transaction(1), b"bad", transaction(2)])
    suite.wire.refuse("PutObject", "ServiceUnavailable", status=503)
    again = records[1]["kinesis"]["sequenceNumber"]
    assert suite.deliver(records) == {"batchItemFailures": [{"itemIdentifier": again}]}
    suite.act()
    assert set(suite.items("decisions")) == {"t-1", "t-2"}, "good records are decided all the same"

    suite.wire.repair()
    assert suite.deliver(records[1:]) == {"batchItemFailures": []}
    suite.act()
    assert len(suite.rejected()) == 1
    counted = metrics()
    assert (counted["TransactionsScored"], counted["Rejected"], len(suite.events())) == (2, 1, 2)


def test_rejections_after_the_first_failure_are_stored_once(suite: Suite) -> None:
    records = suite.records([b"bad 1", transaction(1), b"bad 2"])
    suite.wire.throttle("c-1", times=4)
    assert suite.deliver(records)["batchItemFailures"][0]["itemIdentifier"] == records[1]["kinesis"]["sequenceNumber"]
    assert [base64.b64decode(line["data"]) for line in suite.rejected()] == [b"bad 1"]
    assert suite.deliver(records[1:]) == {"batchItemFailures": []}
    assert [base64.b64decode(line["data"]) for line in suite.rejected()] == [b"bad 1", b"bad 2"]
