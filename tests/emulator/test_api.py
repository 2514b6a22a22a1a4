"""The HTTP API: a decision while the card waits, blocks, and refusals that say which field and why."""

from typing import Any

import pytest

from functions.fraud.features import FEATURES
from functions.fraud.history import History, tag_of
from tests.emulator.deployed import Item, name
from tests.emulator.suite import Suite, features, transaction
from tests.waiting import eventually


def authorize(suite: Suite, sent: Item) -> Item:
    answer = suite.call("POST", "/authorizations", sent)
    assert answer.status == 200, answer
    body: Item = answer.body
    return body


def terminal_knows(suite: Suite, sent: Item) -> bool:
    item = suite.item("TerminalsTable", terminal_id=sent["terminal_id"])
    return item is not None and tag_of(sent["transaction_id"]) in History.unpack(item["s"])


def test_an_authorization_is_answered_and_counts_once(suite: Suite) -> None:
    sent = transaction(amount=3_000, correlation_id=name("corr"))
    first = authorize(suite, sent)
    assert first["transaction_id"] == sent["transaction_id"]
    assert first["outcome"] in {"approve", "review", "decline"}
    assert first["correlation_id"] == sent["correlation_id"]
    repeated = authorize(suite, sent)
    assert {key: repeated[key] for key in ("outcome", "score", "model_version")} == {
        key: first[key] for key in ("outcome", "score", "model_version")
    }

    # It reaches the terminal by the stream, and the card by the API alone.
    eventually(lambda: terminal_knows(suite, sent), "the transaction at its terminal")
    decision = suite.decided([sent])[sent["transaction_id"]]
    assert decision["outcome"] == first["outcome"]
    assert decision["score"] == pytest.approx(first["score"], abs=1e-6)
    following = transaction(card_id=sent["card_id"], terminal_id=sent["terminal_id"])
    suite.put(following)
    row = features(suite.decided([following])[following["transaction_id"]])
    assert row[FEATURES.index("card_count_24h")] == 1
    assert row[FEATURES.index("terminal_count_24h")] == 1


def test_a_repeat_long_after_answers_the_stored_decision(suite: Suite) -> None:
    sent = transaction()
    first = authorize(suite, sent)
    suite.decided([sent])
    suite.put(transaction(card_id=sent["card_id"]))
    eventually(lambda: (suite.item("CardsTable", card_id=sent["card_id"]) or {}).get("v", 0) >= 2, "a later write")
    assert authorize(suite, sent)["outcome"] == first["outcome"]
    shown = suite.call("GET", f"/decisions/{sent['transaction_id']}")
    assert (shown.status, shown.body["outcome"]) == (200, first["outcome"])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"amount": None}, "amount"),
        ({"amount": "12"}, "amount"),
        ({"amount": -5}, "amount"),
        ({"currency": "EURO"}, "currency"),
        ({"time": "2026-11-23T10:00:00"}, "time"),
        ({"time": "2999-01-01T00:00:00Z"}, "time"),
        ({"card_id": ""}, "card_id"),
        ({"transaction_id": "x" * 65}, "transaction_id"),
        ({"version": 2}, "version"),
    ],
)
def test_a_refusal_says_which_field_and_why(suite: Suite, change: dict[str, Any], field: str) -> None:
    answer = suite.call("POST", "/authorizations", transaction(**change))
    assert answer.status == 400
    assert answer.body["error"]["field"] == field
    assert len(answer.body["error"]["message"]) > 5
    assert answer.body["error"]["code"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe\x00", b'"text"'])
def test_a_body_that_is_no_transaction_is_refused(suite: Suite, body: bytes) -> None:
    answer = suite.call("POST", "/authorizations", body)
    assert answer.status == 400, answer
    assert answer.body["error"]["message"]


def test_a_large_body_is_refused(suite: Suite) -> None:
    answer = suite.call("POST", "/authorizations", transaction(note="x" * 70_000))
    assert answer.status == 413, answer
    labels = [{"version": 1, "transaction_id": "t" * 64, "fraud": True, "note": "x" * 600}] * 450
    assert suite.call("POST", "/labels", {"labels": labels}).status == 413


def test_an_unsigned_call_is_refused(suite: Suite) -> None:
    sent = transaction()
    assert suite.call("POST", "/authorizations", sent, signed=False).status == 403
    assert suite.call("GET", f"/cards/{sent['card_id']}", signed=False).status == 403
    assert suite.item("CardsTable", card_id=sent["card_id"]) is None


def test_unknown_things_are_not_found(suite: Suite) -> None:
    assert suite.call("GET", f"/decisions/{name('t')}").status == 404
    assert suite.call("GET", f"/cards/{name('c')}").status == 404


def test_a_blocked_card_is_declined_until_it_is_unblocked(suite: Suite) -> None:
    card = name("c")
    assert "card_blocked" not in authorize(suite, transaction(card_id=card))["rules"]
    assert suite.call("POST", f"/cards/{card}/block", {"reason": "reported stolen"}).status == 200
    shown = suite.call("GET", f"/cards/{card}")
    assert (shown.status, shown.body["blocked"], shown.body["reason"]) == (200, True, "reported stolen")

    by_api, by_stream = transaction(card_id=card), transaction(card_id=card)
    answer = authorize(suite, by_api)
    assert (answer["outcome"], "card_blocked" in answer["rules"]) == ("decline", True)
    suite.put(by_stream)
    decision = suite.decided([by_stream])[by_stream["transaction_id"]]
    assert (decision["outcome"], "card_blocked" in decision["rules"]) == ("decline", True)

    assert suite.call("POST", f"/cards/{card}/unblock", {"reason": "found again"}).status == 200
    assert suite.call("GET", f"/cards/{card}").body["blocked"] is False
    assert "card_blocked" not in authorize(suite, transaction(card_id=card))["rules"]
