"""A network that is slow, broken, closed, forgetful or too busy: stated, waited for, and none of its posts is lost."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from tests.functional.sentiment.polling import NETWORKS, Polling, polling
from tests.functional.stage import client

SEARCHED = ("bluesky", "reddit", "x")


@pytest.fixture
def poller(monkeypatch: pytest.MonkeyPatch) -> Iterator[Polling]:
    with polling(monkeypatch) as found:
        found.watch(terms=["northwindcoffee"])
        yield found


def fill(poller: Polling, network: str, count: int = 3) -> set[str]:
    """Texts of new posts."""
    return {
        poller.write(network, f"#northwindcoffee {number}", ago_s=90 + number, place="news", title=f"n{number}").text
        for number in range(count)
    }


def texts(poller: Polling) -> set[str]:
    return {post["text"].split("\n")[-1] for post in poller.posts()}


EVERYWHERE = [("cut", "unavailable"), ("limited", "limited")]
"""What happens while an answer is on its way, and how a limit is told, differs by network; the rest does not."""
ANYWHERE = [("error", "unavailable"), ("closed", "unavailable"), ("not_json", "unavailable"), ("gone", "denied")]


@pytest.mark.parametrize(
    ("network", "kind", "status"),
    [(network, *each) for network in NETWORKS for each in EVERYWHERE] + [("x", *each) for each in ANYWHERE],
)
def test_a_poll_that_fails_is_told_waited_for_and_made_up_for(
    poller: Polling, network: str, kind: str, status: str, metrics: Callable[[], Counter[str]]
) -> None:
    wanted = fill(poller, network)
    poller.networks.fail(network, kind, times=100, seconds=600)
    answer = poller.poll(network)
    assert answer["posts"] == 0
    (state,) = poller.states(network)
    assert state["status"] == status
    assert state["last_error"]
    assert state["backoff_until"] is not None
    told = metrics()
    assert told["SourceLimited" if status == "limited" else "SourceFailed"] == 1
    asked = len(poller.networks.asked(network))
    poller.networks.faults.clear()
    assert poller.poll(network)["waiting"] == 1, "it is left alone until then"
    assert len(poller.networks.asked(network)) == asked
    poller.wait()
    assert poller.poll(network)["posts"] == 3
    assert texts(poller) == wanted
    assert poller.states(network)[0]["failures"] == 0


@pytest.mark.parametrize("network", ["mastodon", *SEARCHED])
def test_half_a_page_and_a_repeated_page_lose_nothing(poller: Polling, network: str) -> None:
    poller.poll(network)  # a login is no page
    wanted = fill(poller, network, 6)
    poller.networks.fail(network, "half")
    poller.poll(network)
    assert texts(poller) < wanted
    poller.wait()
    poller.poll(network)
    assert texts(poller) == wanted
    wanted |= {poller.write(network, f"#northwindcoffee later {number}", ago_s=20 - number).text for number in range(2)}
    poller.networks.fail(network, "duplicate")
    for _ in range(3):
        poller.poll(network)
    assert texts(poller) == wanted
    assert len(poller.posts()) == len(wanted)


def test_a_page_that_ends_within_is_no_page(poller: Polling) -> None:
    """The connection breaks on the second page: the first is safe, and the rest comes with the next poll."""
    written = {poller.write("bluesky", f"northwindcoffee {number}", ago_s=200 + number).text for number in range(150)}
    first = poller.networks.bluesky.answer
    calls = iter([first])

    def answer(request: object) -> object:
        step = next(calls, None)
        if step is None:
            poller.networks.fail("bluesky", "cut")
        return first(request)  # type: ignore[arg-type]

    poller.networks.bluesky.answer = answer  # type: ignore[method-assign,assignment]
    poller.poll("bluesky")
    poller.networks.bluesky.answer = first  # type: ignore[method-assign]
    poller.networks.faults.clear()
    poller.wait()
    for _ in range(3):
        poller.poll("bluesky")
    assert texts(poller) == written


def test_the_allowance_is_watched_before_it_is_spent(poller: Polling) -> None:
    poller.watch(terms=["northwindcoffee", "southwind"])
    poller.networks.allow("bluesky", 2)  # a login and a search
    poller.write("bluesky", "northwindcoffee")
    answer = poller.poll("bluesky")
    assert answer["limited"] == 0, "it stopped by itself"
    assert len(poller.networks.asked("bluesky")) == 2
    states = poller.states("bluesky")
    assert {state["remaining"] for state in states} <= {0, None}
    assert all(state["backoff_until"] for state in states)


def test_who_meets_the_limit_waits_for_all_its_searches(poller: Polling) -> None:
    poller.watch(terms=["northwindcoffee", "southwind", "eastwind"])
    poller.networks.fail("bluesky", "limited", times=10, seconds=300)
    poller.poll("bluesky")
    assert len(poller.networks.asked("bluesky")) == 1, "it did not even get a session"
    until = [state["backoff_until"] for state in poller.states("bluesky")]
    assert len(until) == 3
    assert all(until)


def test_a_slow_feed_holds_up_no_other(poller: Polling, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is given up when its time is over, and the other feed's posts are there."""
    monkeypatch.setattr("functions.sentiment.poll.handler.Web", _impatient)
    other = f"{poller.networks.url}/feeds/other.xml"
    slow = f"{poller.networks.url}/feeds/news.xml"
    poller.watch(networks={"rss": {"feeds": [slow]}})
    poller.networks.fail("rss", "slow", seconds=3)
    poller.write("rss", "northwind coffee", place="other", title="t")
    poller.watch("second", name="S", terms=["northwind coffee"], networks={"rss": {"feeds": [other]}})
    answer = poller.poll("rss")
    assert len(answer["failed"]) == 1
    poller.wait()
    poller.poll("rss")
    assert [post["text"].split("\n")[-1] for post in poller.posts()] == ["northwind coffee"]


