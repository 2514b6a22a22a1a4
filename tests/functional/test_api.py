"""The HTTP API: decisions while the card waits, labels, blocks, and answers to bad input."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tests.functional.suite import Suite, transaction


def authorize(suite: Suite, body: Any, **headers: str) -> tuple[int, dict[str, Any]]:
    return suite.call("POST", "/authorizations", body, {name.replace("_", "-"): each for name, each in headers.items()})


def test_an_authorization_is_decided_with_reasons_and_a_correlation_id(suite: Suite) -> None:
    status, answer = authorize(suite, transaction(1, amount=40_000), x_correlation_id="checkout-7")
    assert (status, answer["outcome"], answer["correlation_id"]) == (200, "decline", "checkout-7")
    assert "times the card's usual" in answer["reasons"][0]
    assert suite.headers["x-correlation-id"] == "checkout-7"
    suite.act()
    assert suite.items("decisions")["t-1"]["correlation_id"] == "checkout-7"
    assert suite.alerts()[0]["correlation_id"] == "checkout-7"


def test_a_repeated_authorization_gets_the_same_answer(suite: Suite, metrics: Callable[[], Counter[str]]) -> None:
    body = transaction(1, amount=40_000)
    _, first = authorize(suite, body)
    assert authorize(suite, body) == (200, first)  # from the outbox
    suite.act()
    authorize(suite, transaction(2))  # replaces the outbox
    assert authorize(suite, body) == (200, first)  # from the decisions table
    assert metrics()["TransactionsScored"] == 2
    status, answer = authorize(suite, {**body, "amount": 1})
    assert (status, answer["error"]["code"]) == (409, "transaction_id_reused")


def test_a_repeat_between_outbox_and_decisions_is_told_to_come_back(
    suite: Suite, environment: pytest.MonkeyPatch
) -> None:
    environment.setattr("functions.fraud.api.authorize._PAUSE_S", 0)
    authorize(suite, transaction(1))
    authorize(suite, transaction(2))
    status, answer = authorize(suite, transaction(1))
    assert (status, answer["error"]["code"], suite.headers["Retry-After"]) == (503, "unavailable", "1")


def test_an_authorization_reaches_the_terminal_by_the_stream_and_counts_once(
    suite: Suite, metrics: Callable[[], Counter[str]]
) -> None:
    authorize(suite, transaction(1))
    assert "s-1" not in suite.items("terminals")
    suite.act()
    (streamed,) = suite.streamed()
    assert json.loads(streamed)["channel"] == "api"
    metrics()
    suite.score(streamed)
    assert len(suite.history("cards", "c-1")) == len(suite.history("terminals", "s-1")) == 1
    assert (metrics()["Duplicates"], len(suite.items("decisions"))) == (0, 1)


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"amount": -5}, "amount", "out_of_range"),
        ({"amount": "5"}, "amount", "wrong_type"),
        ({"currency": "XYZ"}, "currency", "unknown_currency"),
        ({"time": "2026-01-01T10:00:00"}, "time", "time_without_zone"),
        ({"card_id": "a b"}, "card_id", "invalid_value"),
        ({"version": 2}, "version", "unknown_version"),
    ],
)
def test_a_bad_authorization_is_told_which_field_and_why(
    suite: Suite, change: dict[str, Any], field: str, code: str
) -> None:
    status, answer = authorize(suite, {**transaction(1), **change})
    assert status == 400
    assert (answer["error"]["field"], answer["error"]["code"]) == (field, code)
    assert answer["error"]["message"]
    assert suite.items("cards") == {}


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[]", b"null"])
def test_what_is_no_transaction_is_refused(suite: Suite, body: bytes) -> None:
    assert authorize(suite, body)[0] == 400


def test_large_bodies_are_refused(suite: Suite) -> None:
    assert authorize(suite, b" " * 65_537)[0] == 413
    assert suite.call("POST", "/labels", b" " * 262_145)[0] == 413


def test_errors_of_the_router_have_the_same_shape(suite: Suite) -> None:
    status, answer = authorize(suite, transaction(1), Content_Type="text/plain")
    assert (status, answer["error"]["code"]) == (415, "unsupported_media_type")
    status, answer = suite.call("DELETE", "/authorizations")
    assert (status, answer["error"]["code"]) == (405, "method_not_allowed")


def test_dynamodb_down_is_told_to_come_back(suite: Suite) -> None:
    suite.wire.down("BatchGetItem")
    assert authorize(suite, transaction(1))[0] == 503
    suite.wire.repair()
    assert authorize(suite, transaction(1))[0] == 200


def test_a_blocked_card_is_declined_until_unblocked(suite: Suite) -> None:
    card = {"card_id": "c-1"}
    assert suite.call("POST", "/cards/{card_id}/block", {"reason": "stolen"}, **card)[0] == 200
    assert suite.call("GET", "/cards/{card_id}", **card)[1] == {
        **card, "blocked": True, "reason": "stolen", "transactions": 0,
    }  # fmt: skip
    _, answer = authorize(suite, transaction(1))
    assert (answer["outcome"], answer["rules"], answer["reasons"][0]) == (
        "decline", ["card_blocked"], "the card is blocked",
    )  # fmt: skip
    assert "x" not in suite.items("cards")["c-1"], "a block must not expire"
    assert suite.call("POST", "/cards/{card_id}/unblock", {"reason": "found"}, **card)[0] == 200
    assert authorize(suite, transaction(2))[1]["outcome"] == "approve"
    assert suite.items("cards")["c-1"]["x"] > 0


@pytest.mark.parametrize("verb", ["block", "unblock"])
def test_a_block_needs_a_reason_and_a_proper_card(suite: Suite, verb: str) -> None:
    status, answer = suite.call("POST", f"/cards/{{card_id}}/{verb}", {}, card_id="c-1")
    assert (status, answer["error"]["field"]) == (400, "reason")
    status, answer = suite.call("POST", f"/cards/{{card_id}}/{verb}", {"reason": "x"}, card_id="c 1")
    assert (status, answer["error"]["field"]) == (400, "card_id")


def test_unknown_things_are_not_found(suite: Suite) -> None:
    assert suite.call("GET", "/cards/{card_id}", card_id="none")[0] == 404
    assert suite.call("GET", "/decisions/{transaction_id}", transaction_id="none")[0] == 404
    assert suite.call("POST", "/cards/{card_id}/unblock", {"reason": "x"}, card_id="none")[0] == 404


def test_a_decision_can_be_read(suite: Suite) -> None:
    authorize(suite, transaction(1, amount=40_000))
    suite.act()
    status, answer = suite.call("GET", "/decisions/{transaction_id}", transaction_id="t-1")
    assert (status, answer["outcome"], answer["amount"]) == (200, "decline", 40_000)
    assert "features" not in answer
