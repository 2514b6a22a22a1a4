"""Firehose's event -> posts, and what is none of them; scored posts -> Firehose's answer, one for each record."""

from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from cuatro.adapters.rejections import Rejection
from cuatro.decoding import check_time
from cuatro.errors import Rejected
from cuatro.posts import Post, Scored, decode_post, encode, moment, written
from cuatro.times import text_of

Record = dict[str, Any]


class Arrival(NamedTuple):
    """A post, and the id of the record it came in: Firehose keeps that when it tries again."""

    record_id: str
    post: Post


class Decoded(NamedTuple):
    """Good ones and, for each, its place among the records; what was refused."""

    arrivals: list[Arrival]
    places: list[int]
    rejections: list[Rejection]


def decode(event: dict[str, Any], now: float, max_age_s: float) -> Decoded:
    """now: unix seconds. Posts older than max_age_s are refused, and what was collected in the future."""
    decoded = Decoded([], [], [])
    delivery = str(event.get("deliveryStreamArn", "")).rpartition("/")[2]
    for place, record in enumerate(event["records"]):
        try:
            post = _timely(decode_post(a2b_base64(record["data"])), now, max_age_s)
        except Rejected as rejected:
            decoded.rejections.append(_rejection(record, rejected, delivery))
        else:
            decoded.arrivals.append(Arrival(record["recordId"], post))
            decoded.places.append(place)
    return decoded


def answer(event: dict[str, Any], decoded: Decoded, scored: Mapping[int, Scored]) -> dict[str, Any]:
    """scored: by number of the arrival. The others are dropped: the lake has them, or they are kept with a reason."""
    records = [{"recordId": record["recordId"], "result": "Dropped"} for record in event["records"]]
    for number, each in scored.items():
        records[decoded.places[number]] |= {
            "result": "Ok",
            "data": b2a_base64(encode(each), newline=False).decode(),
            "metadata": {"partitionKeys": {"brand": each.brand, "dt": each.dt}},
        }
    return {"records": records}


def _timely(post: Post, now: float, max_age_s: float) -> Post:
    """Times in UTC, of what was collected lately. Clocks of networks jump: no post is from the future."""
    check_time(post.collected_at, now, max_age_s, "collected_at")
    collected_at = moment(post.collected_at.timestamp())
    time, adjusted = written(post.time, collected_at)
    check_time(time, now, max_age_s)
    return msgspec.structs.replace(
        post, time=time, collected_at=collected_at, time_adjusted=post.time_adjusted or adjusted
    )


def _rejection(record: Record, rejected: Rejected, delivery: str) -> Rejection:
    return Rejection(
        reason=rejected.reason,
        field=rejected.field,
        code=rejected.code,
        received_at=text_of(int(record.get("approximateArrivalTimestamp", 0))),
        sequence_number=record["recordId"],
        partition_key="",
        shard=delivery,
        data=record["data"],
    )
