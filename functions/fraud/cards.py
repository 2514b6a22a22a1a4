"""Block and unblock a card: its item gets or loses a reason, as a new version, so that decisions under way see it."""

from cuatro.adapters.dynamodb import Dynamo
from functions.fraud.history import RETENTION

BY_NOBODY_ELSE = "attribute_not_exists(b) OR b = :b"
"""Condition: leave a block alone that has another reason."""


def block(dynamo: Dynamo, table: str, card_id: str, reason: str, condition: str | None = None) -> None:
    """The item loses its expiry, or the block would expire; and its outbox, which its own write has delivered.

    Raises Refused with code ConditionalCheckFailedException, Unavailable.
    """
    change = "SET b = :b REMOVE d, x ADD v :one"
    dynamo.update(table, {"card_id": card_id}, change, {":b": reason, ":one": 1}, condition)


def unblock(dynamo: Dynamo, table: str, card_id: str, now: float) -> None:
    """now: unix seconds. Raises Refused with code ConditionalCheckFailedException for an unknown card, Unavailable."""
    change = "SET x = :x REMOVE b, d ADD v :one"
    values = {":x": int(now) + RETENTION, ":one": 1}
    dynamo.update(table, {"card_id": card_id}, change, values, "attribute_exists(card_id)")
