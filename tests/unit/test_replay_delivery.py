"""Replay where Firehose is the door: refused posts and those that its function failed on are put to it again, once."""

import base64
import json
from typing import Any

import pytest

from local.platform import pipelines
from local.platform.client import Connection
from local.replay import delivery
from local.replay.stream import NotAcceptedError
from tests.unit.replaying import BUCKET, mocked, run

__all__ = ["mocked"]  # the fixture `aws`

LAKE = "lake"
SCORED = "sentiment/lake-errors/scored/processing-failed/d-1"


class Firehose:
    """Takes records; the first `refuse` of them only at the second attempt."""

    def __init__(self, refuse: int = 0) -> None:
        self.refuse, self.calls, self.taken = refuse, list[int](), list[tuple[str, bytes]]()

    def put_record_batch(self, *, DeliveryStreamName: str, Records: list[Any]) -> dict[str, Any]:
        self.calls.append(len(Records))
        refused = min(self.refuse, len(Records))
        self.refuse -= refused
        self.taken += [(DeliveryStreamName, record["Data"]) for record in Records[refused:]]
        return {"RequestResponses": [{"ErrorCode": "Slow"}] * refused + [{}] * (len(Records) - refused)}


@pytest.fixture
def firehose(aws: Connection, monkeypatch: pytest.MonkeyPatch) -> Firehose:
    """The account has a delivery stream for posts, and a lake."""
    found = Firehose()
    aws.client("s3").create_bucket(Bucket=LAKE)
    queue = aws.client("sqs").get_queue_url(QueueName="failures")["QueueUrl"]
    outputs = {"PostsDelivery": "posts", "RawDelivery": "raw", "LabelsDelivery": "labels", "LakeBucket": LAKE,
               "RejectedBucket": BUCKET, "FailuresQueueUrl": queue}  # fmt: skip
    client = Connection.client
    monkeypatch.setattr(Connection, "outputs", lambda self, stack="": outputs)
    monkeypatch.setattr(
        Connection, "client", lambda self, name, **more: found if name == "firehose" else client(self, name, **more)
    )
    monkeypatch.setitem(pipelines.STACKS, "sentiment", "CuatroSentiment")
    monkeypatch.setattr(delivery, "FIRST_WAIT_S", 0)
    return found


def fail(aws: Connection, key: str, *records: bytes) -> None:
    lines = [
        {"attemptsMade": 4, "errorCode": "Lambda.FunctionError", "errorMessage": "an error result",
         "rawData": base64.b64encode(record).decode()}
        for record in records
    ]  # fmt: skip
    body = "".join(json.dumps(line) + "\n" for line in lines)
    aws.client("s3").put_object(Bucket=LAKE, Key=key, Body=body.encode())


def keys(aws: Connection) -> list[str]:
    return [entry["Key"] for entry in aws.client("s3").list_objects_v2(Bucket=LAKE).get("Contents", [])]


def test_what_the_function_failed_on_is_put_to_its_stream_again_and_moves(aws: Connection, firehose: Firehose) -> None:
    fail(aws, SCORED, b'{"id": "1"}', b"no json")
    fail(aws, "sentiment/lake-errors/raw/processing-failed/d-2", b'{"id": "3"}')
    other = "sentiment/lake-errors/scored/format-conversion-failed/d-3"
    fail(aws, other, b"4")
    code, output = run("sentiment")
    assert code == 0
    assert "3 records that Firehose could not have processed sent again" in output
    posts = [("posts", b"no json"), ("posts", b'{"id": "1", "replayed": true}')]
    assert sorted(firehose.taken) == [*posts, ("raw", b'{"id": "3"}')]
    moved = [
        f"sentiment/lake-errors/replayed/{name}/processing-failed/d-{n}" for name, n in (("raw", 2), ("scored", 1))
    ]
    assert keys(aws) == sorted([*moved, other])
    run("sentiment")
    assert len(firehose.taken) == 3


def test_a_dry_run_tells_and_changes_nothing(aws: Connection, firehose: Firehose) -> None:
    fail(aws, SCORED, b"1", b"2")
    code, output = run("sentiment", "--dry-run")
    assert (code, firehose.taken, keys(aws)) == (0, [], [SCORED])
    assert "2 records for scored/: Lambda.FunctionError: an error result" in output
    assert "2 records wait in the lake" in output


def test_refused_posts_go_through_the_same_door(aws: Connection, firehose: Firehose) -> None:
    row = {"reason": "too old", "field": "time", "code": "too_old", "received_at": "2026-11-23T10:00:00Z",
           "sequence_number": "1", "partition_key": "", "shard": "r",
           "data": base64.b64encode(b'{"id":1}').decode()}  # fmt: skip
    key = "sentiment/2026/11/23/r-1.jsonl"
    aws.client("s3").put_object(Bucket=BUCKET, Key=key, Body=json.dumps(row).encode())
    assert run("sentiment")[0] == 0
    assert firehose.taken == [("posts", b'{"id":1}')]
    found = aws.client("s3").list_objects_v2(Bucket=BUCKET)["Contents"]
    assert [entry["Key"] for entry in found] == [f"replayed/{key}"]


def test_throttled_records_are_put_again_and_calls_are_bounded() -> None:
    slow = Firehose(refuse=3)
    assert delivery.put(slow, "posts", (str(number).encode() for number in range(1100))) == 1100
    assert slow.calls == [500, 3, 500, 100]
    assert len({data for _, data in slow.taken}) == 1100
    large = Firehose()
    delivery.put(large, "posts", [b"x" * 900_000] * 7)
    assert large.calls == [3, 3, 1]


def test_what_is_refused_for_good_stays(aws: Connection, firehose: Firehose) -> None:
    fail(aws, SCORED, b"1")
    firehose.refuse = 1000
    assert run("sentiment")[0] == 1
    assert keys(aws) == [SCORED]
    with pytest.raises(NotAcceptedError, match="Slow"):
        delivery.put(firehose, "posts", [b"1"])
