"""Events -> PutEvents in calls of one user, ten at most; throttled ones are told by position. Answers -> lists."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import Stubber

from cuatro.adapters import aws, personalize
from cuatro.errors import ModelMismatch, Refused, Unavailable
from cuatro.events import InteractionRecorded

CAMPAIGN = "arn:aws:personalize:us-east-1:000000000000:campaign/c"
GROUP = "arn:aws:personalize:us-east-1:000000000000:dataset-group/g"
TRACKER = "arn:aws:personalize:us-east-1:000000000000:event-tracker/1"
VERSION = "arn:aws:personalize:us-east-1:000000000000:solution/shop/18f"


@pytest.fixture
def stubs(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Stubber]]:
    """What AWS answers, by the service; every answer must be asked for."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    caches = (aws._client, aws._session, personalize._tracker)
    for cached in caches:
        cached.cache_clear()
    found = {
        # The same calls, whether somebody waits for them or not.
        "personalize": Stubber(aws.client("personalize", aws.PATIENT)),
        "campaign": Stubber(aws.client("personalize", aws.BRISK)),
        "personalize-events": Stubber(aws.client("personalize-events", aws.PATIENT)),
        "personalize-runtime": Stubber(aws.client("personalize-runtime", aws.BRISK)),
    }
    for stub in found.values():
        stub.activate()
    yield found
    for stub in found.values():
        stub.assert_no_pending_responses()
    for cached in caches:
        cached.cache_clear()


def recorded(number: int, user: str, value: float | None = None) -> InteractionRecorded:
    return InteractionRecorded(
        event_id=f"e{number}", user_id=user, item_id=f"i{number}", kind="view", value=value, list_id=None, context={},
        time="2026-11-23T12:00:00.5Z", recorded_at="2026-11-23T12:00:01Z", correlation_id="c",
    )  # fmt: skip


def expected(user: str, *numbers: int) -> dict[str, Any]:
    at = datetime(2026, 11, 23, 12, 0, 0, 500_000, tzinfo=UTC)
    listed = [{"eventId": f"e{n}", "eventType": "view", "itemId": f"i{n}", "sentAt": at} for n in numbers]
    return {"trackingId": "t", "userId": user, "sessionId": user, "eventList": listed}


def tracked(stubs: dict[str, Stubber]) -> None:
    trackers = {"eventTrackers": [{"eventTrackerArn": TRACKER}]}
    stubs["personalize"].add_response("list_event_trackers", trackers, {"datasetGroupArn": GROUP})
    stubs["personalize"].add_response("describe_event_tracker", {"eventTracker": {"trackingId": "t"}})


def test_events_go_by_their_user_ten_a_call(stubs: dict[str, Stubber]) -> None:
    tracked(stubs)
    events = [recorded(number, "a" if number < 11 else "b") for number in range(13)]
    for given in (expected("a", *range(10)), expected("a", 10), expected("b", 11, 12)):
        stubs["personalize-events"].add_response("put_events", {}, given)
    assert personalize.put_events(GROUP, events) == set()
    stubs["personalize-events"].add_response("put_events", {})  # the tracker is known by now
    assert personalize.put_events(GROUP, [recorded(1, "c", 2.5)]) == set()
    assert personalize.put_events(GROUP, []) == set()


def test_throttled_events_and_those_after_them_are_told(stubs: dict[str, Stubber]) -> None:
    tracked(stubs)
    events = [recorded(0, "a"), recorded(1, "b"), recorded(2, "a"), recorded(3, "c")]
    stubs["personalize-events"].add_response("put_events", {}, expected("a", 0, 2))
    stubs["personalize-events"].add_client_error("put_events", "ThrottlingException", http_status_code=429)
    assert personalize.put_events(GROUP, events) == {1, 3}


def test_a_wrong_event_is_no_outage(stubs: dict[str, Stubber]) -> None:
    tracked(stubs)
    stubs["personalize-events"].add_client_error("put_events", "InvalidInputException")
    tracked(stubs)  # it is the right tracker
    with pytest.raises(Refused, match="InvalidInputException"):
        personalize.put_events(GROUP, [recorded(0, "a")])


