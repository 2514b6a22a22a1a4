"""Lists and what users do with them: each answer once, in whatever order it comes, and the lake's lines."""

import json
import re
from itertools import permutations
from typing import Any

import msgspec
import pytest

from functions.recommendations import lists
from functions.recommendations.lists import Candidate, FeedbackRecorded, Kept, Served, ServedItem, ShadowList, Stored

SERVED = Served(
    list_id="l-1",
    user_id="Ζωή",
    served_at="2026-11-23T10:00:00.000Z",
    arm="model",
    experiment="ranking-1",
    model_version="m-1",
    context={"country": "GR"},
    items=(
        ServedItem("a", 3.0, "x", "model"),
        ServedItem("b", 2.0, None, "popular", among="country=GR"),
        ServedItem("c", 0.0, None, "new", 0.25),
    ),
    explored=3,
    candidates=(Candidate("c", 0.25), Candidate("d", 0.75)),
    shadow=ShadowList("m-2", ("b", "a")),
    latency_ms=1.5,
)


def item(statement: Any, before: dict[str, Any] | None = None) -> dict[str, Any]:
    """What DynamoDB has after a statement that succeeded."""
    names = re.findall(r"'(\w+)': \?" if before is None else r'SET "(\w+)"=\?', statement.text)
    return {**(before or {}), **dict(zip(names, statement.parameters, strict=False))}


def test_a_list_comes_back_as_it_was_stored() -> None:
    written = item(lists.insert("lists", SERVED, 1_800_000_000))
    assert lists.stored(written) == Stored(SERVED, [], 1)
    assert lists.served(written) == SERVED
    assert lists.added_feedback(written) == []
    assert (written["list_id"], written["x"]) == ("l-1", 1_800_000_000)


def test_the_lakes_line_has_the_fields_that_its_readers_expect() -> None:
    told = json.loads(lists.line(SERVED))
    assert set(told) == {
        "version", "list_id", "user_id", "served_at", "arm", "experiment", "model_version", "context", "items",
        "explored", "candidates", "shadow", "latency_ms",
    }  # fmt: skip
    assert set(told["items"][0]) == {"item", "score", "because", "source", "propensity", "among"}
    assert told["shadow"] == {"version": "m-2", "items": ["b", "a"]}


def test_feedback_counts_once_and_only_of_the_list() -> None:
    before = Stored(SERVED, [Kept("impression", "a")], 4)
    added = lists.added(before, "impression", ["c", "a", "c", "z"], "e-1", "2026-11-23T10:00:01Z")
    assert (added.known, added.unknown) == (("c", "a"), ("z",))
    assert added.recorded is not None
    assert [(each.item, each.place) for each in added.recorded.items] == [("c", 3)]
    assert (added.recorded.arm, added.recorded.experiment, added.recorded.user_id) == ("model", "ranking-1", "Ζωή")
    statement = lists.keep("lists", before, added.recorded)
    assert statement.parameters[-2:] == ("l-1", 4)
    assert statement.parameters[2] == 5


def test_a_click_and_an_impression_of_an_item_are_two() -> None:
    added = lists.added(Stored(SERVED, [Kept("impression", "a")], 2), "click", ["a"], "e-1", "t")
    assert added.recorded is not None
    assert added.recorded.kind == "click"


def test_a_repeat_adds_nothing() -> None:
    added = lists.added(Stored(SERVED, [Kept("click", "a")], 2), "click", ["a"], "e-2", "t")
    assert (added.recorded, added.known) == (None, ("a",))


def test_any_order_and_repetition_of_feedback_gives_the_same_list() -> None:
    events = [("impression", ["a", "b"]), ("click", ["a"]), ("impression", ["b", "c"]), ("click", ["a"])]
    results = set()
    for order in permutations(events):
        written = item(lists.insert("lists", SERVED, 1))
        told: list[FeedbackRecorded] = []
        for number, (kind, items) in enumerate([*order, *order]):
            before = lists.stored(written)
            added = lists.added(before, kind, items, f"e-{number}", "t")  # type: ignore[arg-type]
            if added.recorded:
                written = item(lists.keep("lists", before, added.recorded), written)
                told += lists.added_feedback(written)
        kept = {(each.kind, each.item) for each in lists.stored(written).kept}
        assert sorted((each.kind, place.item) for each in told for place in each.items) == sorted(kept)
        results.add(frozenset(kept))
    assert results == {frozenset({("impression", "a"), ("impression", "b"), ("impression", "c"), ("click", "a")})}


def test_what_is_no_list_is_told() -> None:
    with pytest.raises(msgspec.DecodeError):
        lists.stored({"l": b"{", "f": b"[]", "n": 1})
