"""Labels -> the label store, each with what its transaction was.

Training reads them there, and `learn` follows the store's stream.
"""

from typing import Any

import numpy as np

from cuatro.adapters.dynamodb import Dynamo, Keys
from cuatro.errors import Rejected, Unavailable
from cuatro.events import decode_labels, milliseconds
from cuatro.times import text_of
from functions.fraud.api.settings import Settings
from functions.fraud.decide import Policy
from functions.fraud.features import FEATURES

_NAMES = ("transaction_id", "card_id", "terminal_id", "amount", "currency", "time", "features")
_RATIO = FEATURES.index("card_profile_ratio")


def store_labels(body: bytes, now: float, setting: Settings, dynamo: Dynamo) -> dict[str, Any]:
    """{"accepted": number, "unknown": ids of transactions that were never decided}; a later label replaces an earlier.

    Raises Rejected for bad input or when no transaction is known, Unavailable.
    """
    labels = {label.transaction_id: label for label in decode_labels(body, now)}
    policy = Policy.from_json(setting.policy)
    table = setting.decisions_table
    known, unread = dynamo.read({table: Keys("transaction_id", labels, _NAMES)})[table]
    if unread:
        raise Unavailable("decisions could not be read")
    if not known:
        raise Rejected("no transaction of these labels was decided here", "labels", "not_found")
    items = []
    for key, decision in known.items():
        label = labels[key]
        items.append(
            {
                "transaction_id": key,
                "fraud": label.fraud,
                "time": text_of(milliseconds(label.time)),
                "source": label.source,
                "card_id": decision["card_id"],
                "terminal_id": decision["terminal_id"],
                "transaction_time": decision["time"],
                "amount": policy.in_base(decision["amount"], decision["currency"]),
                "ratio": float(np.frombuffer(decision["features"], "<f4")[_RATIO]),
            }
        )
    dynamo.put_all(setting.labels_table, items)
    return {"accepted": len(items), "unknown": sorted(labels.keys() - known.keys())}
