"""Stream records -> invocations -> checkpoints, by the rules that Lambda keeps for Kinesis and DynamoDB streams.

Records are handed over in order. A failed batch is tried again (halved first, where the mapping asks for it; halving
does not use up a retry), from the lowest failed sequence number if the function reports partial failures. Records
that run out of retries or grow too old are discarded to the mapping's failure destination, and the shard goes on.
"""

import time
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Record = dict[str, Any]

FOREVER = -1
EXHAUSTED = "RetryAttemptsExhausted"
TOO_OLD = "RecordAgeExceeded"


@dataclass(frozen=True)
class Rules:
    """A mapping's failure settings; -1 means no limit."""

    retries: int = FOREVER
    max_age_s: int = FOREVER
    bisect: bool = False
    partial: bool = False

    @classmethod
    def of(cls, mapping: dict[str, Any]) -> "Rules":
        """Settings of an event source mapping as Lambda's API and CloudFormation spell them."""
        return cls(
            retries=int(mapping.get("MaximumRetryAttempts", FOREVER)),
            max_age_s=int(mapping.get("MaximumRecordAgeInSeconds", FOREVER)),
            bisect=str(mapping.get("BisectBatchOnFunctionError", False)).lower() == "true",
            partial="ReportBatchItemFailures" in mapping.get("FunctionResponseTypes", []),
        )


@dataclass(frozen=True)
class Port:
    """What delivery needs of the platform.

    invoke answers how many leading records were processed (all of them = success) or None when the function could
    not be started (throttled): that is tried again and uses up no retry.
    """

    invoke: Callable[[Sequence[Record]], int | None]
    checkpoint: Callable[[Record], None]
    discard: Callable[[Sequence[Record], str, int], None]
    age_s: Callable[[Record], float]
    wait: Callable[[int], None]


def first_failure(records: Sequence[Record], answer: object, sequence_of: Callable[[Record], str]) -> int:
    """Number of leading records that a partial batch response leaves as processed.

    Lambda takes an empty or missing list as success, and an identifier that it does not know as failure of all.
    """
    failures = answer.get("batchItemFailures") if isinstance(answer, dict) else None
    if not failures:
        return len(records)
    order = {sequence_of(record): index for index, record in enumerate(records)}
    return min(order.get(failure.get("itemIdentifier", ""), 0) for failure in failures)


def deliver(batch: Sequence[Record], rules: Rules, port: Port) -> None:
    """Hand one batch over until every record is processed or discarded; the checkpoint moves only past those."""
    pending: deque[tuple[Sequence[Record], int]] = deque([(batch, 0)])
    throttled = 0
    failed = False
    while pending:
        records, tries = pending.popleft()
        expired = _expired(records, rules, port) if failed else 0
        if expired:
            port.discard(records[:expired], TOO_OLD, tries)
            port.checkpoint(records[expired - 1])
            records = records[expired:]
        if not records:
            continue
        done = port.invoke(records)
        if done is None:
            throttled += 1
            pending.appendleft((records, tries))
            port.wait(throttled)
            continue
        throttled = 0
        if done:
            port.checkpoint(records[done - 1])
        rest = records[done:]
        failed = failed or bool(rest)
        if not rest:
            continue
        if rules.bisect and done:
            pending.appendleft((rest, tries))
        elif rules.bisect and len(rest) > 1:
            half = len(rest) // 2
            pending.extendleft([(rest[half:], tries), (rest[:half], tries)])
        elif 0 <= rules.retries <= tries:
            port.discard(rest, EXHAUSTED, tries + 1)
            port.checkpoint(rest[-1])
        else:
            pending.appendleft((rest, tries + 1))
            port.wait(tries + 1)


def failure_record(function_arn: str, condition: str, invocations: int) -> dict[str, Any]:
    """What Lambda tells a failure destination about discarded records, but for where they lie in the stream."""
    return {
        "requestContext": {
            "requestId": str(uuid.uuid4()),
            "functionArn": function_arn,
            "condition": condition,
            "approximateInvokeCount": invocations,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "timestamp": iso(time.time()),
    }


def iso(seconds: float) -> str:
    """Unix seconds as RFC 3339 in UTC with milliseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _expired(records: Sequence[Record], rules: Rules, port: Port) -> int:
    """Number of leading records beyond the mapping's age limit."""
    if rules.max_age_s < 0:
        return 0
    return next((i for i, record in enumerate(records) if port.age_s(record) <= rules.max_age_s), len(records))
