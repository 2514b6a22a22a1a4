"""POST /labels -> label store -> terminal risk -> the features of the terminal's next transaction."""

from datetime import UTC, datetime, timedelta

from functions.fraud.features import FEATURES
from tests.emulator.deployed import Item, name, rfc3339
from tests.emulator.suite import Suite, features, transaction
from tests.waiting import eventually


def label(sent: Item, fraud: object) -> Item:
    made = {"version": 1, "transaction_id": sent["transaction_id"], "fraud": fraud, "source": "chargeback"}
    return made | {"time": rfc3339(datetime.now(UTC))}


def risk(suite: Suite, terminal: str) -> float:
    """Frauds that the terminal's next transaction sees."""
    following = transaction(terminal_id=terminal)
    suite.put(following)
    row = features(suite.decided([following])[following["transaction_id"]])
    return float(row[FEATURES.index("terminal_frauds_30d")])


def test_a_confirmed_fraud_raises_the_risk_of_its_terminal(suite: Suite) -> None:
    terminal = name("p")
    past = [transaction(timedelta(days=9, hours=n), terminal_id=terminal, amount=4_000 + n) for n in range(4)]
    suite.put(*past)
    suite.decided(past)
    assert risk(suite, terminal) == 0

    answer = suite.call("POST", "/labels", {"labels": [label(past[0], True), label(past[1], False)]})
    assert answer.status in {200, 202}, answer
    eventually(
        lambda: (suite.decision(past[0]["transaction_id"]) or {}).get("label") is True, "the label at the decision"
    )
    eventually(lambda: (suite.decision(past[1]["transaction_id"]) or {}).get("label") is False, "the clear")
    stored = suite.item("LabelsTable", transaction_id=past[0]["transaction_id"])
    assert (stored["fraud"], stored["source"], stored["terminal_id"]) == (True, "chargeback", terminal)
    eventually(lambda: risk(suite, terminal) == 1, "the fraud in the terminal's features", 30)


def test_the_same_label_twice_counts_once(suite: Suite) -> None:
    terminal = name("p")
    past = transaction(timedelta(days=9), terminal_id=terminal)
    suite.put(past)
    suite.decided([past])
    for _ in range(2):
        assert suite.call("POST", "/labels", {"labels": [label(past, True)] * 2}).status in {200, 202}
    eventually(lambda: risk(suite, terminal) > 0, "the fraud in the terminal's features", 30)
    assert risk(suite, terminal) == 1


def test_a_wrong_label_says_which_and_why(suite: Suite) -> None:
    good = transaction()
    suite.put(good)
    suite.decided([good])
    answer = suite.call("POST", "/labels", {"labels": [label(good, True), label(good, "yes")]})
    assert answer.status == 400
    assert answer.body["error"]["field"] == "labels[1].fraud"
    assert suite.item("LabelsTable", transaction_id=good["transaction_id"]) is None