def _impatient(private: bool) -> object:
    from cuatro.adapters.web import Web  # noqa: PLC0415

    return Web(private, total_s=0.5)


def test_no_page_is_begun_when_the_functions_time_is_over(poller: Polling) -> None:
    wanted = fill(poller, "x")
    assert poller.poll("x", left_ms=15_000)["polled"] == 0
    assert poller.networks.asked("x") == []
    poller.poll("x")
    assert texts(poller) == wanted


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


def test_failures_are_waited_for_longer_each_time_up_to_an_hour(poller: Polling) -> None:
    poller.networks.fail("x", "error", times=1_000)
    waits = []
    for _ in range(8):
        poller.poll("x")
        state = json.loads(next(iter(poller.items("cursors").values()))["p"])
        waits.append(round(state["backoff_until"] - state["polled_at"]))
        poller.wait()
    assert waits == [60, 120, 240, 480, 960, 1920, 3600, 3600]


def test_two_pollers_at_once_send_no_post_away_from_the_other(poller: Polling) -> None:
    """The other one has moved the cursor while this one was reading."""
    wanted = fill(poller, "x")
    poller.poll("x")
    poller.write("x", "northwindcoffee new", ago_s=1)

    whole, others = poller.networks.x.answer, []

    def answer(request: object) -> object:
        if not others:
            others.append(None)
            others[0] = poller.poll("x")["posts"]
        return whole(request)  # type: ignore[arg-type]

    poller.networks.x.answer = answer  # type: ignore[method-assign,assignment]
    poller.poll("x")
    assert others == [1]
    assert texts(poller) == wanted | {"northwindcoffee new"}
    assert len(poller.ids()) == len(wanted) + 1
    assert poller.poll("x")["posts"] == 0


def test_a_damaged_cursor_and_a_damaged_brand_stop_nobody(poller: Polling, metrics: Callable[[], Counter[str]]) -> None:
    from cuatro.adapters.dynamodb import dynamo  # noqa: PLC0415

    wanted = fill(poller, "x")
    poller.poll("x")
    (item,) = poller.items("cursors").values()
    dynamo().put_all("cursors", [{**item, "p": "{"}])
    dynamo().put_all("brands", [{"brand": "broken", "n": 1, "p": "{"}])
    metrics()
    poller.poll("x")
    assert metrics()["SourceFailed"] == 1
    assert texts(poller) == wanted
    assert poller.poll("x")["posts"] == 0


def test_a_post_that_cannot_be_read_is_kept_without_its_text_and_holds_up_no_other(
    poller: Polling, monkeypatch: pytest.MonkeyPatch
) -> None:
    from functions.sentiment.poll import run  # noqa: PLC0415

    wanted = fill(poller, "x")
    poller.write("x", "northwindcoffee poison jo.smith@example.com", ago_s=1)
    whole = run.collected

    def collected(incoming: object, *args: object, **options: object) -> object:
        if "poison" in incoming.text:  # type: ignore[attr-defined]
            raise ValueError("poison jo.smith@example.com")
        return whole(incoming, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(run, "collected", collected)
    poller.poll("x")
    assert texts(poller) == wanted
    (line,) = poller.rejected()
    assert line["code"] == "unreadable_post"
    assert "jo.smith" not in json.dumps(line)
    monkeypatch.setattr(run, "collected", lambda *_, **__: 1 / 0)
    poller.write("x", "northwindcoffee a", ago_s=0)
    poller.write("x", "northwindcoffee b", ago_s=0)
    poller.poll("x")
    assert poller.states("x")[0]["status"] == "unavailable", "it is not the posts that are wrong"
    monkeypatch.setattr(run, "collected", whole)
    poller.wait()
    poller.poll("x")
    assert {"northwindcoffee a", "northwindcoffee b"} <= texts(poller)


def test_clocks_that_differ_cost_no_post(poller: Polling) -> None:
    """A post of the future is there at once, with the time it was read; and what comes after it is not missed."""
    poller.write("bluesky", "northwindcoffee from tomorrow", ago_s=-86_400)
    poller.poll("bluesky")
    (post,) = poller.posts()
    assert post["time_adjusted"]
    assert abs(time.time() - _unix(post["time"])) < 120
    poller.write("bluesky", "northwindcoffee of now", ago_s=5)
    poller.poll("bluesky")
    assert "northwindcoffee of now" in texts(poller)


def _unix(text: str) -> float:
    from datetime import datetime  # noqa: PLC0415

    return datetime.fromisoformat(text).timestamp()
