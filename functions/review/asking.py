"""What a pipeline asks people -> a checked question with its choices, deadlines and references, or Rejected.

A question holds references and codes: pseudonymous ids, numbers, objects of a bucket. Names and texts of people have no
place in it, since it passes state machines and is shown to whoever reviews.
"""

import base64
import hashlib
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

from cuatro.decoding import decoded
from cuatro.errors import Rejected

MAX_ASK_BYTES = 200_000
"""Step Functions passes 256 KiB."""
MAX_PAYLOAD_BYTES = 65_536
_ID_LENGTH = 26

Slug = Annotated[str, msgspec.Meta(min_length=1, max_length=63, pattern=r"^[a-z0-9][a-z0-9-]*\Z")]
Code = Annotated[str, msgspec.Meta(min_length=1, max_length=63, pattern=r"^[a-z0-9][a-z0-9_-]*\Z")]
Reference = Annotated[str, msgspec.Meta(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9_.:-]+\Z")]
Key = Annotated[str, msgspec.Meta(min_length=1, max_length=512, pattern=r"^[A-Za-z0-9_.:/=-]+\Z")]
MediaType = Annotated[str, msgspec.Meta(max_length=64, pattern=r"^[a-z]+/[a-z0-9.+-]+\Z")]
Minutes = Annotated[int, msgspec.Meta(ge=1, le=525_600)]
Days = Annotated[int, msgspec.Meta(ge=1, le=3650)]
Priority = Literal["routine", "urgent"]


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """An object that the reviewer looks at; it stays where it is."""

    name: Code
    bucket: Reference
    key: Key
    type: MediaType


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """One question about one subject.

    once: names the question within its queue; asked twice it is one task. subject: a pseudonymous id. choices: the most
    cautious one first. suggested: the model's choice; another one wants a reason, where there are `reasons`.
    reads: so many people decide by themselves; where they differ, another one adjudicates, or (without `adjudicate`)
    the most cautious of their choices stands. sla_min: until it is overdue; lease_min: how long one reviewer keeps it
    from the others; review_days: until nobody need answer any more; keep_days: how long the answer is kept after that.
    """

    queue: Slug
    kind: Slug
    once: Reference
    subject: Reference
    choices: Annotated[tuple[Code, ...], msgspec.Meta(min_length=2, max_length=20)]
    reasons: Annotated[tuple[Code, ...], msgspec.Meta(max_length=50)] = ()
    suggested: Code | None = None
    priority: Priority = "routine"
    reads: Annotated[int, msgspec.Meta(ge=1, le=5)] = 1
    adjudicate: bool = True
    sla_min: Minutes = 1440
    lease_min: Annotated[int, msgspec.Meta(ge=1, le=1440)] = 15
    review_days: Days = 30
    keep_days: Days = 365
    attachments: Annotated[tuple[Attachment, ...], msgspec.Meta(max_length=500)] = ()
    payload: dict[str, Any] = {}
    version: Literal[1] = 1

    def __post_init__(self) -> None:
        if len(set(self.choices)) < len(self.choices) or len(set(self.reasons)) < len(self.reasons):
            raise ValueError("a choice or reason is there twice")
        if self.suggested is not None and self.suggested not in self.choices:
            raise ValueError("suggested is none of the choices")
        if len({each.name for each in self.attachments}) < len(self.attachments):
            raise ValueError("two attachments have one name")
        if len(msgspec.json.encode(self.payload)) > MAX_PAYLOAD_BYTES:
            raise ValueError(f"payload has more than {MAX_PAYLOAD_BYTES} bytes")


class Withdrawal(msgspec.Struct, frozen=True, kw_only=True):
    """A question that needs no answer any more."""

    queue: Slug
    once: Reference


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """What the function `ask` is invoked with: a question and the token by which its asker waits, or a withdrawal."""

    ask: Ask | None = None
    token: Annotated[str, msgspec.Meta(max_length=1024)] = ""
    cancel: Withdrawal | None = None

    def __post_init__(self) -> None:
        if (self.ask is None) == (self.cancel is None):
            raise ValueError("needs one of ask and cancel")
        if self.ask is not None and not self.token:
            raise ValueError("a question needs the token of whoever waits for its answer")


_DECODER = msgspec.json.Decoder(Call)


def call_of(event: Mapping[str, Any]) -> Call:
    """The function's event, checked. Raises Rejected, which names the field and quotes nothing of what is in it."""
    try:
        data = msgspec.json.encode(event)
    except (TypeError, ValueError, RecursionError):
        raise Rejected("not JSON", code="malformed_json") from None
    try:
        return decoded(_DECODER, data, MAX_ASK_BYTES)
    except Rejected as rejected:
        raise Rejected(f"{rejected.field or 'the call'}: {rejected.code}", rejected.field, rejected.code) from None


def task_id(queue: str, once: str) -> str:
    """26 characters a-z2-7: the same question is the same task, whoever asks it again."""
    digest = hashlib.sha256(f"{queue}|{once}".encode()).digest()
    return base64.b32encode(digest).decode().lower()[:_ID_LENGTH]
