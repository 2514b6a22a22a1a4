"""What a person says of a post -> its row, whose stream moves the aggregates and tells the lake: the newest label wins.

The same label again changes nothing and is answered alike, so a request may be repeated.
"""

from typing import Annotated, Any, Literal

import msgspec

from cuatro.adapters.aws import backoff
from cuatro.adapters.dynamodb import Dynamo
from cuatro.adapters.partiql import change
from cuatro.errors import Unavailable
from cuatro.events import Id, Sentiment, decode_body
from cuatro.posts import decode_scored, encode
from cuatro.times import text_of
from functions.sentiment import outbox
from functions.sentiment.api.dashboard import checked_key, read_post
from functions.sentiment.api.settings import Settings
from functions.sentiment.clean import cleaned
from functions.sentiment.outbox import Relabelled
from functions.sentiment.redact import redacted

_ROUNDS = 5
"""Of compare-and-set against other labels of the same post."""


class Label(msgspec.Struct, frozen=True):
    """The body of POST /posts/{post}/label. by: who says so, an id and no name; note: why, kept redacted."""

    label: Sentiment
    by: Id | None = None
    note: Annotated[str, msgspec.Meta(max_length=500)] | None = None
    version: Literal[1] = 1


def put(  # noqa: PLR0913, PLR0917 - a request and what it works on
    post: str, body: bytes, correlation_id: str, setting: Settings, dynamo: Dynamo, now: float
) -> dict[str, Any]:
    """{"post", "label": the model's, "human_label", "changed"}. Raises Rejected (also not_found), Unavailable."""
    key, given = checked_key(post), decode_body(body, Label)
    for attempt in range(_ROUNDS):
        if attempt:
            backoff(attempt)
        item = read_post(key, setting, dynamo)
        scored = decode_scored(item["p"])
        answer = {"post": key, "label": scored.label, "human_label": given.label}
        if scored.human_label == given.label:
            return {**answer, "changed": False}
        entry = Relabelled(
            before=scored.human_label,
            after=given.label,
            by=given.by,
            note=_redacted(given.note, scored.language),
            time=text_of(round(now * 1000)),
            correlation_id=correlation_id or None,
        )
        after = msgspec.structs.replace(scored, human_label=given.label)
        values = {"p": encode(after), "d": outbox.encode(entry), "n": item["n"] + 1}
        (written,) = dynamo.write([change(setting.posts_table, values, {"post": key, "n": item["n"]})])
        if written.status == "done":
            return {**answer, "changed": True}
        if written.status == "failed":
            raise Unavailable(written.code)
    raise Unavailable("too many labels of this post at once")


def _redacted(note: str | None, language: str) -> str | None:
    return redacted(cleaned(note), "mask", b"", language)[0] if note else None
