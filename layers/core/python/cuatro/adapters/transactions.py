"""Changes of several items, of several tables -> all of them or none (DynamoDB's TransactWriteItems)."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from cuatro.adapters.attributes import Item, encoded
from cuatro.adapters.aws import ATTEMPTS, THROTTLED, backoff, called
from cuatro.errors import Refused, Unavailable

_REASONS = re.compile(r"\[([A-Za-z, ]+)\]")
_FAILED = "ConditionalCheckFailed"


class Update(NamedTuple):
    """One item's change; :names in `values`. Without a condition it creates the item where there is none."""

    table: str
    key: Item
    expression: str
    values: Item
    condition: str = ""


def transact(updates: Sequence[Update]) -> list[bool]:
    """[] when all is done; else nothing is, and for each update: is it one whose condition does not hold?

    Transactions that meet at an item are tried again. Raises Unavailable or Refused.
    """
    for attempt in range(ATTEMPTS):
        if attempt:
            backoff(attempt)
        try:
            called("dynamodb", "transact_write_items", TransactItems=[{"Update": _request(each)} for each in updates])
        except Refused as refused:
            reasons = _reasons(refused, len(updates))
            if _FAILED in reasons:
                return [reason == _FAILED for reason in reasons]
            if not set(reasons) & THROTTLED:
                raise
        else:
            return []
    raise Unavailable("TransactWriteItems: others change the same items")


def _request(update: Update) -> dict[str, Any]:
    request: dict[str, Any] = {
        "TableName": update.table,
        "Key": encoded(update.key),
        "UpdateExpression": update.expression,
    }
    if update.values:
        request["ExpressionAttributeValues"] = encoded(update.values)
    if update.condition:
        request["ConditionExpression"] = update.condition
    return request


def _reasons(refused: Refused, count: int) -> list[str]:
    """DynamoDB puts the reasons, in the order of the updates, into the message: [ConditionalCheckFailed, None]."""
    found = _REASONS.search(str(refused)) if refused.code == "TransactionCanceledException" else None
    reasons = [each.strip() for each in found[1].split(",")] if found else []
    return reasons if len(reasons) == count else [""] * count
