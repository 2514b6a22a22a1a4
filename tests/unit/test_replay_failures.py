"""Replay of batches that failed for good: read again where they still are, delivered again, or left and told."""

import base64
import json
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest

from local.platform.client import Connection
from local.replay import failures
from local.replay.stream import NotAcceptedError, put
from tests.unit.replaying import STREAM, mocked, run, streamed

__all__ = ["mocked"]  # the fixture `aws`


def test_throttled_records_are_put_again_and_refused_ones_raise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.replay.stream.FIRST_WAIT_S", 0)

    class Kinesis:
        def __init__(self, refusals: int) -> None:
            self.refusals = refusals
            self.accepted: list[bytes] = []

        def put_records(self, StreamName: str, Records: list[dict[str, Any]]) -> dict[str, Any]:
            results: list[dict[str, Any]] = []
            for record in Records:
                refuse = record["Data"] == b"hot" and self.refusals > 0
                self.refusals -= refuse
                self.accepted += [] if refuse else [record["Data"]]
                results.append({"ErrorCode": "ProvisionedThroughputExceededException"} if refuse else {})
            return {"Records": results}

    kinesis = Kinesis(refusals=2)
    assert put(kinesis, STREAM, [("a", b"cold"), ("b", b"hot"), ("c", b"cold")]) == 3
    assert sorted(kinesis.accepted) == [b"cold", b"cold", b"hot"]
    with pytest.raises(NotAcceptedError, match="ProvisionedThroughputExceeded"):
        put(Kinesis(refusals=99), STREAM, [("b", b"hot")])


def test_calls_to_the_stream_keep_its_limits(aws: Connection) -> None:
    sizes: list[tuple[int, int]] = []

    class Kinesis:
        def put_records(self, StreamName: str, Records: list[dict[str, Any]]) -> dict[str, Any]:
            sizes.append((len(Records), sum(len(record["Data"]) for record in Records)))
            return {"Records": [{}] * len(Records)}

    assert put(Kinesis(), STREAM, [("k", b"x")] * 1_001 + [("k", b"x" * 1_000_000)] * 7) == 1_008
    assert all(count <= 500 and size <= 5_000_000 for count, size in sizes)


def failed(aws: Connection, info: dict[str, Any], function: str = "score") -> None:
    body = {
        "requestContext": {
            "functionArn": f"arn:aws:lambda:us-east-1:000000000000:function:{function}",
            "condition": "RetryAttemptsExhausted",
        },
        **info,
    }
    aws.client("sqs").send_message(QueueUrl=aws.outputs()["FailuresQueueUrl"], MessageBody=json.dumps(body))


def kinesis_batch(aws: Connection, first: str, last: str, size: int) -> dict[str, Any]:
    kinesis = aws.client("kinesis")
    arn = kinesis.describe_stream_summary(StreamName=STREAM)["StreamDescriptionSummary"]["StreamARN"]
    shard = kinesis.list_shards(StreamName=STREAM)["Shards"][0]["ShardId"]
    info = {"shardId": shard, "startSequenceNumber": first, "endSequenceNumber": last}
    return {"KinesisBatchInfo": {**info, "batchSize": size, "streamArn": arn}}


def waiting(aws: Connection) -> int:
    attributes = aws.client("sqs").get_queue_attributes(
        QueueUrl=aws.outputs()["FailuresQueueUrl"], AttributeNames=["ApproximateNumberOfMessages"]
    )
    return int(attributes["Attributes"]["ApproximateNumberOfMessages"])


def test_a_failed_batch_is_read_from_the_stream_and_put_again(aws: Connection) -> None:
    put(aws.client("kinesis"), STREAM, [(f"c-{n}", f"{n}".encode()) for n in range(6)])
    numbers = [record["SequenceNumber"] for record in streamed(aws)]
    failed(aws, kinesis_batch(aws, numbers[2], numbers[4], 3))
    for _ in range(6):  # looking must not use up the queue's receives
        code, output = run("--dry-run")
    assert "1 failed batches wait" in output
    assert (code, waiting(aws), len(streamed(aws))) == (0, 1, 6)
    code, output = run()
    assert code == 0, output
    assert "3 delivered again" in output
    assert [(record["PartitionKey"], record["Data"]) for record in streamed(aws)[6:]] == [
        ("c-2", b"2"),
        ("c-3", b"3"),
        ("c-4", b"4"),
    ]
    assert waiting(aws) == 0


