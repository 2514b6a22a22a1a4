"""Kinesis stream -> delivery stream: what its shards hold is delivered in their order, at least once, over restarts.

MiniStack hands each record over while it is put and forgets it when it cannot be delivered. Here each delivery stream
reads its source from a checkpoint of its own, as AWS does: it begins with what arrives once it exists, and tries for
ever what S3 or its role refuse. Where AWS gathers for a minute or more, this gathers for a second.
"""

# ruff: noqa: SLF001 - the names of MiniStack's inside are the touch points; tests/local shows that they hold
import base64
import itertools
import logging
import threading
import time
from typing import Any

from ministack.core.responses import _request_account_id, _request_region
from ministack.services import firehose, kinesis

from local.emulator import grants
from local.emulator.deliverychecks import READS_SOURCE
from local.emulator.deliveryobjects import Record, UndeliveredError
from local.emulator.firehose import deliver
from local.emulator.transformation import EndedError
from local.shards import unread

log = logging.getLogger(__name__)

Description = dict[str, Any]

GATHER_S = 1.0
LOOK_S = 1.0
FIRST_WAIT_S = 0.2
LONGEST_WAIT_S = 10.0
LAST_DELIVERY_S = 5.0
# Records of a shard and bytes of all that one object takes at most, when the stream's buffer is greater.
MOST_RECORDS = 10_000
MIB = 1 << 20

_running: set[str] = set()
_lock = threading.Lock()
_arrived = threading.Event()
_ending = threading.Event()


def install() -> None:
    """Take the place of MiniStack's hand-over; call once in the serving process."""
    firehose.ingest_from_kinesis_source = lambda *_: _arrived.set()
    threading.Thread(target=_watch, name="delivery-sources", daemon=True).start()


def rest() -> None:
    """Begins no further delivery."""
    _ending.set()
    _arrived.set()


def end() -> None:
    """Waits a while for the deliveries that are under way; what is not finished is delivered again."""
    rest()
    deadline = time.monotonic() + LAST_DELIVERY_S
    while _running and time.monotonic() < deadline:
        time.sleep(0.02)


def _watch() -> None:
    """Starts a worker for each delivery stream whose source holds something new."""
    while not _ending.is_set():
        _arrived.wait(LOOK_S)
        _arrived.clear()
        for (account, region, _), stream in list(firehose._streams._data.items()):
            if stream.get("type") == "KinesisStreamAsSource" and stream["arn"] not in _running:
                _start(account, region, stream)


def _start(account: str, region: str, stream: Description) -> None:
    with _lock:
        _running.add(stream["arn"])
    worker = threading.Thread(target=_drain, args=(account, region, stream), name=stream["name"], daemon=True)
    worker.start()


def _drain(account: str, region: str, stream: Description) -> None:
    _request_account_id.set(account)
    _request_region.set(region)
    tries = 0
    try:
        while _fresh(stream, 1) and not _ending.wait(GATHER_S):
            records, checkpoints = _read(stream)
            if firehose._streams.get(stream["name"]) is not stream:
                return
            try:
                _deliver(stream, records)
            except UndeliveredError as error:
                log.error("%s: %s: tried again", stream["name"], error)  # noqa: TRY400 - whose text says it all
                _ending.wait(min(LONGEST_WAIT_S, FIRST_WAIT_S * 2**tries))
                tries = min(tries + 1, 10)
            else:
                stream["checkpoints"].update(checkpoints)
                tries = 0
    except EndedError:
        log.info("%s: goes on with the next platform", stream["name"])
    except Exception:
        log.exception("%s: reading its source failed", stream["name"])
    finally:
        with _lock:
            _running.discard(stream["arn"])


def _deliver(stream: Description, records: list[Record]) -> None:
    source = stream["kinesis_source"]
    for action in READS_SOURCE:
        if not grants.allowed(source["RoleARN"], action, source["KinesisStreamARN"], "firehose"):
            raise UndeliveredError(f"its role may not {action} of {source['KinesisStreamARN']}")
    for destination in stream["destinations"]:
        deliver(stream, destination, records, _ending.wait)


def _read(stream: Description) -> tuple[list[Record], dict[str, str]]:
    """The next records of all shards in the order of arrival, and the checkpoints behind them."""
    found = _fresh(stream, MOST_RECORDS)
    found.sort(key=lambda each: each[1]["ApproximateArrivalTimestamp"])  # stable: a shard's own order stays
    records = [_record(record) for _, record in found]
    sizes = itertools.accumulate(len(record.data) for record in records)
    count = sum(1 for size in sizes if size <= _buffer(stream)) or 1
    return records[:count], {shard: record["SequenceNumber"] for shard, record in found[:count]}


def _fresh(stream: Description, most: int) -> list[tuple[str, Description]]:
    """(shard, record) of what lies behind the checkpoints, at most so many of a shard."""
    source = kinesis._streams.get(stream["kinesis_source"]["KinesisStreamARN"].rpartition("/")[2])
    if not source or source["StreamStatus"] != "ACTIVE":
        return []
    begin = stream["kinesis_source"].get("DeliveryStartTimestamp") or 0
    checkpoints = stream.setdefault("checkpoints", {})
    found = []
    for name, shard in list(source["shards"].items()):
        if name not in checkpoints:
            before = [
                each["SequenceNumber"] for each in shard["records"] if each["ApproximateArrivalTimestamp"] < begin
            ]
            checkpoints[name] = before[-1] if before else ""
        found += [(name, record) for record in unread(shard, checkpoints[name], most)]
    return found


def _record(record: Description) -> Record:
    data, sequence = record["Data"], record["SequenceNumber"]
    raw = base64.b64decode(data) if isinstance(data, str) else data
    return Record(sequence, raw, record["ApproximateArrivalTimestamp"], sequence)


def _buffer(stream: Description) -> int:
    """Bytes that one object takes."""
    sizes = [(each["config"].get("BufferingHints") or {}).get("SizeInMBs", 5) for each in stream["destinations"]]
    return int(min(sizes, default=5)) * MIB
