"""What nobody thought of: two pollers at once, damaged rows, posts that cannot be read, clocks that differ."""

import json
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime

import pytest

from tests.functional.sentiment.polls.polling import SEARCHED, Polling, fill, texts


@pytest.fixture(autouse=True)
def _brand(poller: Polling) -> None:
    poller.watch(terms=["northwindcoffee"])


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


@pytest.mark.parametrize("network", ["mastodon", *SEARCHED])
def test_half_an_emoji_in_one_post_holds_up_no_other(poller: Polling, network: str) -> None:
    wanted = fill(poller, network)
    poller.write(network, "#northwindcoffee broken \ud83d here", ago_s=30)
    assert poller.poll(network)["posts"] == 4
    assert wanted < texts(poller)


def test_an_answer_that_nobody_thought_of_stops_its_place_alone_and_is_told_without_its_words(
    poller: Polling, monkeypatch: pytest.MonkeyPatch
) -> None:
    from functions.sentiment.sources.x import X  # noqa: PLC0415

    wanted, whole = fill(poller, "x"), X.fetch
    monkeypatch.setattr(X, "fetch", lambda *_: int("jo.smith@example.com"))
    assert "ValueError in " in next(iter(poller.poll("x")["failed"].values()))
    (state,) = poller.states("x")
    assert state["status"] == "failed"
    assert "jo.smith" not in json.dumps([state, list(poller.items("cursors").values())])
    monkeypatch.setattr(X, "fetch", whole)
    poller.wait()
    poller.poll("x", source="cuatro poll")
    assert texts(poller) == wanted


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
    return datetime.fromisoformat(text).timestamp()
