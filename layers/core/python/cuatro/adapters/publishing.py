"""Events -> the bus, alerts -> SNS, records -> Kinesis, lines -> Firehose: in batches, failures retried and told.

Each function takes a sequence and returns the positions that could not be delivered; delivery is at least once.
"""

import base64
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

import msgspec

from cuatro.adapters.aws import ATTEMPTS, PATIENT, JsonService, LeanService, Patience, backoff, called
from cuatro.errors import Unavailable
from cuatro.events import PublishedEvent

EVENTS_PER_CALL = 10
ALERTS_PER_CALL = 10
RECORDS_PER_CALL = 500
LINES_RECORD_BYTES = 1000 * 1024
LINES_RECORDS_PER_CALL = 3
"""Firehose takes 1,000 KiB a record and 4 MiB a call: three full records, in base64."""
EACH_PER_CALL, EACH_CALL_BYTES = 500, 3_000_000
"""Firehose takes 500 records and 4 MiB a call, in base64."""
SOURCE = "cuatro.fraud"


class Alert(msgspec.Struct, frozen=True):
    """A message for people and their systems; `attributes` are what subscriptions filter by."""

    subject: str
    body: Any
    attributes: dict[str, str]


class Record(msgspec.Struct, frozen=True):
    """One record of a stream."""

    key: str
    data: bytes


def publish_events(bus: str, events: Sequence[PublishedEvent], source: str = SOURCE) -> set[int]:
    """PutEvents: detail type is the event's class, detail its JSON."""

    def call(chunk: Sequence[PublishedEvent]) -> list[bool]:
        entries = [
            {
                "Source": source,
                "DetailType": type(event).__name__,
                "Detail": msgspec.json.encode(event).decode(),
                "EventBusName": bus,
            }
            for event in chunk
        ]
        answer = msgspec.json.decode(_events().call("PutEvents", msgspec.json.encode({"Entries": entries})))
        return ["ErrorCode" in entry for entry in answer["Entries"]]

    return _delivered(events, EVENTS_PER_CALL, call)


def put_records(stream: str, records: Sequence[Record], patience: Patience = PATIENT) -> set[int]:
    """PutRecords. patience: of each call."""

    def call(chunk: Sequence[Record]) -> list[bool]:
        entries = [{"PartitionKey": record.key, "Data": base64.b64encode(record.data).decode()} for record in chunk]
        body = msgspec.json.encode({"StreamName": stream, "Records": entries})
        answer = msgspec.json.decode(_kinesis(patience).call("PutRecords", body))
        return ["ErrorCode" in record for record in answer["Records"]]

    return _delivered(records, RECORDS_PER_CALL, call)


def put_lines(delivery: str, lines: Sequence[bytes]) -> set[int]:
    """PutRecordBatch: many lines a record, since Firehose bills each record as if it had 5 KB at least."""
    records = list(_packed(lines))

    def call(chunk: Sequence[list[int]]) -> list[bool]:
        data = [b"".join([lines[number] + b"\n" for number in record]) for record in chunk]
        entries = [{"Data": base64.b64encode(each).decode()} for each in data]
        body = msgspec.json.encode({"DeliveryStreamName": delivery, "Records": entries})
        answer = msgspec.json.decode(_firehose().call("PutRecordBatch", body))
        return ["ErrorCode" in record for record in answer["RequestResponses"]]

    failed = _delivered(records, LINES_RECORDS_PER_CALL, call)
    return {number for record in failed for number in records[record]}


def put_each(delivery: str, records: Sequence[bytes]) -> set[int]:
    """PutRecordBatch: one record each, for a delivery that transforms them or sorts them into folders one by one."""

    def call(chunk: Sequence[bytes]) -> list[bool]:
        entries = [{"Data": base64.b64encode(each).decode()} for each in chunk]
        body = msgspec.json.encode({"DeliveryStreamName": delivery, "Records": entries})
        answer = msgspec.json.decode(_firehose().call("PutRecordBatch", body))
        return ["ErrorCode" in record for record in answer["RequestResponses"]]

    failed: set[int] = set()
    for numbers in _chunked(records):
        lost = _delivered([records[number] for number in numbers], EACH_PER_CALL, call)
        failed |= {numbers[number] for number in lost}
        if len(lost) == len(numbers):  # it has been tried several times: the rest would only wait
            return failed | set(range(numbers[0], len(records)))
    return failed


def _chunked(records: Sequence[bytes]) -> Iterator[list[int]]:
    """Positions of the records of each call: as many as it takes, and as many bytes."""
    chunk: list[int] = []
    size = 0
    for number, record in enumerate(records):
        if chunk and (len(chunk) == EACH_PER_CALL or size + len(record) > EACH_CALL_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(number)
        size += len(record)
    if chunk:
        yield chunk


def _packed(lines: Sequence[bytes]) -> Iterator[list[int]]:
    """Positions of the lines of each record."""
    record: list[int] = []
    size = 0
    for number, line in enumerate(lines):
        if record and size + len(line) + 1 > LINES_RECORD_BYTES:
            yield record
            record, size = [], 0
        record.append(number)
        size += len(line) + 1
    if record:
        yield record


def publish_alerts(topic_arn: str, alerts: Sequence[Alert]) -> set[int]:
    """PublishBatch; bodies as JSON."""

    def call(chunk: Sequence[Alert]) -> list[bool]:
        entries = [
            {
                "Id": str(number),
                "Subject": alert.subject[:100],
                "Message": msgspec.json.encode(alert.body).decode(),
                "MessageAttributes": {
                    name: {"DataType": "String", "StringValue": value} for name, value in alert.attributes.items()
                },
            }
            for number, alert in enumerate(chunk)
        ]
        answer = called("sns", "publish_batch", TopicArn=topic_arn, PublishBatchRequestEntries=entries)
        failed = {entry["Id"] for entry in answer.get("Failed", [])}
        return [str(number) in failed for number in range(len(chunk))]

    return _delivered(alerts, ALERTS_PER_CALL, call)


def _delivered(items: Sequence[Any], size: int, call: Callable[[Sequence[Any]], list[bool]]) -> set[int]:
    """call(chunk) tells for each item whether it failed; failed ones are tried again with the next ones."""
    waiting = list(range(len(items)))
    for attempt in range(ATTEMPTS):
        if attempt:
            backoff(attempt)
        failed: list[int] = []
        for start in range(0, len(waiting), size):
            chunk = waiting[start : start + size]
            try:
                failures = call([items[number] for number in chunk])
            except Unavailable:
                # The call has been retried already: give up on all that is left instead of waiting on each chunk.
                return {*failed, *waiting[start:]}
            failed += [number for number, is_failed in zip(chunk, failures, strict=True) if is_failed]
        waiting = failed
        if not waiting:
            break
    return set(waiting)


@cache
def _events() -> JsonService:
    return LeanService("events", "AWSEvents", "1.1")


@cache
def _kinesis(patience: Patience) -> JsonService:
    return LeanService("kinesis", "Kinesis_20131202", "1.1", patience)


@cache
def _firehose() -> JsonService:
    return LeanService("firehose", "Firehose_20150804", "1.1")
