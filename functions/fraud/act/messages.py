"""A decision with its reasons -> what each receiver gets: bus, people, stream, lake, decisions table."""

import msgspec

from cuatro.adapters.attributes import Item
from cuatro.adapters.publishing import Alert, Record
from cuatro.currencies import formatted
from cuatro.events import Transaction, TransactionScored
from cuatro.times import text_of, time_of
from functions.fraud.features import FEATURE_SET
from functions.fraud.lake import DecisionRecorded, ShadowRecorded
from functions.fraud.outbox import DecidedTransaction

RETENTION_S = 400 * 86400
"""Decisions are kept as long as a chargeback may come, and a little more."""


def event(decision: DecidedTransaction, reasons: list[str]) -> TransactionScored:
    """For the bus."""
    return TransactionScored(
        transaction_id=decision.transaction_id,
        card_id=decision.card_id,
        terminal_id=decision.terminal_id,
        merchant_id=decision.merchant_id,
        amount=decision.amount,
        currency=decision.currency,
        time=text_of(decision.time),
        outcome=decision.outcome,
        score=decision.score,
        rules=list(decision.rules),
        reasons=reasons,
        model_version=decision.model_version,
        decided_at=text_of(decision.decided_at),
        latency_ms=decision.latency_ms,
        correlation_id=decision.correlation_id,
    )


def alert(decision: DecidedTransaction, reasons: list[str]) -> Alert:
    """For people; `decision` is the path of the whole decision in the API."""
    amount = formatted(decision.amount, decision.currency)
    body = {
        "outcome": decision.outcome,
        "transaction_id": decision.transaction_id,
        "card_id": decision.card_id,
        "terminal_id": decision.terminal_id,
        "amount": amount,
        "time": text_of(decision.time),
        "score": round(decision.score, 4),
        "reasons": reasons,
        "rules": decision.rules,
        "model_version": decision.model_version,
        "decision": f"/decisions/{decision.transaction_id}",
        "correlation_id": decision.correlation_id,
    }
    attributes = {"outcome": decision.outcome, "correlation_id": decision.correlation_id}
    return Alert(f"{decision.outcome.capitalize()}: {amount} with card {decision.card_id}", body, attributes)


def record(decision: DecidedTransaction) -> Record:
    """For the stream, so that terminals learn of a transaction that came by the API."""
    transaction = Transaction(
        version=1,
        transaction_id=decision.transaction_id,
        card_id=decision.card_id,
        terminal_id=decision.terminal_id,
        merchant_id=decision.merchant_id,
        amount=decision.amount,
        currency=decision.currency,
        time=time_of(decision.time),
        correlation_id=decision.correlation_id,
        channel="api",
    )
    return Record(decision.card_id, msgspec.json.encode(transaction))


def line(decision: DecidedTransaction) -> DecisionRecorded:
    """For the lake."""
    shadow = decision.shadow
    return DecisionRecorded(
        transaction_id=decision.transaction_id,
        card_id=decision.card_id,
        terminal_id=decision.terminal_id,
        merchant_id=decision.merchant_id,
        amount=decision.amount,
        currency=decision.currency,
        time=time_of(decision.time),
        channel=decision.channel,
        outcome=decision.outcome,
        score=decision.score,
        rules=decision.rules,
        model_version=decision.model_version,
        shadow=ShadowRecorded(shadow.version, shadow.score, shadow.outcome) if shadow else None,
        features=decision.features,
        feature_set=FEATURE_SET,
        decided_at=time_of(decision.decided_at),
        latency_ms=decision.latency_ms,
        correlation_id=decision.correlation_id,
    )


def item(decision: DecidedTransaction, reasons: list[str]) -> Item:
    """For the decisions table."""
    shadow = decision.shadow
    return {
        "transaction_id": decision.transaction_id,
        "card_id": decision.card_id,
        "terminal_id": decision.terminal_id,
        "merchant_id": decision.merchant_id,
        "amount": decision.amount,
        "currency": decision.currency,
        "time": text_of(decision.time),
        "outcome": decision.outcome,
        "score": decision.score,
        "rules": list(decision.rules),
        "reasons": reasons,
        "features": decision.features,
        "model_version": decision.model_version,
        "shadow": shadow and {"version": shadow.version, "score": shadow.score, "outcome": shadow.outcome},
        "decided_at": text_of(decision.decided_at),
        "latency_ms": decision.latency_ms,
        "correlation_id": decision.correlation_id,
        "channel": decision.channel,
        "x": decision.decided_at // 1000 + RETENTION_S,
    }
