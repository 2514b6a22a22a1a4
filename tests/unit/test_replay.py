"""Replay: refused records and failed batches go to their stream again, once; nothing is lost on the way."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import boto3
import pytest
import typer
from moto import mock_aws
from typer.testing import CliRunner

from local.cli import replay as command
from local.platform.client import Connection
from local.platform.errors import PlatformError
from local.replay import failures, rejected
from local.replay.stream import NotAcceptedError, put

STREAM, BUCKET = "transactions", "rejected"
FIRST, SECOND = "fraud/2026/11/22/shardId-0-100.jsonl", "fraud/2026/11/23/shardId-0-200.jsonl"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        session = boto3.Session(region_name="us-east-1")
        session.client("s3").create_bucket(Bucket=BUCKET)
        session.client("kinesis").create_stream(StreamName=STREAM, ShardCount=1)
        queue = session.client("sqs").create_queue(QueueName="failures")["QueueUrl"]
        connection = Connection("aws", None, session, "us-east-1")
        outputs = {"StreamName": STREAM, "RejectedBucket": BUCKET, "FailuresQueueUrl": queue}
        monkeypatch.setattr(Connection, "outputs", lambda self, stack="CuatroFraud": outputs)
        monkeypatch.setattr(command, "connect", lambda target=None: connection)
        yield connection


def refused(number: str, data: bytes, code: str = "unknown_currency", field: str | None = "currency") -> dict[str, Any]:
    return {
        "reason": f"currency: 'EURO' is no currency ({number})",
        "field": field,
        "code": code,
        "received_at": "2026-11-23T10:00:00Z",
        "sequence_number": number,
        "partition_key": "c-1",
        "shard": "shardId-0",
        "data": base64.b64encode(data).decode(),
    }


def keep(aws: Connection, key: str, *rows: dict[str, Any]) -> None:
    body = "".join(json.dumps(row) + "\n" for row in rows)
    aws.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body.encode())


def stored(aws: Connection) -> dict[str, list[str]]:
    """Object -> sequence numbers of its lines."""
    s3 = aws.client("s3")
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]
    texts = {key: s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode() for key in keys}
    return {key: [json.loads(line)["sequence_number"] for line in text.splitlines()] for key, text in texts.items()}


def streamed(aws: Connection) -> list[dict[str, Any]]:
    kinesis = aws.client("kinesis")
    shard = kinesis.list_shards(StreamName=STREAM)["Shards"][0]["ShardId"]
    iterator = kinesis.get_shard_iterator(StreamName=STREAM, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    records: list[dict[str, Any]] = kinesis.get_records(ShardIterator=iterator["ShardIterator"])["Records"]
    return records


def run(*arguments: str) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(command.replay)
    result = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "160", "NO_COLOR": "1"})
    return result.exit_code, result.output


def test_all_waiting_records_are_sent_as_they_came_and_move(aws: Connection) -> None:
    keep(aws, FIRST, refused("100", b'{"a":1}'), refused("101", b"\xff\xfe"))
    keep(aws, SECOND, refused("200", b"no json"))
    code, output = run()
    assert code == 0
    assert "3 records sent again" in output
    assert [record["Data"] for record in streamed(aws)] == [b'{"a":1}', b"\xff\xfe", b"no json"]
    assert {record["PartitionKey"] for record in streamed(aws)} == {"c-1"}
    assert stored(aws) == {f"replayed/{FIRST}": ["100", "101"], f"replayed/{SECOND}": ["200"]}


def test_a_second_run_sends_nothing(aws: Connection) -> None:
    keep(aws, FIRST, refused("100", b"{}"))
    run()
    code, output = run()
    assert (code, len(streamed(aws))) == (0, 1)
    assert "No rejected records wait." in output


def test_dry_run_lists_what_waits_and_changes_nothing(aws: Connection) -> None:
    keep(aws, FIRST, refused("100", b"{}"), refused("101", b"{}"), refused("102", b"x", "malformed", None))
    before = stored(aws)
    code, output = run("--dry-run")
    assert code == 0
    assert "unknown_currency" in output
    assert "malformed" in output
    assert (stored(aws), streamed(aws)) == (before, [])


def test_only_one_reason_and_only_so_many(aws: Connection) -> None:
    keep(aws, FIRST, refused("100", b"1"), refused("101", b"2", "malformed", None), refused("102", b"3"))
    run("--reason", "unknown_currency", "--limit", "1")
    assert stored(aws) == {FIRST: ["101", "102"], f"replayed/{FIRST}": ["100"]}
    run("--reason", "unknown_currency")
    assert stored(aws) == {FIRST: ["101"], f"replayed/{FIRST}": ["100", "102"]}
    assert [record["Data"] for record in streamed(aws)] == [b"1", b"3"]


def test_edited_records_are_sent_and_the_dropped_ones_stay(aws: Connection, tmp_path: Path) -> None:
    bad = b'{"card_id":"c-7","currency":"EURO"}'
    keep(aws, FIRST, refused("100", bad), refused("101", b"given up"), refused("102", b"\xff"))
    file = tmp_path / "rejected.jsonl"
    assert run("--out", str(file))[0] == 0
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert rows[0]["record"] == {"card_id": "c-7", "currency": "EURO"}
    assert rows[0]["reason"].startswith("currency:")
    assert base64.b64decode(rows[2]["data"]) == b"\xff"
    rows[0]["record"]["currency"] = "EUR"
    file.write_text(json.dumps(rows[0]) + "\n\n" + json.dumps(rows[2]) + "\n")

    code, output = run("--from", str(file))
    assert (code, "2 records sent again" in output) == (0, True)
    first, second = streamed(aws)
    assert json.loads(first["Data"]) == {"card_id": "c-7", "currency": "EUR"}
    assert (first["PartitionKey"], second["Data"]) == ("c-7", b"\xff")
    assert stored(aws) == {FIRST: ["101"], f"replayed/{FIRST}": ["100", "102"]}

    code, output = run("--from", str(file))
    assert (code, len(streamed(aws))) == (0, 2)
    assert "2 of the file's records wait no longer" in output


def test_what_nobody_edits_goes_back_byte_by_byte(aws: Connection, tmp_path: Path) -> None:
    odd = [b"[" * 20_000, b'"text"', b"null", b"plain", b"\xff", b'{"a":' * 9, "é".encode()]
    keep(aws, FIRST, *(refused(str(100 + n), data) for n, data in enumerate(odd)))
    file = tmp_path / "rejected.jsonl"
    assert run("--out", str(file))[0] == 0
    assert run("--from", str(file))[0] == 0
    assert [record["Data"] for record in streamed(aws)] == odd


@pytest.mark.parametrize(
    ("line", "told"),
    [("{", "line 1: is not what --out wrote"), ('{"object": "a"}', "has no 'sequence_number'"), ("[]", "line 1")],
)
def test_a_spoilt_file_is_refused_before_anything_is_sent(
    aws: Connection, tmp_path: Path, line: str, told: str
) -> None:
    file = tmp_path / "spoilt.jsonl"
    file.write_text(line)
    code, output = run("--from", str(file))
    assert code == 1
    assert told in output.replace("\n", "")


def test_wrong_use_is_told(aws: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "f"
    file.touch()
    assert "no replay" in run("imaging")[1]
    assert run("--out", str(file), "--from", str(file))[0] == 2

    def nowhere(target: object = None) -> Connection:
        raise PlatformError("No local platform runs.", "Run `cuatro up`.")

    monkeypatch.setattr(command, "connect", nowhere)
    code, output = run()
    assert (code, "Run `cuatro up`." in output) == (1, True)


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


def test_a_run_cut_off_while_moving_loses_nothing(aws: Connection) -> None:
    keep(aws, FIRST, refused("100", b"1"), refused("101", b"2"))
    s3 = aws.client("s3")
    (first, *_) = rejected.rejections(s3, BUCKET, "fraud")
    rejected.settle(s3, BUCKET, [first])
    keep(aws, FIRST, refused("100", b"1"), refused("101", b"2"))  # as if the object had not been rewritten yet
    rejected.settle(s3, BUCKET, list(rejected.rejections(s3, BUCKET, "fraud")))
    assert stored(aws) == {f"replayed/{FIRST}": ["100", "101"]}