def test_a_batch_that_the_stream_no_longer_keeps_stays_in_the_queue(aws: Connection) -> None:
    put(aws.client("kinesis"), STREAM, [("c", b"later")])
    number = str(int(streamed(aws)[0]["SequenceNumber"]) - 7)
    failed(aws, kinesis_batch(aws, number, number, 1))
    code, output = run()
    assert (code, waiting(aws), len(streamed(aws))) == (1, 1, 1)
    assert "no longer keeps" in output.replace("\n", " ")


class Lambda:
    """Stands for Lambda's client; keeps the events and answers as told."""

    def __init__(self, answer: bytes = b"null", error: str | None = None) -> None:
        self.answer, self.error = answer, error
        self.events: list[Any] = []

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:
        self.events.append(json.loads(Payload))
        body = BytesIO(self.answer)
        return {"Payload": body} | ({"FunctionError": self.error} if self.error else {})


class Streams:
    """Stands for the DynamoDB streams client: one shard with three changes, in pages of two."""

    arn = "arn:aws:dynamodb:us-east-1:000000000000:table/cards/stream/2026-11-23T10:00:00.000"

    def describe_stream(self, StreamArn: str) -> dict[str, Any]:
        return {"StreamDescription": {"Shards": [{"ShardId": "shardId-1"}]}}

    def get_shard_iterator(self, SequenceNumber: str, **where: str) -> dict[str, str]:
        assert where == {"StreamArn": self.arn, "ShardId": "shardId-1", "ShardIteratorType": "AT_SEQUENCE_NUMBER"}
        return {"ShardIterator": SequenceNumber}

    def get_records(self, ShardIterator: str) -> dict[str, Any]:
        numbers = range(int(ShardIterator), min(int(ShardIterator) + 2, 104))
        return {"Records": [self.change(number) for number in numbers], "NextShardIterator": str(numbers.stop)}

    def change(self, number: int) -> dict[str, Any]:
        return {
            "eventID": "e",
            "eventName": "MODIFY",
            "dynamodb": {
                "ApproximateCreationDateTime": datetime(2026, 11, 23, tzinfo=UTC),
                "NewImage": {"card_id": {"S": f"c-{number}"}, "d": {"B": b"\x00\xff"}},
                "SequenceNumber": str(number),
            },
        }

    def batch(self, first: int, last: int) -> dict[str, Any]:
        info = {"shardId": "shardId-1", "startSequenceNumber": str(first), "endSequenceNumber": str(last)}
        return {"DDBStreamBatchInfo": {**info, "batchSize": last - first + 1, "streamArn": self.arn}}


def client_with(function: Lambda) -> Any:
    return {"lambda": function, "dynamodbstreams": Streams()}.__getitem__


def test_failed_changes_of_a_table_reach_their_function_as_lambda_sends_them(aws: Connection) -> None:
    failed(aws, Streams().batch(101, 103), "act")
    (failure,) = failures.received(aws.client("sqs"), aws.outputs()["FailuresQueueUrl"])
    function = Lambda(b'{"batchItemFailures": []}')
    assert failures.deliver(client_with(function), failure) == 3
    (event,) = function.events
    assert [record["dynamodb"]["NewImage"]["card_id"]["S"] for record in event["Records"]] == [
        "c-101",
        "c-102",
        "c-103",
    ]
    change = event["Records"][0]
    assert base64.b64decode(change["dynamodb"]["NewImage"]["d"]["B"]) == b"\x00\xff"
    assert change["eventSourceARN"] == failure.batch["streamArn"]
    assert isinstance(change["dynamodb"]["ApproximateCreationDateTime"], float)


@pytest.mark.parametrize(
    "function",
    [Lambda(b'{"batchItemFailures": [{"itemIdentifier": "1"}]}'), Lambda(b'{"errorMessage": "no"}', "Unhandled")],
)
def test_a_function_that_fails_again_is_told(aws: Connection, function: Lambda) -> None:
    failed(aws, {"requestPayload": {"detail": 1}})
    (failure,) = failures.received(aws.client("sqs"), aws.outputs()["FailuresQueueUrl"])
    with pytest.raises(failures.FailedAgainError):
        failures.deliver(client_with(function), failure)
    assert function.events == [{"detail": 1}]
