"""Tokens that expire, credentials that are wrong, missing or new: healed without anybody, or told clearly."""

import json
from collections import Counter
from collections.abc import Callable

import pytest

from tests.functional.sentiment.polls.polling import Polling, fill, texts
from tests.functional.stage import client


@pytest.fixture(autouse=True)
def _brand(poller: Polling) -> None:
    poller.watch(terms=["northwindcoffee"])


def test_an_expired_session_of_bluesky_is_refreshed(poller: Polling) -> None:
    fill(poller, "bluesky")
    poller.poll("bluesky")
    poller.networks.bluesky.access.clear()
    poller.write("bluesky", "northwindcoffee later", ago_s=5)
    assert poller.poll("bluesky")["posts"] == 1
    paths = [request.path.rpartition(".")[2] for request in poller.networks.asked("bluesky")]
    assert paths == ["createSession", "searchPosts", "searchPosts", "refreshSession", "searchPosts"]
    poller.networks.bluesky.access.clear()
    poller.networks.bluesky.refresh.clear()
    poller.write("bluesky", "northwindcoffee last", ago_s=1)
    assert poller.poll("bluesky")["posts"] == 1, "the refresh token has gone too: a new session"


def test_an_expired_token_of_reddit_is_asked_for_again(poller: Polling) -> None:
    fill(poller, "reddit")
    poller.poll("reddit")
    poller.networks.reddit.tokens.clear()
    poller.write("reddit", "northwindcoffee later", ago_s=5)
    assert poller.poll("reddit")["posts"] == 1


@pytest.mark.parametrize(
    ("network", "document", "words"),
    [
        ("x", {"bearer_token": "wrong"}, "401, Unauthorized"),
        ("x", {}, "no bearer_token in the secret"),
        ("reddit", {}, "no client_id and client_secret in the secret"),
        ("reddit", {"client_id": "a", "client_secret": "b"}, "401"),
        ("bluesky", {"identifier": "watcher.bsky.example", "password": "old"}, "AuthenticationRequired"),
    ],
)
def test_credentials_that_are_wrong_are_told_and_those_that_are_right_heal(
    poller: Polling, network: str, document: dict[str, str], words: str, metrics: Callable[[], Counter[str]]
) -> None:
    wanted = fill(poller, network)
    whole = poller.networks.secret(network)
    addresses = {name: value for name, value in whole.items() if str(value).startswith("http")}
    poller.rotate(network, {**addresses, **document})
    assert poller.poll(network)["posts"] == 0
    (state,) = poller.states(network)
    assert state["status"] == "denied"
    assert words in state["last_error"]
    assert metrics()["SourceFailed"] == 1
    poller.rotate(network, whole)
    poller.wait()
    poller.poll(network)
    assert texts(poller) == wanted


def test_who_asks_by_hand_need_not_wait_for_what_is_mended(poller: Polling) -> None:
    """And meets a limit as everybody does."""
    wanted = fill(poller, "x")
    whole = poller.networks.secret("x")
    poller.rotate("x", {**whole, "bearer_token": "wrong"})
    poller.poll("x")
    client("secretsmanager").put_secret_value(SecretId=poller.secret_of("x"), SecretString=json.dumps(whole))
    assert poller.poll("x")["waiting"] == 1
    assert poller.poll("x", source="cuatro poll")["posts"] == 3
    assert texts(poller) == wanted
    poller.networks.fail("x", "limited", seconds=300)
    poller.poll("x")
    assert poller.poll("x", source="cuatro poll")["waiting"] == 1


def test_a_closed_mastodon_instance_wants_its_token(poller: Polling) -> None:
    wanted = fill(poller, "mastodon")
    poller.networks.mastodon.token = "letmein"  # noqa: S105
    poller.poll("mastodon")
    assert poller.states("mastodon")[0]["status"] == "denied"
    poller.rotate("mastodon", poller.networks.secret("mastodon"))
    poller.wait()
    poller.poll("mastodon")
    assert texts(poller) == wanted
