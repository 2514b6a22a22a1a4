"""From lists and their feedback to the lake and the new items' shelf: each answer counts once, whatever is repeated."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from cuatro.adapters.dynamodb import dynamo
from cuatro.errors import Unavailable
from functions.recommendations import lists, shelves
from functions.recommendations.lists import Candidate, Served, ServedItem
from functions.recommendations.shelves import Answers, NewItem
from functions.recommendations.tally.effects import Told, explored
from tests.functional.recommendations.suite import Suite

NOW = datetime.now(UTC).isoformat()
ADDED_MS = int(time.time() * 1000) - 1000


def served(list_id: str, **changes: Any) -> Served:
    """Five places, the third left to chance: of two new items, `fresh` got it."""
    items = [ServedItem(f"i-{place}", 1.0 / place, None, "model") for place in range(1, 6)]
    items[2] = ServedItem("fresh", 0.0, None, "new", 0.25)
    return Served(
        **{
            "list_id": list_id, "user_id": "u-1", "served_at": NOW, "arm": "all", "experiment": "none",
            "model_version": "tiny-1", "context": {"country": "IT"}, "items": tuple(items), "explored": 3,
            "candidates": (Candidate("fresh", 0.25), Candidate("newer", 0.75)), "latency_ms": 4.2, **changes,
        }
    )  # fmt: skip


def show(suite: Suite, one: Served) -> None:
    (written,) = dynamo().write([lists.insert("lists", one, int(time.time()) + 86_400)])
    assert written.status == "done"


def answer(suite: Suite, list_id: str, kind: Any, *items: str) -> None:
    """As the API does it."""
    before = lists.stored(suite.items("lists")[list_id])
    recorded = lists.added(before, kind, items, f"e-{before.number}-{kind}", NOW).recorded
    assert recorded
    (written,) = dynamo().write([lists.keep("lists", before, recorded)])
    assert written.status == "done"


def proven(suite: Suite) -> dict[str, tuple[int, int]]:
    """(impressions, clicks) of each new item."""
    shelf = suite.items("shelves")[shelves.NEW]["p"]
    return {each.item: (each.impressions, each.clicks) for each in shelves.decode_new(shelf).items}


@pytest.fixture
def shown(suite: Suite) -> Suite:
    """Two lists were shown, the first was looked at and clicked at two places."""
    suite.stand_new(NewItem("newer", ADDED_MS), NewItem("fresh", ADDED_MS - 1))
    show(suite, served("l-1"))
    show(suite, served("l-2"))
    answer(suite, "l-1", "impression", "i-1", "i-2", "fresh")
    answer(suite, "l-1", "click", "fresh", "i-2")
    return suite


def test_lists_and_feedback_reach_the_lake(shown: Suite) -> None:
    assert shown.tally() == {"batchItemFailures": []}
    first, second = shown.lake("lists")
    assert (first["list_id"], second["list_id"]) == ("l-1", "l-2")
    assert (first["explored"], first["items"][2]["item"], first["items"][2]["propensity"]) == (3, "fresh", 0.25)
    assert first["candidates"] == [{"item": "fresh", "propensity": 0.25}, {"item": "newer", "propensity": 0.75}]
    seen, clicked = shown.lake("feedback")
    assert (seen["kind"], clicked["kind"]) == ("impression", "click")
    assert clicked["items"] == [{"item": "fresh", "place": 3}, {"item": "i-2", "place": 2}]
    assert (clicked["user_id"], clicked["arm"], clicked["experiment"]) == ("u-1", "all", "none")


def test_a_new_items_answers_are_counted(shown: Suite) -> None:
    shown.tally()
    assert proven(shown) == {"newer": (0, 0), "fresh": (1, 1)}


def test_a_repeated_delivery_counts_once(shown: Suite) -> None:
    shown.tally()
    shown._delivered["lists"] = 0
    assert shown.tally() == {"batchItemFailures": []}
    assert proven(shown)["fresh"] == (1, 1)
    assert len({(each["list_id"], each["event_id"]) for each in shown.lake("feedback")}) == 2


def test_only_the_place_left_to_chance_counts(suite: Suite) -> None:
    """A new item that stands elsewhere, or where the list explored nothing, got another chance of being clicked."""
    suite.stand_new(NewItem("fresh", ADDED_MS))
    show(suite, served("l-1", explored=None, candidates=()))
    model = served("l-2").items
    show(suite, served("l-2", items=(model[2], *model[:2], *model[3:]), explored=3))
    answer(suite, "l-1", "click", "fresh")
    answer(suite, "l-2", "click", "fresh", "i-2")
    assert suite.tally() == {"batchItemFailures": []}
    assert proven(suite) == {"fresh": (0, 0)}
    assert len(suite.lake("feedback")) == 2


def test_clicks_elsewhere_on_the_list_say_nothing_of_the_explored_item() -> None:
    one = served("l-1")
    before = lists.Stored(one, [], 1)
    elsewhere = lists.added(before, "click", ["i-1"], "e-1", NOW).recorded
    there = lists.added(before, "click", ["i-1", "fresh"], "e-1", NOW).recorded
    assert elsewhere
    assert there
    assert explored(Told(one, 2, [elsewhere])) is None
    assert explored(Told(one, 2, [there])) == Answers({"fresh": 0}, {"fresh": 1})
    assert explored(Told(one, 1)) is None


@pytest.mark.parametrize("changes", [{"explored": None}, {"explored": 1}, {"explored": 9}])
def test_a_place_that_was_not_left_to_chance_tells_nothing(changes: dict[str, Any]) -> None:
    one = served("l-1", **changes)
    clicked = lists.added(lists.Stored(one, [], 1), "click", ["i-1", "fresh"], "e-1", NOW).recorded
    assert clicked
    assert explored(Told(one, 2, [clicked])) is None


def test_an_item_that_is_new_no_more_is_not_counted(suite: Suite) -> None:
    suite.stand_new(NewItem("newer", ADDED_MS))
    show(suite, served("l-1"))
    answer(suite, "l-1", "click", "fresh")
    assert suite.tally() == {"batchItemFailures": []}
    assert proven(suite) == {"newer": (0, 0)}
    assert suite.items("shelves")[shelves.NEW]["n"] == 1  # nothing changed: nothing was written


def test_while_the_shelf_is_throttled_only_its_answers_wait(shown: Suite) -> None:
    shown.wire.throttle(shelves.NEW, 100)
    assert len(shown.tally()["batchItemFailures"]) == 2
    assert len(shown.lake("lists")) == 2
    assert shown.lake("feedback") == []
    shown.wire.repair()
    assert shown.tally() == {"batchItemFailures": []}
    assert proven(shown)["fresh"] == (1, 1)
    assert len(shown.lake("feedback")) == 2


def test_while_the_lake_takes_nothing_the_batch_waits(shown: Suite) -> None:
    shown.wire.down("PutRecordBatch")
    with pytest.raises(Unavailable, match="lists-to-lake"):
        shown.tally()
    shown.wire.repair()
    assert shown.tally() == {"batchItemFailures": []}
    assert len(shown.lake("lists")) == 2
    assert proven(shown)["fresh"] == (1, 1)


def test_a_lake_that_takes_a_part_gets_the_rest_again(shown: Suite) -> None:
    def refused(answer: Any) -> Any:
        responses = [{"ErrorCode": "ServiceUnavailableException", "ErrorMessage": "slow down"}]
        return {**answer, "FailedPutCount": 1, "RequestResponses": responses}

    shown.wire.edit("PutRecordBatch", refused, times=1)
    assert shown.tally() == {"batchItemFailures": []}
    assert {each["list_id"] for each in shown.lake("lists")} == {"l-1", "l-2"}


def test_a_lost_answer_counts_once(shown: Suite) -> None:
    shown.wire.lose_answer("BatchExecuteStatement")
    assert shown.tally() == {"batchItemFailures": []}
    assert proven(shown)["fresh"] == (1, 1)


def test_a_damaged_list_stops_nobody_else(shown: Suite) -> None:
    dynamo().put_all("lists", [{"list_id": "l-3", "n": 1, "l": b"{", "f": b"[]", "d": b"[]"}])
    assert len(shown.tally()["batchItemFailures"]) == 1
    assert len(shown.lake("lists")) == 2
    assert proven(shown)["fresh"] == (1, 1)


def test_a_list_that_expires_tells_nothing(shown: Suite) -> None:
    shown.tally()
    dynamo().delete("lists", {"list_id": "l-1"})
    assert shown.tally() == {"batchItemFailures": []}
    assert len(shown.lake("lists")) == 2


def test_feedback_before_there_is_a_shelf_is_kept_in_the_lake(suite: Suite) -> None:
    show(suite, served("l-1"))
    answer(suite, "l-1", "click", "fresh")
    assert suite.tally() == {"batchItemFailures": []}
    assert len(suite.lake("feedback")) == 1
