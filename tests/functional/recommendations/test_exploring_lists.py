"""New items in lists: at their place, with the propensities that were true, and only where they may be shown."""

import json
import time

import pytest

from cuatro.config import settings
from functions.recommendations.shelves import NewItem
from tests.functional.recommendations.suite import Suite

NOW_MS = int(time.time() * 1000)


@pytest.fixture(autouse=True)
def exploring(environment: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    environment.setenv("POLICY", json.dumps({"diversity": 0.0, "explore_share": 1.0, "explore_slot": 2}))
    settings.cache_clear()
    return environment


def new(*names: str, days: float = 1.0) -> list[NewItem]:
    return [NewItem(name, NOW_MS - int(days * 86_400_000), "tea") for name in names]


def test_a_new_item_stands_at_the_explored_place(suite: Suite) -> None:
    suite.know("u-1", ("i-1", "view", 1.0))
    suite.stand_new(*new("n-1", "n-2", "n-3"))
    answer = suite.recommend(k="3")[1]
    found = [each["item_id"] for each in answer["items"]]
    assert (found[0], found[2]) == ("i-2", "i-3")
    assert found[1] in {"n-1", "n-2", "n-3"}
    assert (answer["items"][1]["source"], answer["items"][1]["why"]) == ("new", "new here")
    served = suite.served(answer["list_id"])
    assert served.explored == 2
    propensities = {each.item: each.propensity for each in served.candidates}
    assert set(propensities) == {"n-1", "n-2", "n-3"}
    assert sum(propensities.values()) == pytest.approx(1)
    assert served.items[1].propensity == propensities[found[1]]
    assert {each.propensity for each in (served.items[0], *served.items[2:])} == {1.0}
    assert len(served.items) == len({each.item for each in served.items}) == 9


def test_only_what_may_be_shown_is_tried(suite: Suite) -> None:
    suite.fill({"item_id": "n-1", "title": "gone", "available": False})
    suite.know("u-1", ("i-1", "view", 1.0), ("n-2", "view", 1.0))
    suite.stand_new(*new("n-1", "n-2"), *new("i-2", "n-4"), *new("old", days=15))
    served = suite.served(suite.recommend(k="3")[1]["list_id"])
    assert [each.item for each in served.candidates] == ["n-4"], "sold out, seen, shown before it, no longer new"


def test_a_new_item_that_is_further_down_moves_up(suite: Suite) -> None:
    suite.know("u-1", ("i-1", "view", 1.0))
    suite.stand_new(*new("i-4"))
    found = [each["item_id"] for each in suite.recommend(k="3")[1]["items"]]
    assert found == ["i-2", "i-4", "i-3"]


def test_a_short_list_and_an_empty_shelf_explore_nothing(suite: Suite) -> None:
    suite.know("u-1", ("i-1", "view", 1.0))
    assert suite.served(suite.recommend(k="3")[1]["list_id"]).explored is None
    suite.stand_new(*new("n-1"))
    assert suite.served(suite.recommend(k="1")[1]["list_id"]).explored is None


def test_what_is_clicked_more_is_tried_more(suite: Suite) -> None:
    suite.know("u-1", ("i-1", "view", 1.0))
    good, bad = new("good", "bad")
    suite.stand_new(
        NewItem("good", good.added_ms, "tea", impressions=300, clicks=60),
        NewItem("bad", bad.added_ms, "tea", impressions=300, clicks=3),
    )
    shares = {each.item: each.propensity for each in suite.served(suite.recommend(k="3")[1]["list_id"]).candidates}
    assert shares == pytest.approx({"good": 0.95, "bad": 0.05}, abs=0.02)
