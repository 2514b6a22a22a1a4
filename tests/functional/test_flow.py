"""A stream of transactions through score and act, to decisions, events and alerts."""

from collections import Counter
from collections.abc import Callable

from functions.fraud.features import FEATURES
from tests.functional.suite import Suite, transaction

Metrics = Callable[[], Counter[str]]


def test_good_transactions_are_decided_and_acted_upon_once(suite: Suite, metrics: Metrics) -> None:
    bodies = [transaction(1), transaction(2, amount=12_000), transaction(3, amount=40_000, correlation_id="order-3")]
    assert suite.score(*bodies) == {"batchItemFailures": []}
    assert suite.act() == {"batchItemFailures": []}

    decisions = suite.items("decisions")
    assert {key: each["outcome"] for key, each in decisions.items()} == {
        "t-1": "approve", "t-2": "review", "t-3": "decline",
    }  # fmt: skip
    declined = decisions["t-3"]
    assert declined["model_version"] == "tiny-1"
    assert declined["correlation_id"] == "order-3"
    assert declined["rules"] == ["score_decline"]
    assert len(declined["features"]) == 4 * len(FEATURES)
    assert [each["transaction_id"] for each in suite.events()] == ["t-1", "t-2", "t-3"]
    assert [(each["transaction_id"], each["correlation_id"]) for each in suite.alerts()] == [
        ("t-2", "t-2"), ("t-3", "order-3"),
    ]  # fmt: skip
    assert "times the card's usual" in suite.alerts()[1]["reasons"][0]
    assert len(suite.history("cards", "c-1")) == len(suite.history("terminals", "s-1")) == 3
    counted = metrics()
    assert counted["TransactionsScored"] == 3
    assert (counted["Approved"], counted["Reviewed"], counted["Declined"], counted["AlertsPublished"]) == (1, 1, 1, 2)
