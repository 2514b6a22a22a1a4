"""Records put to a stream with processors -> gathered, processed, delivered; each waits with its id over restarts.

A record stays in the stream's queue until its function has answered, then as what there is to deliver until S3 has it,
so the end of the platform, a function that fails or a role without rights loses none. Where AWS gathers for the
buffer's time or size, this gathers for a second.
"""

# ruff: noqa: SLF001 - the names of MiniStack's inside are the touch points; tests/local shows that they hold
import base64
import logging
import threading
import time
from typing import Any

from ministack.core.responses import _request_account_id, _request_region
from ministack.services import firehose

from local.emulator import metrics
from local.emulator.deliveryobjects import Failed, Record, UndeliveredError, grouped, put, put_failed
from local.emulator.transformation import EndedError, batches, is_partitioned, processed, processors

log = logging.getLogger(__name__)

Description = dict[str, Any]

GATHER_S = 1.0
LOOK_S = 1.0
LAST_DELIVERY_S = 5.0
FIRST_WAIT_S = 0.2
LONGEST_WAIT_S = 10.0
# What has been processed is delivered when so many records of it wait, or when nothing is left to process.
MOST_READY = 10_000

# Of a stream: records to process; to put; that failed.
_WAITING, _READY, _FAILED = "waiting", "ready", "failed"
_QUEUES = (_WAITING, _READY, _FAILED)

_running: set[str] = set()
_lock = threading.Lock()
_arrived = threading.Event()
_ending = threading.Event()


def install() -> None:
    """Start looking for what waits; call once in the serving process."""
    threading.Thread(target=_watch, name="delivery-queues", daemon=True).start()


def takes(stream: Description) -> bool:
    """Whether a stream's records are processed before they are delivered."""
    configs = [each["config"] for each in stream["destinations"]]
    kinds = ("Lambda", "MetadataExtraction", "AppendDelimiterToRecord")
    return any(is_partitioned(config) or any(processors(config, kind) for kind in kinds) for config in configs)


def add(stream: Description, records: list[Record]) -> None:
    """Takes records in."""
    with _lock:
        stream.setdefault(_WAITING, []).extend(_kept(record) for record in records)
    _arrived.set()


def rest() -> None:
    """Begins no further call or delivery."""
    _ending.set()
    _arrived.set()


def end() -> None:
    """Waits a while for what is under way; what is not finished is done again."""
    rest()
    deadline = time.monotonic() + LAST_DELIVERY_S
    while _running and time.monotonic() < deadline:
        time.sleep(0.02)


def _watch() -> None:
    """Starts a worker for each stream in whose queues something waits."""
    while not _ending.is_set():
        _arrived.wait(LOOK_S)
        _arrived.clear()
        for (account, region, _), stream in list(firehose._streams._data.items()):
            if any(stream.get(queue) for queue in _QUEUES) and stream["arn"] not in _running:
                with _lock:
                    _running.add(stream["arn"])
                work = threading.Thread(target=_drain, args=(account, region, stream), name=stream["name"], daemon=True)
                work.start()


def _drain(account: str, region: str, stream: Description) -> None:
    _request_account_id.set(account)
    _request_region.set(region)
    tries = 0
    try:
        while any(stream.get(queue) for queue in _QUEUES) and not _ending.wait(GATHER_S):
            if firehose._streams.get(stream["name"]) is not stream:
                return
            try:
                _process(stream)
                _deliver(stream)
            except UndeliveredError as error:
                log.error("%s: %s: tried again", stream["name"], error)  # noqa: TRY400 - whose text says it all
                _ending.wait(min(LONGEST_WAIT_S, FIRST_WAIT_S * 2**tries))
                tries = min(tries + 1, 10)
            else:
                tries = 0
    except EndedError:
        log.info("%s: goes on with the next platform", stream["name"])
    except Exception:
        log.exception("%s: processing failed", stream["name"])
    finally:
        with _lock:
            _running.discard(stream["arn"])


def _process(stream: Description) -> None:
    """Moves what waits to what can be put and what failed, call by call."""
    config = stream["destinations"][0]["config"]
    for batch in batches(config, [_record(kept) for kept in stream.get(_WAITING, [])]):
        if len(stream.get(_READY, [])) >= MOST_READY:
            return
        ready, failed = processed(stream, config, batch, _ending.wait)
        with _lock:  # in one step: the state that is saved holds each record once
            stream.setdefault(_READY, []).extend(_kept(record) for record in ready)
            stream.setdefault(_FAILED, []).extend([_kept(record), *told] for record, *told in failed)
            del stream[_WAITING][: len(batch)]


def _deliver(stream: Description) -> None:
    """Puts what is ready, each object for itself. Raises UndeliveredError of one that cannot be put."""
    config = stream["destinations"][0]["config"]
    refused = None
    failed = list(stream.get(_FAILED, []))
    try:
        put_failed(stream, config, [Failed(_record(kept), *told) for kept, *told in failed])
        with _lock:
            stream[_FAILED] = stream.get(_FAILED, [])[len(failed) :]
    except UndeliveredError as error:
        refused = error
    groups = grouped([_record(kept) for kept in stream.get(_READY, [])])
    for group in groups:
        try:
            put(stream, config, group)
        except UndeliveredError as error:
            refused = error
            continue
        done = {record.id for record in group}
        with _lock:
            stream[_READY] = [kept for kept in stream[_READY] if kept[0] not in done]
    if is_partitioned(config) and groups:
        dimensions = {"DeliveryStreamName": stream["name"]}
        metrics.record(metrics.Metric("AWS/Firehose", "PartitionCount", dimensions, "Count"), [len(groups)])
    if refused:
        raise refused


def _kept(record: Record) -> list[Any]:
    """A record in the form that the platform's state is saved in."""
    return [record.id, base64.b64encode(record.data).decode(), *record[2:]]


def _record(kept: list[Any]) -> Record:
    return Record(kept[0], base64.b64decode(kept[1]), *kept[2:])
