"""Interactions over HTTP -> the stream, one record each, by user: what cannot be taken is told one by one."""

from typing import Any

import msgspec

from cuatro.adapters.aws import BRISK
from cuatro.adapters.publishing import Record, put_records
from cuatro.errors import Rejected, Unavailable
from cuatro.interactions import Interaction, decode_interactions
from functions.recommendations.api.settings import Settings


def accept(body: bytes, correlation_id: str, setting: Settings, now: float) -> dict[str, Any]:
    """{"accepted": number, "rejected": [{"index", "error"}]}; an id that was sent before counts once.

    An index with the code "unavailable" can be sent again as it is. Raises Rejected when the body is none, or nothing
    of it can be taken; Unavailable when the stream takes nothing.
    """
    good, bad = decode_interactions(body, now, setting.max_age_days * 86_400)
    if not good:
        raise bad[0][1] if len(bad) == 1 else Rejected(f"none of {len(bad)} can be taken: {bad[0][1].reason}",
                                                       bad[0][1].field, bad[0][1].code)  # fmt: skip
    failed = put([each for _, each in good], correlation_id, setting)
    if len(failed) == len(good):
        raise Unavailable("the stream takes nothing")
    rejected = [(index, _error(why)) for index, why in bad]
    rejected += [(good[number][0], _AWAY) for number in failed]
    return {
        "accepted": len(good) - len(failed),
        "rejected": [{"index": index, "error": error} for index, error in sorted(rejected, key=lambda each: each[0])],
    }


def put(interactions: list[Interaction], correlation_id: str, setting: Settings) -> set[int]:
    """Positions of those that the stream did not take."""
    records = []
    for each in interactions:
        told = each if each.correlation_id else msgspec.structs.replace(each, correlation_id=correlation_id or None)
        records.append(Record(each.user_id, msgspec.json.encode(told)))
    return put_records(setting.stream_name, records, BRISK)


_AWAY = {"code": "unavailable", "field": None, "message": "cannot be taken at the moment, try again"}


def _error(why: Rejected) -> dict[str, Any]:
    return {"code": why.code, "field": why.field, "message": why.reason}
