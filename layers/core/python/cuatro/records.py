"""Event of a Kinesis stream -> what its records say, and which are bad; what failed -> what Lambda delivers again."""

from binascii import a2b_base64
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from cuatro.adapters import rejections
from cuatro.adapters.rejections import Rejection
from cuatro.errors import Rejected, Unavailable
from cuatro.times import text_of

T = TypeVar("T")
Record = dict[str, Any]
_VALUES_PER_LINE = 100


class Decoded(NamedTuple, Generic[T]):
    """items and, for each, its position in the batch; rejections by position."""

    items: list[T]
    positions: list[int]
    rejections: dict[int, Rejection]


def decode(records: Sequence[Record], read: Callable[[bytes, int], T]) -> Decoded[T]:
    """read: data of a record and its arrival in unix milliseconds -> what it says; raises Rejected."""
    decoded: Decoded[T] = Decoded([], [], {})
    for position, record in enumerate(records):
        kinesis = record["kinesis"]
        try:
            item = read(a2b_base64(kinesis["data"]), int(kinesis["approximateArrivalTimestamp"] * 1000))
        except Rejected as rejected:
            decoded.rejections[position] = _rejection(record, rejected)
        else:
            decoded.items.append(item)
            decoded.positions.append(position)
    return decoded


def keep(decoded: Decoded[T], failed: dict[int, str], bucket: str, pipeline: str) -> list[Rejection]:
    """Store the bad records before the first failure; what comes after it is delivered again, and stored then.

    Returns what is stored; positions that could not be are added to `failed`.
    """
    end = min(failed, default=None)
    bad = {position: each for position, each in decoded.rejections.items() if end is None or position < end}
    if not bad:
        return []
    try:
        rejections.store(bucket, pipeline, list(bad.values()))
    except Unavailable as error:
        failed.update(dict.fromkeys(bad, str(error)))
        return []
    return list(bad.values())


def failures(records: Sequence[Record], failed: Iterable[int]) -> dict[str, list[dict[str, str]]]:
    """Lambda's answer: the stream is delivered again from the first failed record on."""
    first = min(failed, default=None)
    if first is None:
        return {"batchItemFailures": []}
    return {"batchItemFailures": [{"itemIdentifier": records[first]["kinesis"]["sequenceNumber"]}]}


def report_rejected(logger: Logger, metrics: Metrics, rejected: Sequence[Rejection]) -> None:
    """A metric for all, a line for each."""
    if rejected:
        metrics.add_metric("Rejected", MetricUnit.Count, len(rejected))
    for each in rejected:
        logger.warning(
            "rejected", reason=each.reason, field=each.field, code=each.code, sequence_number=each.sequence_number
        )


def report_latencies(metrics: Metrics, name: str, milliseconds: Sequence[int]) -> None:
    """All in one metric, or an even sample: a line of EMF holds 100 values, and add_metric for each is slow."""
    sample = milliseconds[:: len(milliseconds) // _VALUES_PER_LINE + 1]
    metrics.add_metric(name, MetricUnit.Milliseconds, sample[0])
    metrics.metric_set[name]["Value"].extend(sample[1:])


def _rejection(record: Record, rejected: Rejected) -> Rejection:
    kinesis = record["kinesis"]
    return Rejection(
        reason=rejected.reason,
        field=rejected.field,
        code=rejected.code,
        received_at=text_of(round(kinesis["approximateArrivalTimestamp"] * 1000)),
        sequence_number=kinesis["sequenceNumber"],
        partition_key=kinesis["partitionKey"],
        shard=record["eventID"].partition(":")[0],
        data=kinesis["data"],
    )
