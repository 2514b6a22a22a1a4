"""Records that Firehose could not process (S3) -> put again to the delivery stream that they came by.

Firehose keeps them under <pipeline>/lake-errors/<name>/processing-failed/, a line each, with the record as it came.
Sending comes before moving to lake-errors/replayed/: a run that is cut off between the two sends again, which the
stream's function takes for the duplicate that it is.
"""

import base64
import json
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from local.replay.stream import FIRST_WAIT_S, TRIES, NotAcceptedError

KIND = "processing-failed"
REPLAYED = "replayed"
RECORDS_A_CALL, BYTES_A_CALL = 500, 3_000_000
"""Firehose takes 500 records and 4 MiB a call, in base64."""
# Prefix of the lake -> the stack's output with the delivery stream whose records lie there.
STREAMS = {"scored": "PostsDelivery", "raw": "RawDelivery", "labels": "LabelsDelivery"}


class Failed(NamedTuple):
    """One object of failures: its key, the prefix that its records were to go to, why the first failed, the records."""

    key: str
    name: str
    why: str
    records: list[bytes]


def failures(s3: Any, bucket: str, pipeline: str, limit: int = 0) -> Iterator[Failed]:
    """Objects with records that wait, oldest first; at most so many objects, 0 = all."""
    count = 0
    start = f"{pipeline}/lake-errors/"
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=start):
        for entry in page.get("Contents", []):
            name, _, rest = entry["Key"].removeprefix(start).partition("/")
            if not rest.startswith(f"{KIND}/") or name not in STREAMS or (limit and count == limit):
                continue
            count += 1
            lines = [json.loads(line) for line in s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].iter_lines()]
            why = f"{lines[0]['errorCode']}: {lines[0]['errorMessage']}" if lines else ""
            yield Failed(entry["Key"], name, why, [_again(name, base64.b64decode(line["rawData"])) for line in lines])


def _again(name: str, record: bytes) -> bytes:
    """A post says that it is replayed: its row may exist while the lake has no line of it, so it is no duplicate."""
    try:
        post = json.loads(record)
    except (ValueError, RecursionError):
        return record
    return json.dumps(post | {"replayed": True}).encode() if name == "scored" and isinstance(post, dict) else record


def settle(s3: Any, bucket: str, pipeline: str, failed: Failed) -> None:
    """Moves an object whose records were sent."""
    start = f"{pipeline}/lake-errors/"
    key = f"{start}{REPLAYED}/{failed.key.removeprefix(start)}"
    s3.copy_object(Bucket=bucket, Key=key, CopySource={"Bucket": bucket, "Key": failed.key})
    s3.delete_object(Bucket=bucket, Key=failed.key)


def put(firehose: Any, delivery: str, records: Iterable[bytes]) -> int:
    """Puts each as a record of its own; returns how many. Raises NotAcceptedError after several refusals."""
    count = 0
    for call in _calls(records):
        count += len(call)
        _put_all(firehose, delivery, call)
    return count


def _put_all(firehose: Any, delivery: str, waiting: Sequence[bytes]) -> None:
    codes: set[str] = set()
    for attempt in range(TRIES):
        records = [{"Data": record} for record in waiting]
        results = firehose.put_record_batch(DeliveryStreamName=delivery, Records=records)["RequestResponses"]
        codes = {result["ErrorCode"] for result in results if result.get("ErrorCode")}
        waiting = [record for record, result in zip(waiting, results, strict=True) if result.get("ErrorCode")]
        if not waiting:
            return
        time.sleep(FIRST_WAIT_S * 2**attempt)
    raise NotAcceptedError(f"{delivery} refused {len(waiting)} records: {', '.join(sorted(codes))}")


def _calls(records: Iterable[bytes]) -> Iterator[list[bytes]]:
    call: list[bytes] = []
    size = 0
    for record in records:
        if call and (len(call) == RECORDS_A_CALL or size + len(record) > BYTES_A_CALL):
            yield call
            call, size = [], 0
        call.append(record)
        size += len(record)
    if call:
        yield call
