"""Records of a delivery stream -> objects in S3 where its prefix says: lines as they are, GZIP, or Parquet of a table.

One object of each set of partition keys, put only if the stream's role may. What failed on the way lies under the
error prefix with the reason, in Firehose's own form.
"""

# ruff: noqa: SLF001 - the names of MiniStack's inside are the touch points; tests/local shows that they hold
import asyncio
import base64
import gzip
import json
import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ministack.core.responses import get_account_id, get_region
from ministack.services import firehose, glue, s3

from local.emulator import grants, metrics
from local.emulator.conversion import Failure, convert

log = logging.getLogger(__name__)

Description = dict[str, Any]
Keys = Mapping[str, str]

NO_KEYS: Keys = {}
CONVERSION_FAILED = "format-conversion-failed"
PROCESSING_FAILED = "processing-failed"


class UndeliveredError(Exception):
    """S3 or the stream's role does not let an object be put; its text says why."""


class Record(NamedTuple):
    """A record on its way; `sequence` is its number in the Kinesis stream that it came from.

    `by_function` and `by_query` are the partition keys that the prefix of its object is made of.
    """

    id: str
    data: bytes
    arrived: float
    sequence: str | None = None
    by_function: Keys = NO_KEYS
    by_query: Keys = NO_KEYS


class Failed(NamedTuple):
    """A record as it came, which is not delivered: Firehose's code, what is wrong, the calls made, the function."""

    record: Record
    code: str
    message: str
    attempts: int = 1
    function: str | None = None


def is_on(settings: Description) -> bool:
    """Whether a block of settings that can be switched off is on."""
    return str(settings.get("Enabled", True)).lower() == "true"


def glue_table(schema: Description) -> Description | None:
    """The table that a SchemaConfiguration names, if there is one."""
    found: Description | None = glue._tables.get(f"{schema.get('DatabaseName', '')}/{schema.get('TableName', '')}")
    return found


def grouped(records: Sequence[Record]) -> list[list[Record]]:
    """The records that go to one object each, in their order."""
    groups: dict[str, list[Record]] = {}
    for record in records:
        groups.setdefault(json.dumps([record.by_function, record.by_query], sort_keys=True), []).append(record)
    return list(groups.values())


def put(stream: Description, config: Description, records: list[Record]) -> None:
    """Puts one object of records with the same keys, and one of those that do not fit. Raises UndeliveredError."""
    settings = config.get("DataFormatConversionConfiguration")
    if settings and is_on(settings):
        _put_converted(stream, config, settings, records)
    elif data := b"".join(record.data for record in records):
        zipped = config.get("CompressionFormat") == "GZIP"
        data = gzip.compress(data, compresslevel=6, mtime=0) if zipped else data
        _put(stream, config, data, _place(config, ".gz" if zipped else "", records[0]))
    _count(stream, records)


def put_failed(stream: Description, config: Description, failures: Sequence[Failed]) -> None:
    """Puts the records that could not be processed, a line each. Raises UndeliveredError."""
    if failures:
        log.warning("%s: %d records failed: %s", stream["name"], len(failures), failures[0].message)
        lines = "".join(json.dumps(_failed(failure)) + "\n" for failure in failures)
        _put(stream, config, lines.encode(), _failures(config, PROCESSING_FAILED))


def _failed(failure: Failed) -> Description:
    """A record that could not be processed, as Firehose tells it."""
    return {
        "attemptsMade": failure.attempts,
        "arrivalTimestamp": int(failure.record.arrived * 1000),
        "errorCode": failure.code,
        "errorMessage": failure.message,
        "attemptEndingTimestamp": int(time.time() * 1000),
        "rawData": base64.b64encode(failure.record.data).decode(),
    } | ({"lambdaArn": failure.function} if failure.function else {})


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
        _put(stream, config, "".join(lines).encode(), _failures(config, CONVERSION_FAILED))
    if data:
        _put(stream, config, data, _place(config, ".parquet", records[0]))
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


class _Place(NamedTuple):
    """Prefix and ending of an object, its expressions evaluated."""

    prefix: str
    ending: str


def _place(config: Description, ending: str, record: Record) -> _Place:
    """Where an object of records with this one's keys goes. Raises UndeliveredError."""
    now, template = firehose._arrival_time(config), config.get("Prefix") or ""
    try:
        prefix = firehose._evaluate_prefix(template, now, record.by_query, record.by_function)
    except firehose._DeliveryError as failure:
        raise UndeliveredError(failure.message) from None
    if "!{partitionKeyFrom" in template and "!{timestamp:" not in template:
        # Keys take the place of the hour, which MiniStack adds to any prefix without a time.
        prefix = prefix.removesuffix(firehose._java_time("yyyy/MM/dd/HH/", now))
    return _Place(prefix, config.get("FileExtension") or ending)


def _failures(config: Description, kind: str) -> _Place:
    """Where an object of failures goes. Raises UndeliveredError."""
    template = config.get("ErrorOutputPrefix") or f"{config.get('Prefix') or ''}{kind}/"
    try:
        return _Place(firehose._evaluate_prefix(template, firehose._arrival_time(config), error_type=kind), "")
    except firehose._DeliveryError as failure:
        raise UndeliveredError(failure.message) from None


def _put(stream: Description, config: Description, data: bytes, place: _Place) -> None:
    """Puts an object, if the role may. Raises UndeliveredError."""
    now = firehose._java_time("yyyy-MM-dd-HH-mm-ss", firehose._arrival_time(config))
    name = f"{stream['name']}-{stream.get('version', 1)}-{now}-{firehose.new_uuid()}"
    key = f"{place.prefix}{name}{place.ending}"
    bucket = firehose._s3_bucket_from_arn(config["BucketARN"])
    _permit(config, f"{config['BucketARN']}/{key}")
    headers = {"content-type": "application/octet-stream", "content-length": str(len(data)), "host": "s3.localhost"}
    sent = s3.handle_request("PUT", f"/{bucket}/{key}", headers, data, {}, internal=True)
    status, _, answer = asyncio.run(sent)
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
