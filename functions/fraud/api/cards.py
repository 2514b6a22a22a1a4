"""A card's block: show, set, take away."""

import time
from typing import Annotated, Any

import msgspec

from cuatro.adapters.dynamodb import Dynamo, Keys
from cuatro.errors import Refused, Rejected, Unavailable
from cuatro.events import checked_id, decode_body
from functions.fraud.api.settings import Settings
from functions.fraud.cards import block, unblock
from functions.fraud.history import History


class Change(msgspec.Struct, frozen=True):
    """The body of a block or unblock."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


def show(card_id: str, setting: Settings, dynamo: Dynamo) -> dict[str, Any]:
    """Is it blocked and why; how many of its transactions are known. Raises Rejected (not_found), Unavailable."""
    found = dynamo.read({setting.cards_table: Keys("card_id", [checked_id(card_id, "card_id")])})[setting.cards_table]
    if found.unread:
        raise Unavailable("the card could not be read")
    item = found.items.get(card_id)
    if item is None:
        raise Rejected("no such card", "card_id", "not_found")
    return {
        "card_id": card_id,
        "blocked": "b" in item,
        "reason": item.get("b"),
        "transactions": len(History.unpack(item.get("s"))),
    }


def block_card(card_id: str, body: bytes, setting: Settings, dynamo: Dynamo) -> dict[str, Any]:
    """Also a card that was never seen. Raises Rejected, Unavailable."""
    reason = decode_body(body, Change).reason
    block(dynamo, setting.cards_table, checked_id(card_id, "card_id"), reason)
    return {"card_id": card_id, "blocked": True, "reason": reason}


def unblock_card(card_id: str, body: bytes, setting: Settings, dynamo: Dynamo) -> dict[str, Any]:
    """Raises Rejected (not_found), Unavailable."""
    reason = decode_body(body, Change).reason
    try:
        unblock(dynamo, setting.cards_table, checked_id(card_id, "card_id"), time.time())
    except Refused as refused:
        if refused.code != "ConditionalCheckFailedException":
            raise
        raise Rejected("no such card", "card_id", "not_found") from None
    return {"card_id": card_id, "blocked": False, "reason": reason}
