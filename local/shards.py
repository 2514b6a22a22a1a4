"""Streams of the local platform -> their shards: how to read on from a mapping's checkpoint, and how to move it.

Checkpoints lie in MiniStack's own stores, which it saves with its state.
"""

# ruff: noqa: SLF001 - streams and positions have no public way in: the names are touch points, tests/emulator pins them
import base64
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ministack.services import dynamodb, kinesis, lambda_svc

from local.delivery import Record


@dataclass(frozen=True)
class Shard:
    """One shard of one mapping's source: how to read on from the checkpoint and how to move it."""

    mapping: dict[str, Any]
    name: str
    read: Callable[[], Sequence[Record]]
    checkpoint: Callable[[Record], None]
    sequence_of: Callable[[Record], str]
    arrived: Callable[[Record], float]
    batch_info: str


def kinesis_shards(mapping: dict[str, Any]) -> Iterator[Shard]:
    """The stream's shards; a checkpoint is the sequence number of the last record that is finished with."""
    name = mapping["EventSourceArn"].rpartition("/")[2]
    stream = kinesis._streams.get(name)
    if not stream or stream["StreamStatus"] != "ACTIVE":
        return
    if mapping["UUID"] not in lambda_svc._kinesis_positions:
        lambda_svc._kinesis_positions[mapping["UUID"]] = {}
    checkpoints = lambda_svc._kinesis_positions[mapping["UUID"]]
    for shard_id, shard in stream["shards"].items():
        if shard_id not in checkpoints:
            from_now = mapping.get("StartingPosition") == "LATEST" and shard["records"]
            checkpoints[shard_id] = shard["records"][-1]["SequenceNumber"] if from_now else ""

        def read(shard_id: str = shard_id, shard: dict[str, Any] = shard) -> list[Record]:
            batch = unread(shard, checkpoints[shard_id], int(mapping.get("BatchSize", 100)))
            return [_kinesis_record(mapping, shard_id, record) for record in batch]

        def checkpoint(record: Record, shard_id: str = shard_id) -> None:
            checkpoints[shard_id] = record["kinesis"]["sequenceNumber"]

        yield Shard(
            mapping,
            shard_id,
            read,
            checkpoint,
            sequence_of=lambda record: record["kinesis"]["sequenceNumber"],
            arrived=lambda record: record["kinesis"]["approximateArrivalTimestamp"],
            batch_info="KinesisBatchInfo",
        )


def unread(shard: dict[str, Any], after: str, most: int) -> list[Record]:
    """Records of a Kinesis shard after a sequence number, as MiniStack keeps them."""
    records = shard["records"]
    start = bisect_right(records, after, key=lambda record: record["SequenceNumber"])
    found: list[Record] = records[start : start + most]
    return found


def _kinesis_record(mapping: dict[str, Any], shard_id: str, record: dict[str, Any]) -> Record:
    data = record["Data"]
    return {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": record["PartitionKey"],
            "sequenceNumber": record["SequenceNumber"],
            "data": data if isinstance(data, str) else base64.b64encode(data).decode(),
            "approximateArrivalTimestamp": record["ApproximateArrivalTimestamp"],
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"{shard_id}:{record['SequenceNumber']}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": mapping["FunctionArn"],
        "awsRegion": mapping["EventSourceArn"].split(":")[3],
        "eventSourceARN": mapping["EventSourceArn"],
    }


def table_shards(mapping: dict[str, Any]) -> Iterator[Shard]:
    """The table's stream as one shard; a checkpoint is the absolute position after the last finished record."""
    table_name = mapping["EventSourceArn"].split(":table/")[1].split("/")[0]
    table = dynamodb._tables.get(table_name)
    if not table or table.get("LatestStreamArn") != mapping["EventSourceArn"]:
        return
    positions = lambda_svc._dynamodb_stream_positions
    if mapping["UUID"] not in positions:
        lambda_svc._init_stream_position(mapping["UUID"], mapping["EventSourceArn"], mapping["StartingPosition"])
    in_order: dict[str, int] = {}

    def read() -> list[Record]:
        start = max(positions[mapping["UUID"]], dynamodb.stream_start_position(table_name))
        batch = dynamodb.stream_records_since(table_name, start, int(mapping.get("BatchSize", 100)))
        in_order.clear()
        in_order.update({record["dynamodb"]["SequenceNumber"]: start + i for i, record in enumerate(batch)})
        return batch

    def checkpoint(record: Record) -> None:
        with lambda_svc._dynamodb_stream_positions_lock:
            positions[mapping["UUID"]] = in_order[record["dynamodb"]["SequenceNumber"]] + 1

    yield Shard(
        mapping,
        "shardId-00000000000000000000-00000000",
        read,
        checkpoint,
        sequence_of=lambda record: record["dynamodb"]["SequenceNumber"],
        arrived=lambda record: float(record["dynamodb"]["ApproximateCreationDateTime"]),
        batch_info="DDBStreamBatchInfo",
    )
