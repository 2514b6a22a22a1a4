"""Kinesis -> score -> cards -> act -> decisions, bus and alerts, in the deployed suite with the real model."""

import json

import pytest

from functions.fraud.features import FEATURES
from tests.emulator.deployed import Queue, name
from tests.emulator.suite import Suite, features, transaction
from tests.waiting import eventually

ABSURD = 2_000_000  # minor units: above the policy's hard limit


def test_every_transaction_gets_one_decision(suite: Suite) -> None:
    sent = [transaction(amount=500 + n, merchant_id="m-1") for n in range(40)]
    suite.put(*sent)
    decisions = suite.decided(sent)
    for each in sent:
        decision = decisions[each["transaction_id"]]
        assert {key: decision[key] for key in ("card_id", "terminal_id", "amount", "currency")} == {
            key: each[key] for key in ("card_id", "terminal_id", "amount", "currency")
        }
        assert decision["outcome"] in {"approve", "review", "decline"}
        assert 0 <= decision["score"] <= 1
        assert features(decision).shape == (len(FEATURES),)
        assert features(decision)[FEATURES.index("amount")] == pytest.approx(each["amount"] / 100)
        assert decision["latency_ms"] >= 0
    assert len({decision["model_version"] for decision in decisions.values()}) == 1


def test_one_correlation_id_from_event_to_decision_to_alert(suite: Suite, alerts: Queue, events: Queue) -> None:
    sent = transaction(amount=ABSURD, correlation_id=name("corr"))
    suite.put(sent)
    decision = suite.decided([sent])[sent["transaction_id"]]
    assert (decision["outcome"], decision["correlation_id"]) == ("decline", sent["correlation_id"])
    assert "hard_limit" in decision["rules"]

    alert = alerts.first(lambda a: a["transaction_id"] == sent["transaction_id"], "the alert")
    assert alert["correlation_id"] == sent["correlation_id"]
    assert alert["model_version"] == decision["model_version"]
    assert alert["reasons"]
    assert all(isinstance(reason, str) and " " in reason for reason in alert["reasons"])

    event = events.first(lambda e: e["detail"].get("transaction_id") == sent["transaction_id"], "the event")
    assert event["detail-type"] == "TransactionScored"
    assert (event["detail"]["correlation_id"], event["detail"]["outcome"]) == (sent["correlation_id"], "decline")

    line = eventually(
        lambda: next(iter(suite.logs("ScoreFunction", sent["correlation_id"])), None),
        "a log line with the correlation id",
    )
    assert json.loads(line)["service"] == "fraud"


def test_an_approved_transaction_alerts_nobody(suite: Suite, alerts: Queue) -> None:
    quiet, loud = transaction(amount=900), transaction(amount=ABSURD)
    suite.put(quiet)
    suite.decided([quiet])
    suite.put(loud)
    alerts.first(lambda a: a["transaction_id"] == loud["transaction_id"], "the alert of the later transaction")
    assert suite.decision(quiet["transaction_id"])["outcome"] == "approve"
    assert not [a for a in alerts.messages() if a["transaction_id"] == quiet["transaction_id"]]


def test_a_transaction_delivered_again_is_decided_and_told_once(suite: Suite, events: Queue) -> None:
    sent = transaction()
    suite.put(sent, sent)
    first = suite.decided([sent])
    suite.put(sent)
    last = transaction(card_id=sent["card_id"], terminal_id=sent["terminal_id"])
    suite.put(last)
    after = suite.decided([last])[last["transaction_id"]]
    assert features(after)[FEATURES.index("card_count_24h")] == 1
    assert features(after)[FEATURES.index("terminal_count_24h")] == 1
    assert suite.decision(sent["transaction_id"]) == first[sent["transaction_id"]]
    events.first(lambda e: e["detail"].get("transaction_id") == last["transaction_id"], "the last event")
    told = [e for e in events.messages() if e["detail"].get("transaction_id") == sent["transaction_id"]]
    assert len(told) == 1


def test_state_and_decisions_carry_their_expiry(suite: Suite) -> None:
    sent = transaction()
    suite.put(sent)
    decision = suite.decided([sent])[sent["transaction_id"]]
    card = suite.item("CardsTable", card_id=sent["card_id"])
    terminal = eventually(lambda: suite.item("TerminalsTable", terminal_id=sent["terminal_id"]), "the terminal")
    assert min(decision["x"], card["x"], terminal["x"]) > suite.began_ms / 1000
