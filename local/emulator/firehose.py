"""Records of one call to Firehose, or of its source -> one object in S3, as the delivery stream says: GZIP, Parquet.

MiniStack writes one object a record, knows no compression and keeps every record in memory for good. AWS gathers
records for the buffer's time or size; here what came in one call is delivered at once, joined as AWS joins it, if the
stream's role may put it there. What does not fit the stream's table goes to the error prefix with the reason.
"""

# ruff: noqa: SLF001 - the names of MiniStack's inside are the touch points; tests/local shows that they hold
import asyncio
import base64
import gzip
import json
import logging
import time
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any, NamedTuple

from ministack.core.responses import get_account_id, get_region
from ministack.services import firehose, glue, s3

from local.emulator import grants, metrics
from local.emulator.conversion import Failure, convert

log = logging.getLogger(__name__)

Description = dict[str, Any]
Put = Callable[[Description], Any]

CONVERSION_FAILED = "format-conversion-failed"


class UndeliveredError(Exception):
    """S3 or the stream's role does not let an object be put; its text says why."""


class Record(NamedTuple):
    """A record on its way; `sequence` is its number in the Kinesis stream that it came from."""

    id: str
    data: bytes
    arrived: float
    sequence: str | None = None


# What one PutRecordBatch delivers: (stream, destination, records) of each destination, while the call runs.
_gathered: ContextVar[dict[int, tuple[Description, Description, list[Record]]] | None] = ContextVar(
    "gathered", default=None
)


def install() -> None:
    """Take the place of MiniStack's delivery to S3, but for dynamic partitioning, which it does record by record."""
    global _one_by_one  # noqa: PLW0603 - MiniStack's own, under the name that is taken
    _one_by_one = firehose._deliver_records_to_s3
    firehose._deliver_records_to_s3 = _gathering
    firehose._HANDLERS["PutRecordBatch"] = _batched(firehose._HANDLERS["PutRecordBatch"])


_one_by_one: Callable[[Description, Description, list[tuple[str, bytes]]], None]


def _gathering(stream: Description, destination: Description, pairs: list[tuple[str, bytes]]) -> None:
    destination["records"].clear()
    records = [Record(name, data, time.time()) for name, data in pairs]
    gathered = _gathered.get()
    if gathered is None:
        _delivered(stream, destination, records)
    else:
        gathered.setdefault(id(destination), (stream, destination, []))[2].extend(records)


def _batched(put: Put) -> Put:
    def batched(request: Description) -> Any:
        gathered: dict[int, tuple[Description, Description, list[Record]]] = {}
        token = _gathered.set(gathered)
        try:
            answer = put(request)
        finally:
            _gathered.reset(token)
        for each in gathered.values():
            _delivered(*each)
        return answer

    return batched


def _delivered(stream: Description, destination: Description, records: list[Record]) -> None:
    try:
        deliver(stream, destination, records)
    except UndeliveredError as error:
        log.error("%s: %s: not delivered", stream["name"], error)  # noqa: TRY400 - whose text says it all


def deliver(stream: Description, destination: Description, records: list[Record]) -> None:
    """Puts one object of all these records, and one of those that do not fit. Raises UndeliveredError."""
    config = destination["config"]
    if is_on(config.get("DynamicPartitioningConfiguration") or {"Enabled": False}):
        _permit(config, _place(config))
        _one_by_one(stream, destination, [(record.id, record.data) for record in records])
        return
    pairs = [(record.id, record.data) for record in records]
    changed = firehose._apply_lambda_processors(stream, destination, pairs)
    came = {record.id: record for record in records}
    records = [came[name]._replace(data=data) for name, data in changed]
    settings = config.get("DataFormatConversionConfiguration")
    if settings and is_on(settings):
        _put_converted(stream, config, settings, records)
    elif data := b"".join(record.data for record in records):
        zipped = config.get("CompressionFormat") == "GZIP"
        _put(stream, config, gzip.compress(data, compresslevel=6, mtime=0) if zipped else data, ".gz" if zipped else "")
    _count(stream, records)


