"""What somebody did to an object -> one audit event of plain words; nothing that could be a name, a date or a text.

Who, what, to which object, when, why and with what outcome: DICOM PS3.15 A.5 and 45 CFR 164.312(b) ask for no less.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

from cuatro.decoding import decoded

Action = Literal[
    "receive", "refuse", "begin", "validate", "deidentify", "normalise", "infer", "route", "report", "reidentify",
    "deliver", "open_task", "lease", "view", "release", "decide", "cancel", "escalate", "search", "retrieve", "erase",
    "authorize_failed", "replay", "export",
]  # fmt: skip
Result = Literal["success", "denied", "failed"]

MAX_EVENT_BYTES = 16_384
WITHHELD = "withheld"
"""Stands for a word that was not plain: the log is kept for years, by people who may not see what it could hold."""
_MAX_DETAILS = 16
_PLAIN = re.compile(r"[A-Za-z0-9_.:/@+=,-]{0,256}")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")

Word = Annotated[str, msgspec.Meta(max_length=256, pattern=r"^[A-Za-z0-9_.:/@+=,-]*\Z")]
Number = Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]


class AuditEvent(msgspec.Struct, frozen=True, kw_only=True):
    """id: of this event, by which a second delivery is known. time: RFC 3339 in UTC. object: a pseudonymous id."""

    version: Literal[1] = 1
    id: Word
    time: Word
    actor: Word
    action: Action
    object: Word
    outcome: Result
    purpose: Word
    correlation: Word = ""
    details: dict[Word, Word | Number] = {}


_DECODER = msgspec.json.Decoder(AuditEvent)
_ENCODER = msgspec.json.Encoder(order="deterministic")


def audit_event(  # noqa: PLR0913 - what an audit event is made of
    id: str,  # noqa: A002 - the field's name
    time: str,
    action: Action,
    object: str,  # noqa: A002
    *,
    actor: str,
    outcome: Result,
    purpose: str,
    correlation: str = "",
    details: Mapping[str, str | int] | None = None,
) -> AuditEvent:
    """Words that are not plain (spaces, carets, non-ASCII, over 256 characters) are withheld: an event is always told.

    Of details the first 16 are kept. A details' name is ours; one that is not lower case is withheld with its value.
    """
    kept = list((details or {}).items())[:_MAX_DETAILS]
    return AuditEvent(
        id=id,
        time=time,
        actor=plain(actor),
        action=action,
        object=plain(object),
        outcome=outcome,
        purpose=plain(purpose),
        correlation=plain(correlation),
        details=dict(_detail(name, value) for name, value in kept),
    )


def plain(word: str) -> str:
    """The word, or "withheld" where it has characters that no id of ours has."""
    return word if _PLAIN.fullmatch(word) else WITHHELD


def encode(event: AuditEvent) -> bytes:
    """JSON with its fields in one order, so that equal events are equal bytes."""
    return _ENCODER.encode(event)


def decode(data: bytes) -> AuditEvent:
    """Raises Rejected."""
    return decoded(_DECODER, data, MAX_EVENT_BYTES)


def _detail(name: str, value: str | int) -> tuple[str, str | int]:
    if not _NAME.fullmatch(name):
        return WITHHELD, WITHHELD
    if isinstance(value, int):
        return name, max(-(2**53), min(2**53, int(value)))
    return name, plain(value)
