"""Event source mappings of streams on the local platform: shard -> function, with Lambda's promises about failures.

MiniStack starts functions from streams but passes over failed items of a batch and keeps no retry limit, so a failed
record would be lost here that AWS would deliver again. `install` puts these pollers in the place of MiniStack's: one
worker for each mapping and shard, so that shards and functions run side by side; what happens to a batch is in
local/delivery.py. Checkpoints stay in MiniStack's own stores and are saved with its state.
"""

# ruff: noqa: SLF001 - the pollers have no public hook: these names are the touch points that tests/emulator pins
import base64
import functools
import json
import logging
import threading
import time
import uuid
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ministack.core.concurrency import esm_wake, spawn_background
from ministack.services import dynamodb, kinesis, lambda_svc, sns, sqs

from local.delivery import Port, Record, Rules, deliver, failure_record, first_failure, iso

log = logging.getLogger(__name__)

FIRST_WAIT_S = 0.1
LONGEST_WAIT_S = 2.0


class MappingStoppedError(Exception):
    """The mapping, its stream or its function went away while a batch was in delivery."""


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


_running: set[tuple[str, str]] = set()
_lock = threading.Lock()


def install() -> None:
    """Replace MiniStack's stream pollers; call once in the serving process, before the first mapping exists."""
    lambda_svc._poll_kinesis = functools.partial(_poll, "kinesis", _kinesis_shards)
    lambda_svc._poll_dynamodb_streams = functools.partial(_poll, "dynamodb", _table_shards)


def _poll(service: str, shards_of: Callable[[dict[str, Any]], Iterator[Shard]]) -> bool:
    """Start a worker for each shard that has something to read and no worker; True if any was started."""
    started = False
    for account, region, mapping in lambda_svc._iter_all_esms():
        if f":{service}:" not in mapping.get("EventSourceArn", "") or not _enabled(mapping):
            continue
        tokens = lambda_svc._request_account_id.set(account), lambda_svc._request_region.set(region)
        try:
            for shard in shards_of(mapping):
                started |= _start(shard)
        finally:
            lambda_svc._request_account_id.reset(tokens[0])
            lambda_svc._request_region.reset(tokens[1])
    return started


def _start(shard: Shard) -> bool:
    key = (shard.mapping["UUID"], shard.name)
    with _lock:
        if key in _running or not shard.read():
            return False
        _running.add(key)
    spawn_background(_drain, shard, key, thread_name=f"stream-{shard.name}")
    return True


def _drain(shard: Shard, key: tuple[str, str]) -> None:
    try:
        while batch := shard.read():
            records = lambda_svc._apply_filter_criteria(list(batch), shard.mapping)
            if records:
                deliver(records, Rules.of(shard.mapping), _port(shard))
            shard.checkpoint(batch[-1])
    except MappingStoppedError:
        log.info("mapping of %s stopped", shard.mapping["FunctionName"])
    finally:
        with _lock:
            _running.discard(key)
        esm_wake.set()


def _port(shard: Shard) -> Port:
    return Port(
        invoke=functools.partial(_invoke, shard),
        checkpoint=shard.checkpoint,
        discard=functools.partial(_discard, shard),
        age_s=lambda record: time.time() - shard.arrived(record),
        wait=lambda attempt: time.sleep(min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** min(attempt - 1, 10))),
    )


def _enabled(mapping: dict[str, Any]) -> bool:
    return str(mapping.get("Enabled", True)).lower() != "false" and mapping.get("State") != "Deleting"


def _invoke(shard: Shard, records: Sequence[Record]) -> int | None:
    """Number of leading records that the function processed; None when it could not be started."""
    mapping = shard.mapping
    known = mapping["UUID"] in lambda_svc._esms
    function, _ = lambda_svc._get_func_record_for_qualifier(mapping["FunctionName"], mapping.get("Qualifier"))
    if not known or function is None or not _enabled(mapping):
        raise MappingStoppedError
    result = lambda_svc._execute_function(function, {"Records": list(records)})
    if result.get("throttle"):
        return None
    if result.get("error"):
        log.warning("%s failed on %d records: %s", mapping["FunctionName"], len(records), result.get("body"))
        mapping["LastProcessingResult"] = "PROBLEM: Function call failed"
        return 0
    done = len(records)
    if Rules.of(mapping).partial:
        body = result.get("body")
        done = first_failure(records, json.loads(body) if isinstance(body, str) and body else body, shard.sequence_of)
    if done < len(records):
        log.warning("%s left %d of %d records unprocessed", mapping["FunctionName"], len(records) - done, len(records))
    mapping["LastProcessingResult"] = "OK"
    return done


def _discard(shard: Shard, records: Sequence[Record], condition: str, invocations: int) -> None:
    """Send Lambda's on-failure record (positions in the stream, no data) to the mapping's SQS queue or SNS topic."""
    mapping = shard.mapping
    log.error("%s: %d records discarded (%s)", mapping["FunctionName"], len(records), condition)
    target = ((mapping.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination", "")
    if not target:
        return
    body = json.dumps(
        {
            **failure_record(mapping["FunctionArn"], condition, invocations),
            shard.batch_info: {
                "shardId": shard.name,
                "startSequenceNumber": shard.sequence_of(records[0]),
                "endSequenceNumber": shard.sequence_of(records[-1]),
                "approximateArrivalOfFirstRecord": iso(shard.arrived(records[0])),
                "approximateArrivalOfLastRecord": iso(shard.arrived(records[-1])),
                "batchSize": len(records),
                "streamArn": mapping["EventSourceArn"],
            },
        }
    )
    if ":sns:" in target:
        sns._fanout(target, str(uuid.uuid4()), body, "", "", {})
        return
    queue = sqs._queue_by_arn(target)
    if queue is None:
        raise LookupError(f"failure destination {target} does not exist")
    message = {"id": str(uuid.uuid4()), "body": body}
    sqs._ensure_msg_fields(message)
    queue["messages"].append(message)
    esm_wake.set()


def _kinesis_shards(mapping: dict[str, Any]) -> Iterator[Shard]:
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
            after = checkpoints[shard_id]
            records = shard["records"]
            start = bisect_right(records, after, key=lambda record: record["SequenceNumber"])
            batch = records[start : start + int(mapping.get("BatchSize", 100))]
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


def _table_shards(mapping: dict[str, Any]) -> Iterator[Shard]:
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
