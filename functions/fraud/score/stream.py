"""Records of a Kinesis batch -> arrivals and rejections; results -> the failures that Lambda delivers again."""

from binascii import a2b_base64
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from cuatro.adapters.rejections import Rejection
from cuatro.errors import Rejected
from cuatro.events import decode_transaction
from cuatro.times import text_of
from functions.fraud.score.scorer import Arrival, Scorer

Record = dict[str, Any]


class Decoded(NamedTuple):
    """arrivals and, for each, its position in the batch; rejections by position."""

    arrivals: list[Arrival]
    positions: list[int]
    rejections: dict[int, Rejection]


def decode(records: Sequence[Record], scorer: Scorer, now: float, max_age_days: float) -> Decoded:
    """Check every record. now: unix seconds."""
    decoded = Decoded([], [], {})
    max_age_s = max_age_days * 86400
    for position, record in enumerate(records):
        kinesis = record["kinesis"]
        try:
            transaction = decode_transaction(a2b_base64(kinesis["data"]), now, max_age_s)
            arrival = scorer.arrival(transaction, int(kinesis["approximateArrivalTimestamp"] * 1000))
        except Rejected as rejected:
            decoded.rejections[position] = _rejection(record, rejected)
        else:
            decoded.arrivals.append(arrival)
            decoded.positions.append(position)
    return decoded


def failures(records: Sequence[Record], failed: Iterable[int]) -> dict[str, list[dict[str, str]]]:
    """Lambda's answer: the stream is delivered again from the first failed record on."""
    first = min(failed, default=None)
    if first is None:
        return {"batchItemFailures": []}
    return {"batchItemFailures": [{"itemIdentifier": records[first]["kinesis"]["sequenceNumber"]}]}


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
