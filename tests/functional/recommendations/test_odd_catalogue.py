"""Rows of the catalogue's table that no import would write: they spoil neither lists nor shelves, and stop nobody."""

import time
from typing import Any

import pytest

from functions.recommendations import shelves
from tests.functional.recommendations.conftest import policy
from tests.functional.recommendations.suite import Suite, ago, interaction, names


@pytest.mark.parametrize(
    "odd", [{"tags": [["a"]]}, {"tags": {"a": 1}}, {"category": {"a": 1}}, {"category": ["a"]}, {"title": 7}]
)
def test_lists_do_without_the_odd_field(suite: Suite, environment: pytest.MonkeyPatch, odd: dict[str, Any]) -> None:
    policy(environment, diversity=0.3)
    suite.stand("popular#all", ("hit", 9), ("i-2", 3))
    suite.fill({"item_id": "i-2", **odd}, {"item_id": "new", "category": "tea", **odd})
    suite.know("u-1", ("i-1", "view", 1.0))
    assert names(suite.recommend(k="1")[1]) == ["i-2"]
    suite.know("u-2", ("new", "view", 1.0))
    assert names(suite.recommend("u-2", k="1")[1]) == ["hit"]
    assert suite.call("GET", "/items/{item_id}/similar", item_id="i-2")[0] == 200


@pytest.mark.parametrize("category", [5, {"name": "toys"}, ["toys"], "x" * 65])
def test_the_shelf_of_what_is_new_stays_readable(suite: Suite, category: Any) -> None:
    suite.fill(
        {"item_id": "odd", "category": category, "added": ago(1)},
        {"item_id": "toy", "category": "toys", "added": ago(2)},
    )
    suite.shelve()
    found = shelves.new_items(suite.items("shelves")[shelves.NEW]["p"], int(time.time() * 1000), 14)
    assert [(each.item, each.category) for each in found] == [("odd", None), ("toy", "toys")]


@pytest.mark.parametrize("category", [5, {"name": "toys"}, "x" * 3000])
def test_interactions_with_it_count_without_a_category(suite: Suite, category: Any) -> None:
    """DynamoDB takes keys of 2,048 bytes: a longer one would have the whole batch refused, again and again."""
    suite.fill({"item_id": "odd", "category": category})
    suite.record(interaction(1, item_id="odd", time=ago(0)))
    assert suite.observe() == {"batchItemFailures": []}
    assert set(suite.items("shelves")) == {shelves.ALL}
