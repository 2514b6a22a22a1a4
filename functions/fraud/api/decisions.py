"""A transaction id -> its decision, as it was acted upon."""

from typing import Any

from cuatro.adapters.dynamodb import Dynamo, Keys
from cuatro.errors import Rejected, Unavailable
from cuatro.events import checked_id
from functions.fraud.api.settings import Settings

_INTERNAL = {"features", "x"}


def show(transaction_id: str, setting: Settings, dynamo: Dynamo) -> dict[str, Any]:
    """Raises Rejected (not_found), Unavailable."""
    table, key = setting.decisions_table, checked_id(transaction_id, "transaction_id")
    found = dynamo.read({table: Keys("transaction_id", [key])})[table]
    if found.unread:
        raise Unavailable("the decision could not be read")
    if key not in found.items:
        raise Rejected("no decision of this transaction", "transaction_id", "not_found")
    return {name: value for name, value in found.items[key].items() if name not in _INTERNAL}
