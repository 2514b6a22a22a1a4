"""A transaction while the card waits -> the decision, with reasons: the same code as the stream's, a batch of one.

The card's state and the outbox are written here; the outbox consumer puts the transaction on the stream, where the
terminal learns of it. A repeat of a transaction_id answers the decision that was made.
"""

import time
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools import Metrics
from msgspec.structs import replace

from cuatro.adapters.attributes import Item
from cuatro.adapters.dynamodb import Dynamo, Keys
from cuatro.errors import Rejected, Unavailable
from cuatro.events import Transaction, decode_transaction
from cuatro.times import text_of
from functions.fraud.api.settings import Settings
from functions.fraud.outbox import DecidedTransaction, decode
from functions.fraud.reasons import reasons_of
from functions.fraud.score import report
from functions.fraud.score.batch import decide_all
from functions.fraud.score.loading import scorer
from functions.fraud.state import DynamoState

_LOOKS, _PAUSE_S = 5, 0.2
"""An earlier decision is in the card's outbox or in the decisions table, except for a moment between the two."""


def authorize(body: bytes, correlation_id: str, setting: Settings, dynamo: Dynamo, metrics: Metrics) -> dict[str, Any]:
    """The answer. Raises Rejected for bad input, Unavailable when no decision could be made."""
    arrived = time.time()
    transaction = decode_transaction(body, arrived, setting.max_age_days * 86400)
    transaction = replace(transaction, channel="api", correlation_id=transaction.correlation_id or correlation_id)
    decider = scorer(setting.model_uri, setting.shadow_model_uri, setting.policy)
    arrival = decider.arrival(transaction, int(arrived * 1000))
    state = DynamoState(dynamo, setting.cards_table, setting.terminals_table)
    result = decide_all([arrival], state, decider, time.time, terminals_too=False)
    if result.failed:
        raise Unavailable(result.failed[0])
    report.decisions(metrics, result)

    def explained(decision: DecidedTransaction) -> dict[str, Any]:
        models = [decider.model, decider.shadow] if decider.shadow else [decider.model]
        return _answer(decision, reasons_of([decision], models)[0])

    if result.decided:
        return explained(result.decided[0])
    return _earlier(transaction, setting, dynamo, explained)


def _earlier(
    transaction: Transaction,
    setting: Settings,
    dynamo: Dynamo,
    explained: Callable[[DecidedTransaction], dict[str, Any]],
) -> dict[str, Any]:
    card, key = transaction.card_id, transaction.transaction_id
    for look in range(_LOOKS):
        if look:
            time.sleep(_PAUSE_S)
        found = dynamo.read(
            {
                setting.cards_table: Keys("card_id", [card], ("card_id", "d")),
                setting.decisions_table: Keys("transaction_id", [key]),
            }
        )
        if item := found[setting.decisions_table].items.get(key):
            return _same(transaction, item)
        outbox = found[setting.cards_table].items.get(card, {}).get("d")
        for decision in decode(outbox) if outbox else []:
            if decision.transaction_id == key:
                return _same(transaction, explained(decision))
    raise Unavailable("this transaction was decided a moment ago, its decision cannot be read yet")


def _same(transaction: Transaction, earlier: Item) -> dict[str, Any]:
    for name in ("card_id", "terminal_id", "amount", "currency"):
        if earlier[name] != getattr(transaction, name):
            raise Rejected(f"was used for a transaction with another {name}", "transaction_id", "transaction_id_reused")
    return {name: earlier[name] for name in _ANSWERED}


_ANSWERED = (
    "transaction_id", "card_id", "terminal_id", "amount", "currency", "outcome", "score", "rules", "reasons",
    "model_version", "decided_at", "correlation_id",
)  # fmt: skip


def _answer(decision: DecidedTransaction, reasons: list[str]) -> dict[str, Any]:
    own = {name: getattr(decision, name) for name in _ANSWERED if name not in {"reasons", "decided_at", "rules"}}
    return {**own, "rules": list(decision.rules), "reasons": reasons, "decided_at": text_of(decision.decided_at)}