def test_a_group_without_a_tracker_is_told_nothing_and_asked_again_after_a_while(
    stubs: dict[str, Stubber], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(personalize, "_now", lambda: now[0])
    stubs["personalize"].add_response("list_event_trackers", {"eventTrackers": []})
    assert personalize.put_events(GROUP, [recorded(0, "a"), recorded(1, "b")]) == set()
    now[0] += personalize.TRACKER_AGAIN_S / 2
    assert personalize.put_events(GROUP, [recorded(2, "a")]) == set()
    now[0] += personalize.TRACKER_AGAIN_S / 2
    tracked(stubs)
    stubs["personalize-events"].add_response("put_events", {}, expected("a", 3))
    assert personalize.put_events(GROUP, [recorded(3, "a")]) == set()


def test_events_wait_where_nobody_can_tell_whether_there_is_a_tracker(stubs: dict[str, Stubber]) -> None:
    stubs["personalize"].add_client_error("list_event_trackers", "ThrottlingException", http_status_code=429)
    assert personalize.put_events(GROUP, [recorded(0, "a"), recorded(1, "b")]) == {0, 1}


def test_events_wait_for_the_tracker_that_is_there_now(stubs: dict[str, Stubber]) -> None:
    tracked(stubs)
    stubs["personalize-events"].add_client_error("put_events", "InvalidInputException")
    stubs["personalize"].add_response("list_event_trackers", {"eventTrackers": [{"eventTrackerArn": TRACKER}]})
    stubs["personalize"].add_response("describe_event_tracker", {"eventTracker": {"trackingId": "newer"}})
    assert personalize.put_events(GROUP, [recorded(0, "a"), recorded(1, "b")]) == {0, 1}
    stubs["personalize-events"].add_response("put_events", {}, {**expected("b", 1), "trackingId": "newer"})
    assert personalize.put_events(GROUP, [recorded(1, "b")]) == set()


def described(stubs: dict[str, Stubber]) -> None:
    stubs["campaign"].add_response("describe_campaign", {"campaign": {"solutionVersionArn": VERSION}})


def test_excluded_items_are_asked_for_besides_and_left_out(stubs: dict[str, Stubber]) -> None:
    described(stubs)
    items = [{"itemId": name, "score": score} for name, score in (("a", 0.5), ("b", 0.25), ("c", 0.3), ("d", 0.1))]
    asked = {"campaignArn": CAMPAIGN, "userId": "u", "numResults": 3}
    stubs["personalize-runtime"].add_response("get_recommendations", {"itemList": items}, asked)
    ranker = personalize.PersonalizeRanker(CAMPAIGN)
    found = ranker.rank("u", [], ["a"], 2)
    assert (found.items, found.scores, found.because) == (["b", "c"], [0.25, 0.25], [None, None])
    assert ranker.version == "personalize-shop-18f"
    without = {"itemList": [{"itemId": "a"}, {"itemId": "b"}]}  # of a recipe that gives no scores
    asked = {"campaignArn": CAMPAIGN, "userId": "u", "numResults": 500}
    stubs["personalize-runtime"].add_response("get_recommendations", without, asked)
    assert ranker.rank("u", [], [f"x{number}" for number in range(600)], 2).scores == [0.0, 0.0]


def test_the_version_is_asked_for_again_after_a_while(stubs: dict[str, Stubber]) -> None:
    now = [0.0]
    ranker = personalize.PersonalizeRanker(CAMPAIGN, lambda: now[0])
    for at, asked in ((0.0, True), (299.0, False), (301.0, True)):
        now[0] = at
        if asked:
            described(stubs)
        stubs["personalize-runtime"].add_response("get_recommendations", {"itemList": []})
        assert ranker.rank("u", [], [], 2).items == []


def test_a_list_does_not_wait_for_the_name_of_its_version(stubs: dict[str, Stubber]) -> None:
    stubs["campaign"].add_client_error("describe_campaign", "ThrottlingException", http_status_code=429)
    stubs["personalize-runtime"].add_response("get_recommendations", {"itemList": [{"itemId": "a", "score": 1.0}]})
    ranker = personalize.PersonalizeRanker(CAMPAIGN)
    assert ranker.rank("u", [], [], 2).items == ["a"]
    assert ranker.version == "personalize-c"


def test_what_fails_is_told_as_what_it_is(stubs: dict[str, Stubber]) -> None:
    ranker = personalize.PersonalizeRanker(CAMPAIGN)
    runtime = stubs["personalize-runtime"]
    runtime.add_client_error("get_recommendations", "ThrottlingException", http_status_code=400)
    with pytest.raises(Unavailable):
        ranker.rank("u", [], [], 2)
    runtime.add_client_error("get_recommendations", "ResourceNotFoundException")
    with pytest.raises(Refused):
        ranker.rank("u", [], [], 2)
    described(stubs)
    runtime.add_response("get_recommendations", {"itemList": [{"itemId": "a", "score": float("nan")}]})
    with pytest.raises(ModelMismatch):
        ranker.rank("u", [], [], 2)
