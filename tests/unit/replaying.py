"""What the tests of replay share: a mocked account with a stream, a bucket and a queue, and the command to run."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
import typer
from moto import mock_aws
from typer.testing import CliRunner

from local.cli import replay as command
from local.platform.client import Connection

STREAM, BUCKET = "transactions", "rejected"


@pytest.fixture(name="aws")
def mocked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    """The account; `connect` leads to it."""
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
