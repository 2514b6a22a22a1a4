"""POST /interactions and /feedback, GET and DELETE /profiles: once each, told one by one, and right after any fault."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from cuatro.adapters.aws import BRISK
from tests.functional.recommendations.suite import Suite, ago, interaction


def post(suite: Suite, *interactions: Any) -> tuple[int, Any]:
    return suite.call("POST", "/interactions", {"interactions": list(interactions)})


def feedback(suite: Suite, list_id: str, *items: str, kind: str = "click", event: str = "f-1") -> tuple[int, Any]:
    body = {"version": 1, "event_id": event, "list_id": list_id, "kind": kind, "items": list(items), "time": ago(0)}
    return suite.call("POST", "/feedback", body)


@pytest.fixture
def list_id(suite: Suite) -> str:
    suite.know("u-1", ("i-1", "view", 1.0))
    found: str = suite.recommend(k="3", context="country:IT")[1]["list_id"]
    return found


def test_interactions_reach_the_stream_and_the_profile(suite: Suite, metrics: Callable[[], Counter[str]]) -> None:
    status, answer = post(suite, interaction(1, context={"country": "IT"}), interaction(2, item_id="i-2", kind="cart"))
    assert (status, answer) == (202, {"accepted": 2, "rejected": []})
    assert metrics()["InteractionsAccepted"] == 2
    streamed = suite.streamed()
    assert {json.loads(each)["correlation_id"] for each in streamed} == {"request-1"}
    suite.record(*streamed)
    assert [each.item for each in suite.profile().entries] == ["i-2", "i-1"]


def test_an_interaction_keeps_its_own_correlation_id(suite: Suite) -> None:
    post(suite, interaction(1, correlation_id="visit-7"))
    assert json.loads(suite.streamed()[0])["correlation_id"] == "visit-7"


def test_good_ones_are_taken_and_bad_ones_told_by_their_place(suite: Suite) -> None:
    status, answer = post(
        suite, interaction(1, kind="stare"), interaction(2), {"version": 1}, interaction(3, item_id="a/b")
    )
    assert (status, answer["accepted"]) == (202, 1)
    assert [(each["index"], each["error"]["field"]) for each in answer["rejected"]] == [
        (0, "kind"), (2, "event_id"), (3, "item_id"),
    ]  # fmt: skip
    assert len(suite.streamed()) == 1


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"interactions":[]}', b"\xff", b'{"interactions":[{}]}', b"[" * 100_000]
)
def test_a_body_without_a_good_interaction_is_refused(suite: Suite, body: bytes) -> None:
    status, answer = suite.call("POST", "/interactions", body)
    assert status == 400
    assert answer["error"]["code"]
    assert suite.streamed() == []


def test_large_bodies_are_refused(suite: Suite) -> None:
    assert suite.call("POST", "/interactions", b" " * 1_048_577)[0] == 413
    assert suite.call("POST", "/feedback", b" " * 262_145)[0] == 413


def test_what_the_stream_does_not_take_is_told_and_can_be_sent_again(suite: Suite) -> None:
    def second_failed(answer: dict[str, Any]) -> dict[str, Any]:
        if len(answer["Records"]) > 1:
            answer["Records"][1] = {"ErrorCode": "ProvisionedThroughputExceededException"}
        return answer

    suite.wire.edit("PutRecords", second_failed)
    suite.wire.down("PutRecords")
    status, answer = post(suite, interaction(1), interaction(2), interaction(3, kind="stare"))
    assert (status, answer["accepted"]) == (202, 1)
    assert [(each["index"], each["error"]["code"]) for each in answer["rejected"]] == [
        (1, "unavailable"), (2, "invalid_value"),
    ]  # fmt: skip
    status, answer = post(suite, interaction(4))
    assert (status, answer["error"]["code"], suite.headers["Retry-After"]) == (503, "unavailable", "1")


@pytest.mark.parametrize("operation", ["PutRecords", "BatchExecuteStatement", "BatchGetItem", "DeleteItem"])
def test_a_service_that_does_not_answer_is_asked_twice(suite: Suite, list_id: str, operation: str) -> None:
    """Each attempt may last: 503 in time is better than a function that is stopped while somebody waits."""
    suite.wire.down(operation)
    suite.wire.calls.clear()
    answers = [feedback(suite, list_id, "i-2")[0], post(suite, interaction(1))[0]]
    answers += [suite.call(method, "/profiles/{user_id}", user_id="u-1")[0] for method in ("GET", "DELETE")]
    assert answers.count(503) in {1, 2}
    assert suite.wire.calls[operation] == BRISK.attempts * answers.count(503)


def test_feedback_is_kept_once_and_clicks_become_interactions(suite: Suite, list_id: str) -> None:
    assert feedback(suite, list_id, "i-2", "i-3", kind="impression") == (202, {"accepted": 2, "unknown": []})
    assert suite.streamed() == [], "an impression is no interaction"
    assert feedback(suite, list_id, "i-2", "nonsense", event="f-2") == (202, {"accepted": 1, "unknown": ["nonsense"]})
    (click,) = map(json.loads, suite.streamed())
    assert (click["kind"], click["user_id"], click["item_id"], click["list_id"]) == ("click", "u-1", "i-2", list_id)
    assert click["context"] == {"country": "IT"}
    assert feedback(suite, list_id, "i-2", event="f-3")[0] == 202
    suite.record(*suite.streamed())
    assert suite.profile().counters == {"click": 1}, "two clicks on one item of a list are one interaction"
    assert suite.items("lists")[list_id]["n"] == 3


def test_feedback_and_list_reach_the_lake(suite: Suite, list_id: str) -> None:
    suite.tally()
    feedback(suite, list_id, "i-3", "i-2", kind="impression")
    feedback(suite, list_id, "i-3", event="f-2")
    suite.tally()
    (served,) = suite.lake("lists")
    assert (served["list_id"], served["arm"], served["model_version"]) == (list_id, "all", "tiny-1")
    told = {each["kind"]: [(item["item"], item["place"]) for item in each["items"]] for each in suite.lake("feedback")}
    assert told == {"impression": [("i-3", 2), ("i-2", 1)], "click": [("i-3", 2)]}


def test_a_fault_between_list_and_stream_loses_no_click(suite: Suite, list_id: str) -> None:
    suite.wire.down("PutRecords")
    assert feedback(suite, list_id, "i-2")[0] == 503
    suite.wire.repair()
    assert feedback(suite, list_id, "i-2")[0] == 202
    assert len(suite.streamed()) == 1
    assert suite.items("lists")[list_id]["n"] == 2


def test_a_lost_answer_of_the_list_counts_once(suite: Suite, list_id: str) -> None:
    suite.wire.lose_answer("BatchExecuteStatement")
    assert feedback(suite, list_id, "i-2") == (202, {"accepted": 1, "unknown": []})
    assert suite.items("lists")[list_id]["n"] == 2


def test_feedback_at_once_is_all_kept(suite: Suite, list_id: str) -> None:
    def other() -> None:
        with suite.wire.undisturbed():
            feedback(suite, list_id, "i-3", kind="impression", event="f-2")

    suite.wire.first("BatchExecuteStatement", other)
    assert feedback(suite, list_id, "i-2", kind="impression")[0] == 202
    kept = json.loads(suite.items("lists")[list_id]["f"])
    assert sorted(kept) == [["impression", "i-2"], ["impression", "i-3"]]


def test_feedback_on_what_is_not_there_is_told(suite: Suite, list_id: str) -> None:
    status, answer = feedback(suite, "gone", "i-2")
    assert (status, answer["error"]["field"], answer["error"]["code"]) == (404, "list_id", "not_found")
    status, answer = feedback(suite, list_id, "i-1")
    assert (status, answer["error"]["field"], answer["error"]["code"]) == (400, "items", "not_in_list")
    assert feedback(suite, list_id, "i-2", kind="stare")[0] == 400
    assert feedback(suite, list_id)[0] == 400


def test_a_profile_is_shown_and_forgotten(suite: Suite) -> None:
    suite.record(interaction(1, context={"country": "IT"}), interaction(2, item_id="i-2", kind="rating", value=4.5))
    status, answer = suite.call("GET", "/profiles/{user_id}", user_id="u-1")
    assert (status, answer["user_id"], answer["interactions"]) == (200, "u-1", {"rating": 1, "view": 1})
    assert [(each["item_id"], each["kind"], each["value"]) for each in answer["items"]] == [
        ("i-2", "rating", 4.5), ("i-1", "view", None),
    ]  # fmt: skip
    assert answer["context"] == {"country": "IT"}
    assert answer["first"] < answer["last"]
    path = {"user_id": "u-1"}
    assert suite.call("DELETE", "/profiles/{user_id}", **path) == (200, {"user_id": "u-1", "forgotten": True})
    assert suite.call("DELETE", "/profiles/{user_id}", **path) == (200, {"user_id": "u-1", "forgotten": False})
    assert suite.call("GET", "/profiles/{user_id}", **path)[0] == 404
    suite.record(interaction(3))
    assert suite.profile().counters == {"view": 1}, "who was forgotten may begin anew"


def test_profiles_that_cannot_be_read_are_told_to_come_back(suite: Suite) -> None:
    suite.wire.down("BatchGetItem")
    assert suite.call("GET", "/profiles/{user_id}", user_id="u-1")[0] == 503
    suite.wire.down("DeleteItem")
    assert suite.call("DELETE", "/profiles/{user_id}", user_id="u-1")[0] == 503
