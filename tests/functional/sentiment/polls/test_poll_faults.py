"""A network that is slow, broken, closed or too busy: stated, waited for, and none of its posts is lost."""

import json
from collections import Counter
from collections.abc import Callable

import pytest

from tests.functional.sentiment.polls.polling import NETWORKS, SEARCHED, Polling, fill, texts


@pytest.fixture(autouse=True)
def _brand(poller: Polling) -> None:
    poller.watch(terms=["northwindcoffee"])


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


def test_failures_are_waited_for_longer_each_time_up_to_an_hour(poller: Polling) -> None:
    poller.networks.fail("x", "error", times=1_000)
    waits = []
    for _ in range(8):
        poller.poll("x")
        state = json.loads(next(iter(poller.items("cursors").values()))["p"])
        waits.append(round(state["backoff_until"] - state["polled_at"]))
        poller.wait()
    assert waits == [60, 120, 240, 480, 960, 1920, 3600, 3600]
