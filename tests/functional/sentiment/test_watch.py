"""From aggregates to alerts: a crisis is told once, with examples, whoever judges and whatever is repeated."""

import json
import time
from collections.abc import Callable

import pytest

from cuatro.adapters.dynamodb import dynamo
from cuatro.errors import Unavailable
from functions.sentiment import alerting
from functions.sentiment.watch.effects import CLAIM_S
from tests.functional.sentiment.suite import Suite
from tests.functional.sentiment.watching import Crowd, clock, messages, stream


@pytest.fixture
def quiet(suite: Suite) -> Crowd:
    suite.watch_brand("northwind")
    return Crowd(suite)


@pytest.fixture
def crisis(quiet: Crowd) -> Crowd:
    """Ten minutes and more of it, so that two windows have begun."""
    quiet.crisis(12)
    quiet.write()
    return quiet


def later(monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    now = time.time()
    monkeypatch.setattr("functions.sentiment.watch.handler.time.time", lambda: now + seconds)


def test_a_usual_day_raises_nothing(suite: Suite, quiet: Crowd) -> None:
    quiet.write()
    clock()
    assert stream(suite) == {"batchItemFailures": []}
    assert quiet.state().alerts == ()
    assert quiet.state().since == min(minute for minute, counts in quiet.minutes.items() if counts[0])
    assert messages() == []


def test_a_crisis_is_told_to_people_and_the_bus_with_examples(suite: Suite, crisis: Crowd) -> None:
    clock()
    kinds = sorted(json.loads(body)["kind"] for _, body in messages())
    assert kinds == ["shift", "spike"]
    events = {each["kind"]: each for each in suite.events("SentimentAlertRaised")}
    shift = events["shift"]
    assert shift["value"] > 0.8
    assert 0.2 < shift["baseline"] < 0.3
    assert shift["score"] >= 5
    assert len(shift["posts"]) == 5
    assert {each["label"] for each in shift["posts"]} == {"negative"}
    assert shift["posts"][0] == {
        "post": f"northwind#web#bad-{crisis.now}", "text": "Awful", "url": "https://a.example", "label": "negative",
    }  # fmt: skip
    assert events["spike"]["value"] > 3 * events["spike"]["baseline"]
    assert all("northwind" in subject for subject, _ in messages())


def test_a_change_of_minutes_raises_it_too(suite: Suite, crisis: Crowd) -> None:
    assert stream(suite) == {"batchItemFailures": []}
    assert len(messages()) == 2


def test_a_brand_that_nobody_knows_yet_raises_nothing(suite: Suite) -> None:
    suite.watch_brand("northwind")
    new = Crowd(suite, hours=0)
    new.crisis(20)
    new.write()
    clock()
    assert messages() == []
    assert new.state().since is not None


def test_judging_again_tells_nobody_again(suite: Suite, crisis: Crowd) -> None:
    for _ in range(3):
        clock()
        stream(suite)
        suite._delivered["aggregates"] = 0
    assert len(messages()) == 2
    assert len(suite.events("SentimentAlertRaised")) == 2
    assert crisis.row().notices == ()


def test_it_ends_when_all_is_quiet_again_and_may_come_back(
    suite: Suite, crisis: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock()
    later(monkeypatch, 40 * 60)
    clock()
    assert {each["kind"] for each in suite.events("SentimentAlertCleared")} == {"spike", "shift"}
    assert all(each.cleared_s for each in crisis.state().alerts)
    assert len(messages()) == 2  # people hear of the beginning
    crisis.now += 40
    crisis.crisis(12)
    crisis.write()
    clock()
    assert len(suite.events("SentimentAlertRaised")) == 4
    assert len(messages()) == 4  # more than quiet_min after the first
    ids = [each.alert_id for each in crisis.state().alerts]
    assert len(set(ids)) == 4


def test_one_that_comes_back_soon_is_quiet(
    suite: Suite, crisis: Crowd, monkeypatch: pytest.MonkeyPatch, policy: Callable[..., None]
) -> None:
    policy(alerts={"quiet_min": 120})
    clock()
    later(monkeypatch, 40 * 60)
    clock()
    crisis.now += 40
    crisis.crisis(12)
    crisis.write()
    clock()
    assert len(suite.events("SentimentAlertRaised")) == 4
    assert len(messages()) == 2


def test_what_the_topic_did_not_take_is_told_at_the_next_judgement(suite: Suite, crisis: Crowd) -> None:
    suite.wire.down("PublishBatch")
    with pytest.raises(Unavailable, match="topic or the bus"):
        clock()
    assert messages() == []
    assert len(crisis.row().notices) == 2
    suite.wire.repair()
    clock()
    assert len(messages()) == 2
    assert crisis.row().notices == ()
    assert len(crisis.state().alerts) == 2


def test_one_that_crashed_while_telling_is_followed_by_another(
    suite: Suite, crisis: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Crash(BaseException):
        """The process ends here."""

    def crash(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as patched:
        patched.setattr("functions.sentiment.watch.effects.publish_alerts", crash)
        with pytest.raises(Crash):
            clock()
    clock()  # it may still be at it
    assert messages() == []
    later(monkeypatch, CLAIM_S + 1)
    clock()
    assert len(messages()) == 2


def test_of_two_that_judge_at_once_one_tells(suite: Suite, crisis: Crowd) -> None:
    def other() -> None:
        with suite.wire.undisturbed():
            clock()

    suite.wire.first("BatchExecuteStatement", other)
    clock()
    assert len(messages()) == 2
    assert len(suite.events("SentimentAlertRaised")) == 2


def test_aggregates_that_cannot_be_read_are_judged_again(suite: Suite, crisis: Crowd) -> None:
    suite.wire.down("BatchGetItem")
    with pytest.raises(Unavailable):
        clock()
    with pytest.raises(Unavailable):
        stream(suite)
    suite.wire.repair()
    stream(suite)
    assert len(messages()) == 2


def test_a_brand_that_fails_stops_no_other(suite: Suite, crisis: Crowd) -> None:
    suite.watch_brand("southwind")
    other = Crowd(suite, "southwind")
    other.crisis(12)
    other.write()
    suite.wire.throttle("southwind", 1_000)
    answer = stream(suite)
    assert len(answer["batchItemFailures"]) == 1
    assert {json.loads(body)["brand"] for _, body in messages()} == {"northwind"}
    suite.wire.repair()
    assert stream(suite) == {"batchItemFailures": []}
    assert sorted(json.loads(body)["brand"] for _, body in messages()) == ["northwind"] * 2 + ["southwind"] * 2


def test_damaged_rows_are_passed_over(suite: Suite, crisis: Crowd) -> None:
    dynamo().put_all("alerts", [{"brand": "northwind", "n": 3, "p": b"\xff"}])
    clock()
    assert len(messages()) == 2
    assert suite.items("alerts")["northwind"]["n"] == 5


def test_the_api_shows_them(suite: Suite, crisis: Crowd, monkeypatch: pytest.MonkeyPatch) -> None:
    clock()
    status, answer = suite.call("GET", "/brands/{brand}/alerts", brand="northwind")
    assert status == 200
    assert {each["kind"] for each in answer["alerts"]} == {"spike", "shift"}
    assert all(each["cleared_at"] is None and each["posts"] for each in answer["alerts"])
    assert suite.call("GET", "/brands/{brand}/alerts", brand="unknown") == (200, {"brand": "unknown", "alerts": []})
    assert alerting.words(crisis.state().alerts[0])
