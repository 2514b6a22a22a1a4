"""Labels by the API -> label store -> terminal risk and decisions."""

from typing import Any

import pytest

from cuatro.errors import Unavailable
from tests.functional.suite import Suite, client, transaction

TIME = "2026-01-02T00:00:00Z"


def label(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "version": 1, "transaction_id": f"t-{number}", "fraud": True, "time": TIME, "source": "chargeback", **changes
    }  # fmt: skip


def post(suite: Suite, *labels: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    return suite.call("POST", "/labels", {"labels": list(labels)})


@pytest.fixture
def decided(suite: Suite) -> Suite:
    suite.score(transaction(1, amount=2_000, currency="USD"), transaction(2))
    suite.act()
    return suite


def test_a_label_reaches_store_terminal_and_decision(decided: Suite) -> None:
    assert post(decided, label(1), label(2, fraud=False)) == (200, {"accepted": 2, "unknown": []})
    decided.learn()
    stored = decided.items("labels")["t-1"]
    assert (stored["fraud"], stored["terminal_id"], stored["source"], stored["amount"]) == (
        True, "s-1", "chargeback", 1_800,
    )  # fmt: skip
    assert [decided.items("decisions")[f"t-{n}"]["label"] for n in (1, 2)] == [True, False]
    assert len(decided.history("terminals", "s-1").frauds) == 3  # three words: one fraud


def test_a_label_twice_counts_once_and_a_later_one_corrects_it(decided: Suite) -> None:
    assert post(decided, label(1), label(1))[1]["accepted"] == 1
    post(decided, label(1))
    decided.learn()
    assert len(decided.history("terminals", "s-1").frauds) == 3
    post(decided, label(1, fraud=False))
    decided.learn()
    assert len(decided.history("terminals", "s-1").frauds) == 0
    assert decided.items("decisions")["t-1"]["label"] is False


def test_labels_of_unknown_transactions_are_told(decided: Suite) -> None:
    assert post(decided, label(1), label(99)) == (200, {"accepted": 1, "unknown": ["t-99"]})
    assert post(decided, label(99))[0] == 404


def test_500_labels_are_taken_and_501_are_not(suite: Suite) -> None:
    suite.score(*(transaction(n, card_id=f"c-{n}") for n in range(500)))
    suite.act()
    assert post(suite, *(label(n) for n in range(500)))[1]["accepted"] == 500
    status, answer = post(suite, *(label(n) for n in range(501)))
    assert (status, answer["error"]["field"]) == (400, "labels")


def test_one_bad_label_refuses_all_and_is_named(decided: Suite) -> None:
    status, answer = post(decided, label(1), label(2, fraud="yes"))
    assert (status, answer["error"]["field"]) == (400, "labels[1].fraud")
    assert decided.items("labels") == {}


def test_a_label_that_cannot_be_learned_now_is_learned_later(decided: Suite) -> None:
    post(decided, label(1), label(2, fraud=False))
    decided.wire.throttle("t-1", times=4)
    assert len(decided.learn()["batchItemFailures"]) == 1
    assert [each["transaction_id"] for each in decided.lake("labels")] == ["t-2"]
    assert decided.learn() == {"batchItemFailures": []}
    assert decided.items("decisions")["t-1"]["label"] is True
    assert {each["transaction_id"] for each in decided.lake("labels")} == {"t-1", "t-2"}


def test_while_nothing_can_be_learned_all_of_it_waits(decided: Suite) -> None:
    post(decided, label(1))
    decided.wire.refuse("BatchExecuteStatement", "ThrottlingException")
    with pytest.raises(Unavailable, match="Throttling"):
        decided.learn()
    decided.wire.repair()
    decided.wire.down("PutRecordBatch")
    with pytest.raises(Unavailable, match="the lake did not take the label"):
        decided.learn()
    decided.wire.repair()
    assert decided.learn() == {"batchItemFailures": []}
    (line,) = decided.lake("labels")
    assert (line["transaction_id"], line["fraud"], line["time"], line["source"]) == ("t-1", True, TIME, "chargeback")


def test_labels_of_many_terminals_take_few_calls(suite: Suite) -> None:
    suite.score(*(transaction(n, card_id=f"c-{n}", terminal_id=f"s-{n % 5}") for n in range(20)))
    suite.act()
    post(suite, *(label(n) for n in range(20)))
    suite.wire.calls.clear()
    suite.learn()
    assert suite.wire.calls == {"BatchGetItem": 1, "BatchExecuteStatement": 2, "PutRecordBatch": 1}
    assert [len(suite.history("terminals", f"s-{n}").frauds) for n in range(5)] == [12] * 5


def test_a_damaged_label_stops_no_other(decided: Suite) -> None:
    post(decided, label(1))
    item = {"transaction_id": {"S": "t-9"}, "fraud": {"S": "perhaps"}}
    client("dynamodb").put_item(TableName="labels", Item=item)
    assert len(decided.learn()["batchItemFailures"]) == 1
    assert decided.items("decisions")["t-1"]["label"] is True


def test_a_terminal_that_somebody_writes_meanwhile_keeps_both(decided: Suite) -> None:
    post(decided, label(1))
    decided.wire.first("BatchExecuteStatement", lambda: decided.score(transaction(3)) and None)
    decided.learn()
    history = decided.history("terminals", "s-1")
    assert (len(history), len(history.frauds)) == (3, 3)
