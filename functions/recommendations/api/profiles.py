"""A user's profile: show what is known, and forget it."""

from typing import Any
from urllib.parse import unquote

from cuatro.adapters.dynamodb import Dynamo, Keys
from cuatro.errors import Rejected, Unavailable
from cuatro.interactions import checked_name
from cuatro.times import text_of
from functions.recommendations import profile
from functions.recommendations.api.settings import Settings


def show(user_id: str, setting: Settings, dynamo: Dynamo) -> dict[str, Any]:
    """Items newest first, counters, the last context. Raises Rejected (not_found), Unavailable."""
    name = checked_name(unquote(user_id), "user_id")
    found = dynamo.read({setting.profiles_table: Keys("user_id", [name], ("user_id", "n", "p"))})
    items, unread = found[setting.profiles_table]
    if unread:
        raise Unavailable("the profile could not be read")
    if name not in items:
        raise Rejected("nothing is known of this user", "user_id", "not_found")
    known = profile.stored(items[name])
    return {
        "user_id": name,
        "items": [
            {"item_id": each.item, "kind": each.kind, "value": each.value, "time": text_of(each.time_ms)}
            for each in known.entries
        ],
        "interactions": known.counters,
        "context": known.context,
        "first": text_of(known.first_ms),
        "last": text_of(known.last_ms),
    }


def forget(user_id: str, setting: Settings, dynamo: Dynamo) -> dict[str, Any]:
    """What is known now; lists and the lake end by their own age. Raises Rejected, Unavailable."""
    name = checked_name(unquote(user_id), "user_id")
    return {"user_id": name, "forgotten": dynamo.delete(setting.profiles_table, {"user_id": name})}
