"""Records of one call to Firehose -> one object in S3, compressed if the delivery stream says so.

MiniStack writes one object a record, knows no compression and keeps every record in memory for good. AWS gathers
records for the buffer's time or size; here what came in one call is delivered at once, joined as AWS joins it, if the
stream's role may put it there.
"""

# ruff: noqa: SLF001 - the names of MiniStack's inside are the touch points; tests/local shows that they hold
import gzip
import logging
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from ministack.services import firehose

from local.emulator import grants

log = logging.getLogger(__name__)

Description = dict[str, Any]
Record = tuple[str, bytes]
Deliver = Callable[[Description, Description, list[Record]], None]
Put = Callable[[Description], Any]

# What one PutRecordBatch delivers: (stream, destination, records) of each destination, while the call runs.
_gathered: ContextVar[dict[int, tuple[Description, Description, list[Record]]] | None] = ContextVar(
    "gathered", default=None
)


def install() -> None:
    """Take the place of MiniStack's delivery to S3, but for what it does record by record."""
    deliver = _joined(firehose._deliver_records_to_s3)
    firehose._deliver_records_to_s3 = _gathering(deliver)
    firehose._HANDLERS["PutRecordBatch"] = _batched(firehose._HANDLERS["PutRecordBatch"], deliver)


def _gathering(deliver: Deliver) -> Deliver:
    def gathering(stream: Description, destination: Description, records: list[Record]) -> None:
        destination["records"].clear()
        gathered = _gathered.get()
        if gathered is None:
            deliver(stream, destination, records)
        else:
            gathered.setdefault(id(destination), (stream, destination, []))[2].extend(records)

    return gathering


def _batched(put: Put, deliver: Deliver) -> Put:
    def batched(request: Description) -> Any:
        gathered: dict[int, tuple[Description, Description, list[Record]]] = {}
        token = _gathered.set(gathered)
        try:
            answer = put(request)
        finally:
            _gathered.reset(token)
        for stream, destination, records in gathered.values():
            deliver(stream, destination, records)
        return answer

    return batched


def _joined(one_by_one: Deliver) -> Deliver:
    def deliver(stream: Description, destination: Description, records: list[Record]) -> None:
        config = destination["config"]
        partitioned = (config.get("DynamicPartitioningConfiguration") or {}).get("Enabled")
        if partitioned or config.get("DataFormatConversionConfiguration"):
            one_by_one(stream, destination, records)
            return
        if not grants.allowed(config.get("RoleARN", ""), "s3:PutObject", _place(config), "firehose"):
            log.error("%s: its role may not put objects to %s: not delivered", stream["name"], _place(config))
            return
        data = b"".join(data for _, data in firehose._apply_lambda_processors(stream, destination, records))
        if not data:
            return
        if config.get("CompressionFormat") == "GZIP":
            data = gzip.compress(data, compresslevel=6, mtime=0)
            destination = {**destination, "config": {"FileExtension": ".gz", **config}}
        firehose._deliver_to_s3(stream, destination, data)

    return deliver


def _place(config: Description) -> str:
    """ARN of an object under the prefix, so far as that is fixed."""
    return f"{config['BucketARN']}/{config.get('Prefix', '').partition('!{')[0]}object"
