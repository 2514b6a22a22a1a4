"""Batches that a function failed for good (SQS) -> read again where they still are -> delivered again.

Lambda's message tells where the records lie, not what they are:
  Kinesis batch          records are read from the stream by their sequence numbers and put on it again
  DynamoDB stream batch  changes are read from the table's stream and the function is invoked with them
  asynchronous event     the message carries the event: the function is invoked with it
A message leaves the queue only when all its records were delivered. Records that the stream no longer keeps (its
retention; 24 hours for DynamoDB) cannot be delivered: their message stays, and the answer says so.
"""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from local.replay.stream import put

HOLD_S = 120


class ExpiredError(LookupError):
    """Records are no longer in their stream."""


class FailedAgainError(RuntimeError):
    """The function failed once more; the message says how."""


@dataclass(frozen=True)
class Failure:
    """One message of the failures queue. source: kinesis, dynamodb or event."""

    receipt: str
    source: str
    function: str
    condition: str
    batch: dict[str, Any]

    @property
    def size(self) -> int:
        """Number of records."""
        return int(self.batch.get("batchSize", 1))


def waiting(sqs: Any, queue_url: str) -> int:
    """About how many failures wait. Asking costs them nothing; a queue sets aside what was received too often."""
    count = "ApproximateNumberOfMessages"
    return int(sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=[count])["Attributes"][count])


def received(sqs: Any, queue_url: str, limit: int = 0) -> Iterator[Failure]:
    """Waiting failures, each held for two minutes; limit 0 = all."""
    count = 0
    while not limit or count < limit:
        most = min(10, limit - count) if limit else 10
        answer = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=most, VisibilityTimeout=HOLD_S)
        messages = answer.get("Messages", [])
        if not messages:
            return
        count += len(messages)
        yield from map(_failure, messages)


def release(sqs: Any, queue_url: str, receipt: str) -> None:
    """Make a held message visible again at once."""
    sqs.change_message_visibility(QueueUrl=queue_url, ReceiptHandle=receipt, VisibilityTimeout=0)


def deliver(client: Callable[[str], Any], failure: Failure) -> int:
    """Deliver a failure's records again; returns how many. Raises ExpiredError or FailedAgainError.

    client: service name -> boto3 client.
    """
    if failure.source == "kinesis":
        return _put_again(client("kinesis"), failure.batch)
    if failure.source == "dynamodb":
        records = _changes(client("dynamodbstreams"), failure.batch)
        _invoke(client("lambda"), failure.function, {"Records": records})
        return len(records)
    _invoke(client("lambda"), failure.function, failure.batch["event"])
    return 1


def _failure(message: dict[str, Any]) -> Failure:
    body = json.loads(message["Body"])
    context = body["requestContext"]
    source, batch = "event", {"event": body.get("requestPayload")}
    if "KinesisBatchInfo" in body:
        source, batch = "kinesis", body["KinesisBatchInfo"]
    elif "DDBStreamBatchInfo" in body:
        source, batch = "dynamodb", body["DDBStreamBatchInfo"]
    return Failure(message["ReceiptHandle"], source, context["functionArn"], context["condition"], batch)


def _put_again(kinesis: Any, batch: dict[str, Any]) -> int:
    stream = batch["streamArn"].rpartition("/")[2]
    iterator = kinesis.get_shard_iterator(
        StreamName=stream,
        ShardId=batch["shardId"],
        ShardIteratorType="AT_SEQUENCE_NUMBER",
        StartingSequenceNumber=batch["startSequenceNumber"],
    )["ShardIterator"]
    records = _between(kinesis.get_records, iterator, batch, lambda record: record["SequenceNumber"])
    return put(kinesis, stream, [(record["PartitionKey"], record["Data"]) for record in records])


def _changes(streams: Any, batch: dict[str, Any]) -> list[dict[str, Any]]:
    """The batch's changes in the shape in which Lambda hands them to a function."""
    table_arn = batch["streamArn"].partition("/stream/")[0]
    iterator = streams.get_shard_iterator(
        StreamArn=batch["streamArn"],
        ShardId=_shard(streams, batch),
        ShardIteratorType="AT_SEQUENCE_NUMBER",
        SequenceNumber=batch["startSequenceNumber"],
    )["ShardIterator"]
    records = _between(streams.get_records, iterator, batch, lambda record: record["dynamodb"]["SequenceNumber"])
    return [{**_jsonable(record), "eventSourceARN": batch["streamArn"], "tableArn": table_arn} for record in records]


def _shard(streams: Any, batch: dict[str, Any]) -> str:
    """The shard's id; a stream of one shard (the local platform's) is taken by whatever name it has."""
    shards = streams.describe_stream(StreamArn=batch["streamArn"])["StreamDescription"]["Shards"]
    names = [shard["ShardId"] for shard in shards]
    return str(names[0] if len(names) == 1 else batch["shardId"])


def _between(
    get_records: Callable[..., dict[str, Any]], iterator: str, batch: dict[str, Any], number: Callable[[Any], str]
) -> list[dict[str, Any]]:
    """Records of the batch, its first and its last included; raises ExpiredError if one is missing."""
    found: list[dict[str, Any]] = []
    last = int(batch["endSequenceNumber"])
    token: str | None = iterator
    while token:
        answer = get_records(ShardIterator=token)
        found += [record for record in answer["Records"] if int(number(record)) <= last]
        behind = any(int(number(record)) >= last for record in answer["Records"])
        token = answer.get("NextShardIterator") if not behind and answer["Records"] else None
    if not found or number(found[0]) != batch["startSequenceNumber"]:
        raise ExpiredError(f"{batch['streamArn']} no longer keeps the records from {batch['startSequenceNumber']}")
    return found


def _jsonable(value: Any) -> Any:
    """boto3's values as Lambda writes them into an event: bytes in base64, times in Unix seconds."""
    if isinstance(value, dict):
        return {key: _jsonable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_jsonable(item) for item in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime):
        return value.timestamp()
    return value


def _invoke(client: Any, function: str, event: Any) -> None:
    answer = client.invoke(FunctionName=function, Payload=json.dumps(event).encode())
    payload = answer["Payload"].read()
    if answer.get("FunctionError"):
        raise FailedAgainError(payload.decode(errors="replace")[:500])
    result = json.loads(payload) if payload else None
    left = result.get("batchItemFailures") if isinstance(result, dict) else None
    if left:
        raise FailedAgainError(f"{len(left)} records failed again")
