"""Records that are put to Firehose, or come from its source -> processed and delivered as the delivery stream says.

MiniStack writes one object a record, knows no compression, transforms while the caller waits and keeps every record in
memory for good. AWS gathers records for the buffer's time or size. Here a stream with processors gathers for a moment
(deliveryqueue.py); what came to another one in one call is delivered at once, joined as AWS joins it.
"""

# ruff: noqa: SLF001 - the names of MiniStack's inside are the touch points; tests/local shows that they hold
import logging
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from ministack.services import firehose

from local.emulator import deliveryqueue
from local.emulator.deliveryobjects import Record, UndeliveredError, grouped, put, put_failed
from local.emulator.transformation import Wait, batches, processed

log = logging.getLogger(__name__)

Description = dict[str, Any]
Put = Callable[[Description], Any]

# What one PutRecordBatch delivers: (stream, destination, records) of each destination, while the call runs.
_gathered: ContextVar[dict[int, tuple[Description, Description, list[Record]]] | None] = ContextVar(
    "gathered", default=None
)


def install() -> None:
    """Take the place of MiniStack's delivery to S3."""
    firehose._deliver_records_to_s3 = _gathering
    firehose._HANDLERS["PutRecordBatch"] = _batched(firehose._HANDLERS["PutRecordBatch"])


def _gathering(stream: Description, destination: Description, pairs: list[tuple[str, bytes]]) -> None:
    destination["records"].clear()
    records = [Record(name, data, time.time()) for name, data in pairs]
    gathered = _gathered.get()
    if deliveryqueue.takes(stream):
        deliveryqueue.add(stream, records)
    elif gathered is None:
        _delivered(stream, destination, records)
    else:
        gathered.setdefault(id(destination), (stream, destination, []))[2].extend(records)


def _batched(batch: Put) -> Put:
    def batched(request: Description) -> Any:
        gathered: dict[int, tuple[Description, Description, list[Record]]] = {}
        token = _gathered.set(gathered)
        try:
            answer = batch(request)
        finally:
            _gathered.reset(token)
        for each in gathered.values():
            _delivered(*each)
        return answer

    return batched


def _delivered(stream: Description, destination: Description, records: list[Record]) -> None:
    try:
        put(stream, destination["config"], records)
    except UndeliveredError as error:
        log.error("%s: %s: not delivered", stream["name"], error)  # noqa: TRY400 - whose text says it all


def deliver(stream: Description, destination: Description, records: list[Record], wait: Wait) -> None:
    """Processes and puts all these records. Raises UndeliveredError, and EndedError when `wait` says so."""
    config = destination["config"]
    kept, failed = list[Record](), []
    for batch in batches(config, records):
        more_kept, more_failed = processed(stream, config, batch, wait)
        kept += more_kept
        failed += more_failed
    put_failed(stream, config, failed)
    for group in grouped(kept):
        put(stream, config, group)