def _put_converted(stream: Description, config: Description, settings: Description, records: list[Record]) -> None:
    table = glue_table(settings.get("SchemaConfiguration") or {})
    columns = ((table or {}).get("StorageDescriptor") or {}).get("Columns") or []
    if table is None:
        data, failures = None, [Failure(at, *firehose._CONVERSION_ERRORS["table"]) for at in range(len(records))]
    else:
        data, failures = convert(settings, columns, [record.data for record in records])
    lines = [_told(settings, records[failure.index], failure) for failure in failures]
    if lines:  # first: what fails is not lost when the rest cannot be put
        log.warning("%s: %d records do not fit: %s", stream["name"], len(lines), failures[0].message)
        _put(stream, config, "".join(lines).encode(), "", CONVERSION_FAILED)
    if data:
        _put(stream, config, data, ".parquet")
    dimensions = {"DeliveryStreamName": stream["name"]}
    for name, count in (("SucceedConversion", len(records) - len(lines)), ("FailedConversion", len(lines))):
        metrics.record(metrics.Metric("AWS/Firehose", f"{name}.Records", dimensions, "Count"), [count])


def _told(settings: Description, record: Record, failure: Failure) -> str:
    """A line about a record that cannot be converted, as Firehose writes it."""
    schema = settings.get("SchemaConfiguration") or {}
    document = {
        "attemptsMade": 1,
        "arrivalTimestamp": int(record.arrived * 1000),
        "lastErrorCode": failure.code,
        "lastErrorMessage": failure.message,
        "attemptEndingTimestamp": int(time.time() * 1000),
        "rawData": base64.b64encode(record.data).decode(),
        "sequenceNumber": record.sequence,
        "subSequenceNumber": None,
        "dataCatalogTable": {
            "catalogId": schema.get("CatalogId") or get_account_id(),
            "databaseName": schema.get("DatabaseName"),
            "tableName": schema.get("TableName"),
            "region": schema.get("Region") or get_region(),
            "versionId": schema.get("VersionId", "LATEST"),
        },
    }
    return json.dumps(document) + "\n"


def _put(stream: Description, config: Description, data: bytes, ending: str, error: str | None = None) -> None:
    """Puts an object where the stream's prefix (for an error, its error prefix) says."""
    now = firehose._arrival_time(config)
    template = config.get("Prefix") or ""
    if error:
        template = config.get("ErrorOutputPrefix") or f"{template}{error}/"
    name = f"{stream['name']}-{stream.get('version', 1)}-{firehose._java_time('yyyy-MM-dd-HH-mm-ss', now)}"
    try:
        prefix = firehose._evaluate_prefix(template, now, error_type=error)
    except firehose._DeliveryError as failure:
        raise UndeliveredError(failure.message) from None
    key = f"{prefix}{name}-{firehose.new_uuid()}{'' if error else config.get('FileExtension') or ending}"
    bucket = firehose._s3_bucket_from_arn(config["BucketARN"])
    _permit(config, f"{config['BucketARN']}/{key}")
    headers = {"content-type": "application/octet-stream", "content-length": str(len(data)), "host": "s3.localhost"}
    put = s3.handle_request("PUT", f"/{bucket}/{key}", headers, data, {}, internal=True)
    status, _, answer = asyncio.run(put)
    if status != 200:
        raise UndeliveredError(f"s3://{bucket}/{key} cannot be put ({status}): {answer[:300]!r}")


def _count(stream: Description, records: Sequence[Record]) -> None:
    """CloudWatch's metrics of a delivery."""
    dimensions = {"DeliveryStreamName": stream["name"]}
    if records:
        age = max(0.0, time.time() - records[0].arrived)
        counted = (("Records", "Count", len(records)), ("DataFreshness", "Seconds", age), ("Success", "None", 1))
        for name, unit, value in counted:
            metrics.record(metrics.Metric("AWS/Firehose", f"DeliveryToS3.{name}", dimensions, unit), [value])


def _permit(config: Description, place: str) -> None:
    """Raises UndeliveredError unless the stream's role may put this object (ARN)."""
    if not grants.allowed(config.get("RoleARN", ""), "s3:PutObject", place, "firehose"):
        raise UndeliveredError(f"its role may not put objects to {place}")


def glue_table(schema: Description) -> Description | None:
    """The table that a SchemaConfiguration names, if there is one."""
    found: Description | None = glue._tables.get(f"{schema.get('DatabaseName', '')}/{schema.get('TableName', '')}")
    return found


def is_on(settings: Description) -> bool:
    """Whether a block of settings that can be switched off is on."""
    return str(settings.get("Enabled", True)).lower() == "true"


def _place(config: Description) -> str:
    """ARN of an object under the prefix, so far as that is fixed."""
    return f"{config['BucketARN']}/{config.get('Prefix', '').partition('!{')[0]}object"
