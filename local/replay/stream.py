"""Records -> Kinesis, in calls of at most 500 records and 5 MB; what a call throttles is put again."""

import time
from collections.abc import Iterable, Iterator
from typing import Any

RECORDS_A_CALL = 500
BYTES_A_CALL = 5_000_000
TRIES = 8
FIRST_WAIT_S = 0.1


class NotAcceptedError(RuntimeError):
    """The stream kept refusing some records."""


def put(kinesis: Any, stream: str, records: Iterable[tuple[str, bytes]]) -> int:
    """Put (partition key, data) records; returns how many. Raises NotAcceptedError after several refusals."""
    count = 0
    for call in _calls(records):
        count += len(call)
        _put_all(kinesis, stream, call)
    return count


def _put_all(kinesis: Any, stream: str, waiting: list[dict[str, Any]]) -> None:
    codes: set[str] = set()
    for attempt in range(TRIES):
        results = kinesis.put_records(StreamName=stream, Records=waiting)["Records"]
        codes = {result["ErrorCode"] for result in results if result.get("ErrorCode")}
        waiting = [record for record, result in zip(waiting, results, strict=True) if result.get("ErrorCode")]
        if not waiting:
            return
        time.sleep(FIRST_WAIT_S * 2**attempt)
    raise NotAcceptedError(f"{stream} refused {len(waiting)} records: {', '.join(sorted(codes))}")


def _calls(records: Iterable[tuple[str, bytes]]) -> Iterator[list[dict[str, Any]]]:
    call: list[dict[str, Any]] = []
    size = 0
    for partition_key, data in records:
        if call and (len(call) == RECORDS_A_CALL or size + len(data) + len(partition_key) > BYTES_A_CALL):
            yield call
            call, size = [], 0
        call.append({"PartitionKey": partition_key, "Data": data})
        size += len(data) + len(partition_key.encode())
    if call:
        yield call
