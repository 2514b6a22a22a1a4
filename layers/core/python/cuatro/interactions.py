"""Bytes from outside -> checked interactions and feedback on lists, or Rejected with field and reason.

Names of users and items come from other systems, in any script. Two spellings of one name (composed and decomposed
letters) are one name here: it is kept in Unicode's form C.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from cuatro.decoding import check_time, decoded
from cuatro.errors import Rejected
from cuatro.events import Id, Kind, ZonedTime

MAX_INTERACTION_BYTES = 16_384
"""The longest names and context, escaped, have some 11,000."""
MAX_INTERACTIONS, MAX_INTERACTIONS_BYTES = 500, 1_048_576
MAX_FEEDBACK_ITEMS, MAX_FEEDBACK_BYTES = 100, 262_144
MAX_NAME, MAX_CONTEXT, MAX_CONTEXT_VALUE = 128, 8, 64
MAX_RATING = 5.0

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME)]
"""Of a user or item; see checked_name for what else holds."""
Value = Annotated[float, msgspec.Meta(ge=0, le=1_000_000_000)]
Key = Annotated[str, msgspec.Meta(min_length=1, max_length=32, pattern=r"^[A-Za-z0-9_.-]+\Z")]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_CONTEXT_VALUE)]


class Interaction(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A user did something with an item. value: the rating (0 to 5), else a quantity or amount of one's own choice.

    context: where it happened, such as {"country": "IT", "device": "phone"}. list_id: of the list that led to it.
    """

    version: Literal[1]
    event_id: Id
    user_id: Name
    item_id: Name
    kind: Kind
    time: ZonedTime
    value: Value | None = None
    context: Annotated[dict[Key, Text], msgspec.Meta(max_length=MAX_CONTEXT)] = {}
    list_id: Id | None = None
    correlation_id: Id | None = None


class Feedback(msgspec.Struct, frozen=True, kw_only=True):
    """Items of a list were seen (impression) or clicked. The body of POST /feedback."""

    version: Literal[1]
    event_id: Id
    list_id: Id
    kind: Literal["impression", "click"]
    items: Annotated[list[Name], msgspec.Meta(min_length=1, max_length=MAX_FEEDBACK_ITEMS)]
    time: ZonedTime


class Interactions(msgspec.Struct, frozen=True):
    """The body of POST /interactions; each one is read by itself."""

    interactions: Annotated[list[msgspec.Raw], msgspec.Meta(min_length=1, max_length=MAX_INTERACTIONS)]


_INTERACTION = msgspec.json.Decoder(Interaction)
_INTERACTIONS = msgspec.json.Decoder(Interactions)
_FEEDBACK = msgspec.json.Decoder(Feedback)


def decode_interaction(data: bytes | msgspec.Raw, now: float, max_age_s: float) -> Interaction:
    """A checked interaction, its names in form C. `now` in unix seconds. Raises Rejected."""
    interaction = decoded(_INTERACTION, data, MAX_INTERACTION_BYTES)
    user, item = checked_name(interaction.user_id, "user_id"), checked_name(interaction.item_id, "item_id")
    context = {key: checked_text(value, f"context.{key}") for key, value in interaction.context.items()}
    if interaction.kind == "rating":
        if interaction.value is None:
            raise Rejected("is missing: a rating has one", "value", "missing_field")
        if interaction.value > MAX_RATING:
            raise Rejected(f"a rating is 0 to {MAX_RATING:g}", "value", "out_of_range")
    check_time(interaction.time, now, max_age_s)
    if (user, item, context) == (interaction.user_id, interaction.item_id, interaction.context):
        return interaction
    return msgspec.structs.replace(interaction, user_id=user, item_id=item, context=context)


def decode_interactions(
    data: bytes, now: float, max_age_s: float
) -> tuple[list[tuple[int, Interaction]], list[tuple[int, Rejected]]]:
    """The good and the bad of one request, each with its place in it. Raises Rejected when there is nothing to read."""
    good: list[tuple[int, Interaction]] = []
    bad: list[tuple[int, Rejected]] = []
    for place, each in enumerate(decoded(_INTERACTIONS, data, MAX_INTERACTIONS_BYTES).interactions):
        try:
            good.append((place, decode_interaction(each, now, max_age_s)))
        except Rejected as rejected:
            bad.append((place, rejected))
    return good, bad


def decode_feedback(data: bytes, now: float, max_age_s: float) -> Feedback:
    """Checked feedback, each item once. `now` in unix seconds; no older than interactions are. Raises Rejected."""
    feedback = decoded(_FEEDBACK, data, MAX_FEEDBACK_BYTES)
    items = checked_names(feedback.items, "items")
    check_time(feedback.time, now, max_age_s)
    return feedback if items == feedback.items else msgspec.structs.replace(feedback, items=items)


def checked_names(texts: Sequence[str], field: str) -> list[str]:
    """Names in form C, each once, in order. Raises Rejected, which names the place."""
    return list(dict.fromkeys(checked_name(text, f"{field}[{place}]") for place, text in enumerate(texts)))


def checked_name(text: str, field: str) -> str:
    """A name of a user or item in form C, as it may stand in a path, a file or a log. Raises Rejected.

    1 to 128 characters of any script; no control characters or line ends, no lone surrogates, no space at either end,
    none of / \\ ? # %, and neither "." nor "..", which a path would lose.
    """
    name = checked_text(text, field, MAX_NAME)
    if _SEPARATORS.search(name) or name in {".", ".."}:
        raise Rejected("must be without / \\ ? # % and neither . nor ..", field, "invalid_value")
    return name


_SEPARATORS = re.compile(r"[/\\?#%]")
# Controls, the line ends that are none, surrogates, and what turns the direction of writing: a log would lie.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]")


def checked_text(text: str, field: str, limit: int = MAX_CONTEXT_VALUE) -> str:
    """A value of a context (or a name) in form C, without what would hurt a log or a key. Raises Rejected."""
    normal = text if text.isascii() else unicodedata.normalize("NFC", text)
    if not 1 <= len(normal) <= limit:  # form C may be longer
        raise Rejected(f"must be 1 to {limit} characters", field, "invalid_value")
    if _UNPRINTABLE.search(normal) or normal != normal.strip():
        raise Rejected("must be without control characters and without space at either end", field, "invalid_value")
    return normal
