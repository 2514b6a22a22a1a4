"""What a user did with a list -> the list's item, once for each; clicks -> the stream too, as interactions.

The list is written first: it tells whose it is and what was in it. A repeat after a failure in between adds nothing
to the list and puts the same interactions on the stream again, whose ids are those of list and item: they count once.
"""

from hashlib import blake2b
from typing import Any

from cuatro.adapters.aws import backoff
from cuatro.adapters.dynamodb import Dynamo, Keys
from cuatro.errors import Rejected, Unavailable
from cuatro.interactions import Feedback, Interaction, decode_feedback
from functions.recommendations import lists
from functions.recommendations.api.interactions import put
from functions.recommendations.api.settings import Settings
from functions.recommendations.lists import Added, Stored

_ROUNDS = 5
"""Of compare-and-set against other feedback on the same list."""


def accept(body: bytes, correlation_id: str, setting: Settings, dynamo: Dynamo, now: float) -> dict[str, Any]:
    """{"accepted": items of the list, "unknown": ids that are not in it}.

    Raises Rejected for bad input, for a list that is not there (not_found) or has none of the items; Unavailable.
    """
    feedback = decode_feedback(body, now, setting.max_age_days * 86_400)
    before, added = _kept(feedback, setting, dynamo)
    if feedback.kind == "click":
        clicks = [_click(item, feedback, before, correlation_id) for item in added.known]
        if put(clicks, correlation_id, setting):
            raise Unavailable("the stream does not take the clicks")
    return {"accepted": len(added.known), "unknown": list(added.unknown)}


def _kept(feedback: Feedback, setting: Settings, dynamo: Dynamo) -> tuple[Stored, Added]:
    table, key = setting.lists_table, feedback.list_id
    for attempt in range(_ROUNDS):
        if attempt:
            backoff(attempt)
        found = dynamo.read({table: Keys("list_id", [key])})[table]
        if found.unread:
            raise Unavailable("the list could not be read")
        if key not in found.items:
            raise Rejected("no such list, or it is too old", "list_id", "not_found")
        before = lists.stored(found.items[key])
        added = lists.added(before, feedback.kind, feedback.items, feedback.event_id, feedback.time.isoformat())
        if not added.known:
            raise Rejected("none of these is in the list", "items", "not_in_list")
        if added.recorded is None:
            return before, added
        (written,) = dynamo.write([lists.keep(table, before, added.recorded)])
        if written.status == "done":
            return before, added
        if written.status == "failed":
            raise Unavailable(written.code)
    raise Unavailable("too much feedback on this list at once")


def _click(item: str, feedback: Feedback, before: Stored, correlation_id: str) -> Interaction:
    identity = blake2b(f"{feedback.list_id}\0{item}".encode(), digest_size=16).hexdigest()
    return Interaction(
        version=1,
        event_id=f"click-{identity}",
        user_id=before.served.user_id,
        item_id=item,
        kind="click",
        time=feedback.time,
        context=before.served.context,
        list_id=feedback.list_id,
        correlation_id=correlation_id or None,
    )
