"""Interactions that a write of a profile recorded <-> one binary attribute of its item: they commit together."""

from collections.abc import Sequence

import msgspec

from cuatro.events import InteractionRecorded, milliseconds
from cuatro.interactions import Interaction
from cuatro.times import text_of

_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder(list[InteractionRecorded]).decode


def encode(interactions: Sequence[Interaction], recorded_at: str) -> bytes:
    """Attribute d. recorded_at: RFC 3339; an interaction without a correlation id has its event's id for one."""
    return _ENCODE(
        [
            InteractionRecorded(
                event_id=each.event_id,
                user_id=each.user_id,
                item_id=each.item_id,
                kind=each.kind,
                value=each.value,
                list_id=each.list_id,
                context=each.context,
                time=text_of(milliseconds(each.time)),
                recorded_at=recorded_at,
                correlation_id=each.correlation_id or each.event_id,
            )
            for each in interactions
        ]
    )


def decode(outbox: bytes) -> list[InteractionRecorded]:
    """Raises msgspec.DecodeError."""
    return _DECODE(outbox)
