"""The deployed fraud pipeline as a test sees it: transactions in, decisions out. Every wait has a deadline."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from tests.emulator.deployed import Deployed, Item, name, rfc3339
from tests.waiting import DEADLINE_S, eventually


def transaction(ago: timedelta = timedelta(0), **fields: Any) -> Item:
    """A purchase of its own card at its own terminal, `ago` before now; None leaves a field out."""
    made = {
        "version": 1,
        "transaction_id": name("t"),
        "card_id": name("c"),
        "terminal_id": name("p"),
        "amount": 1250,
        "currency": "EUR",
        "time": rfc3339(datetime.now(UTC) - ago),
    }
    return {key: value for key, value in (made | fields).items() if value is not None}


class Suite(Deployed):
    """With the questions that tests ask of decisions."""

    def decision(self, transaction_id: str) -> Item | None:
        return self.item("DecisionsTable", transaction_id=transaction_id)

    def decided(self, transactions: Iterable[Item], deadline_s: float = DEADLINE_S) -> dict[str, Item]:
        """Decisions of all these transactions, by id, once all are there."""
        waiting = {t["transaction_id"] for t in transactions}
        found: dict[str, Item] = {}

        def probe() -> bool:
            for transaction_id in list(waiting):
                item = self.decision(transaction_id)
                if item is None:
                    return False
                found[transaction_id] = item
                waiting.discard(transaction_id)
            return True

        eventually(probe, f"decisions of {sorted(waiting)[:5]}...", deadline_s)
        return found


def features(decision: Item) -> np.ndarray:
    """The stored feature vector, float32."""
    return np.frombuffer(decision["features"], "<f4")
