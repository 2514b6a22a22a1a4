"""POST /hooks/{source}: who is not who it says, or late, gets a 401 and leaves nothing behind."""

import json
import time
from typing import Any

import pytest

from tests.functional.sentiment.suite import SHORT_KEY, Suite, incoming


@pytest.fixture(autouse=True)
def _brand(suite: Suite) -> None:
    suite.watch_brand()


def test_a_signed_request_is_taken_and_says_where_it_came_by(suite: Suite) -> None:
    status, answer = suite.hook({"posts": [incoming(1)]})
    assert (status, answer) == (202, {"accepted": 1, "matched": 1, "rejected": []})
    assert suite.sent()[0]["source"] == "reviews"


def test_while_a_key_is_changed_both_are_good(suite: Suite) -> None:
    assert suite.hook({"posts": [incoming(1)]}, source="rotating", key="the-old-key-of-it")[0] == 202
    assert suite.hook({"posts": [incoming(2)]}, source="rotating")[0] == 202


@pytest.mark.parametrize(
    "given",
    [
        {"key": "another-key-altogether"},
        {"source": "nobody"},
        {"source": "nobody", "key": ""},
        {"source": "short", "key": SHORT_KEY},
        {"source": "../reviews"},
        {"at": time.time() - 3_600},
        {"at": time.time() + 3_600},
    ],
)
def test_others_are_turned_away(suite: Suite, given: dict[str, Any]) -> None:
    status, answer = suite.hook({"posts": [incoming(1)]}, **given)
    assert (status, answer["error"]["code"]) == (401, "unauthorized")
    assert suite.sent() == []


@pytest.mark.parametrize(
    "header",
    ["", "t=1", "v1=" + "0" * 64, "t=x,v1=" + "0" * 64, "t=1,t=2,v1=" + "0" * 64, "," * 1000, "t=999999999999,v1=z"],
)
def test_a_header_that_is_none_is_turned_away(suite: Suite, header: str) -> None:
    headers = {"X-Cuatro-Signature": header.replace("t=1", f"t={int(time.time())}")}
    body = {"posts": [incoming(1)]}
    assert suite.call("POST", "/hooks/{source}", body, source="reviews", headers=headers)[0] == 401


def test_a_body_that_was_changed_on_the_way_is_turned_away(suite: Suite) -> None:
    suite.hook({"posts": [incoming(1)]})
    signature = {"X-Cuatro-Signature": "t=1,v1=" + "a" * 64}
    assert suite.call("POST", "/hooks/{source}", {"posts": []}, source="reviews", headers=signature)[0] == 401


def test_a_request_that_is_recorded_and_sent_again_counts_once(suite: Suite) -> None:
    body, now = json.dumps({"posts": [incoming(1)]}).encode(), time.time()
    for _ in range(2):
        assert suite.hook(body, at=now)[0] == 202
    suite.flow()
    assert list(suite.rows()) == ["northwind#web#p-1"]


def test_what_a_signed_body_lacks_is_told(suite: Suite) -> None:
    assert suite.hook(b"{")[0] == 400
    assert suite.hook({"posts": [{}, incoming(1)]})[1]["rejected"][0]["index"] == 0


def test_without_its_secret_the_hook_is_closed(suite: Suite, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("HOOK_SECRET_ARN", "")
    from cuatro.config import settings  # noqa: PLC0415

    settings.cache_clear()
    assert suite.hook({"posts": [incoming(1)]})[0] == 401
