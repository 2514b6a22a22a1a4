"""Event source mappings of streams on the local platform: shard -> function, with Lambda's promises about failures.

MiniStack starts functions from streams but passes over failed items of a batch and keeps no retry limit, so a failed
record would be lost here that AWS would deliver again. `install` puts these pollers in the place of MiniStack's: one
worker for each mapping and shard, so that shards and functions run side by side. What happens to a batch is in
local/delivery.py, where it comes from in local/shards.py.
"""

# ruff: noqa: SLF001 - the pollers have no public hook: these names are the touch points that tests/emulator pins
import functools
import json
import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ministack.core.concurrency import esm_wake, spawn_background
from ministack.services import lambda_svc, sns, sqs

from local.delivery import Port, Record, Rules, deliver, failure_record, first_failure, iso
from local.emulator import invocation, metrics
from local.shards import Shard, kinesis_shards, table_shards

log = logging.getLogger(__name__)

FIRST_WAIT_S = 0.1
LAST_BATCH_S = 5.0
LONGEST_WAIT_S = 2.0


class MappingStoppedError(Exception):
    """The mapping, its stream or its function went away while a batch was in delivery."""


_running: set[tuple[str, str]] = set()
_lock = threading.Lock()
# Set when the platform ends.
_ending = threading.Event()


def install() -> None:
    """Replace MiniStack's stream pollers; call once in the serving process, before the first mapping exists."""
    lambda_svc._poll_kinesis = functools.partial(_poll, "kinesis", kinesis_shards)
    lambda_svc._poll_dynamodb_streams = functools.partial(_poll, "dynamodb", table_shards)
    poll_queues = lambda_svc._poll_sqs
    lambda_svc._poll_sqs = lambda: not _ending.is_set() and poll_queues()


def end() -> None:
    """Starts no further batch, and waits a while for those in delivery; what is not finished is delivered again."""
    _ending.set()
    deadline = time.monotonic() + LAST_BATCH_S
    while _running and time.monotonic() < deadline:
        time.sleep(0.02)


def _poll(service: str, shards_of: Callable[[dict[str, Any]], Iterator[Shard]]) -> bool:
    """Start a worker for each shard that has something to read and no worker; True if any was started."""
    started = False
    if _ending.is_set():
        return started
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
        wait=lambda attempt: _pause(min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** min(attempt - 1, 10))),
    )


def _pause(seconds: float) -> None:
    _ending.wait(seconds)


def _enabled(mapping: dict[str, Any]) -> bool:
    return str(mapping.get("Enabled", True)).lower() != "false" and mapping.get("State") != "Deleting"


def _invoke(shard: Shard, records: Sequence[Record]) -> int | None:
    """Number of leading records that the function processed; None when it could not be started."""
    mapping = shard.mapping
    known = mapping["UUID"] in lambda_svc._esms
    function, _ = lambda_svc._get_func_record_for_qualifier(mapping["FunctionName"], mapping.get("Qualifier"))
    if not known or function is None or not _enabled(mapping) or _ending.is_set():
        raise MappingStoppedError
    age = max(0.0, time.time() - shard.arrived(records[-1]))
    for dimensions in invocation.dimensions(function["config"])[:2]:
        metrics.record(metrics.Metric("AWS/Lambda", "IteratorAge", dimensions, "Milliseconds"), [age * 1000])
    result = lambda_svc._execute_function(function, {"Records": list(records)})
    if result.get("throttle"):
        return None
    if result.get("error"):
        if _ending.is_set():  # the end of the platform is no failure of the records
            raise MappingStoppedError
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
