"""Pages of a stored list, and entity tags: who has a good list already is not sent it again."""

from collections import Counter
from collections.abc import Callable

import pytest

from functions.recommendations.api import sources
from tests.functional.recommendations.conftest import policy
from tests.functional.recommendations.suite import Suite, names


def test_pages_walk_through_one_stored_list(suite: Suite) -> None:
    suite.fill({"item_id": "i-1", "title": "Red shoes"})
    suite.know("u-1", ("i-1", "cart", 1.0))
    first = suite.recommend(k="2")[1]
    second = suite.recommend(k="2", page=first["next"])[1]
    third = suite.recommend(page=second["next"])[1]
    assert first["list_id"] == second["list_id"] == third["list_id"]
    assert third["next"] is None
    found = [*names(first), *names(second), *names(third)]
    assert found[:3] == ["i-2", "i-3", "i-4"]
    assert len(found) == len(set(found)) == 6
    assert second["items"][0]["why"] == "because you put Red shoes in your cart"
    assert len(suite.items("lists")) == 1, "a page makes no new list"


def test_a_page_leaves_out_what_was_sold_out_or_bought_since(suite: Suite) -> None:
    suite.know("u-1", ("i-1", "view", 1.0))
    first = suite.recommend(k="1")[1]
    assert names(suite.recommend(k="1", page=first["next"])[1]) == ["i-3"]
    sources.tables.cache_clear()
    suite.fill({"item_id": "i-3", "title": "Gone", "available": False})
    second = suite.recommend(page=first["next"])[1]
    assert (names(second), second["list_id"]) == ([], first["list_id"]), "it says where the list goes on"
    assert names(suite.recommend(page=second["next"])[1]) == ["i-4"]
    suite.know("u-1", ("i-4", "purchase", 0.0), ("i-1", "view", 1.0), n=2)
    assert names(suite.recommend(page=second["next"])[1]) == []


def test_a_page_of_somebody_elses_list_is_not_found(suite: Suite) -> None:
    suite.know("u-1", ("i-1", "view", 1.0))
    token = suite.recommend(k="2")[1]["next"]
    status, answer = suite.recommend("u-2", page=token)
    assert (status, answer["error"]["code"], answer["error"]["field"]) == (404, "not_found", "page")


def test_a_page_has_a_tag_and_is_not_sent_twice(suite: Suite) -> None:
    suite.know("u-1", ("i-1", "view", 1.0))
    token = suite.recommend(k="2")[1]["next"]
    suite.recommend(page=token)
    assert suite.recommend(tag=suite.headers["ETag"], page=token) == (304, None)


def test_a_client_keeps_its_list_until_the_user_does_something(
    suite: Suite, metrics: Callable[[], Counter[str]]
) -> None:
    suite.know("u-1", ("i-1", "view", 1.0), n=1)
    suite.recommend()
    tag = suite.headers["ETag"]
    assert suite.headers["Cache-Control"] == "private, no-cache"
    metrics()
    assert suite.recommend(tag=tag) == (304, None)
    assert suite.headers["ETag"] == tag
    assert suite.recommend(tag=f'"other", W/{tag}') == (304, None)
    assert (metrics()["NotModified"], len(suite.items("lists"))) == (2, 1)
    suite.know("u-1", ("i-2", "view", 0.1), ("i-1", "view", 1.0), n=2)
    status, answer = suite.recommend(tag=tag)
    assert (status, names(answer)[0]) == (200, "i-5")


def test_a_tag_says_nothing_about_another_question_or_an_old_list(
    suite: Suite, environment: pytest.MonkeyPatch
) -> None:
    suite.know("u-1", ("i-1", "view", 1.0))
    suite.recommend(k="2")
    tag = suite.headers["ETag"]
    assert suite.recommend(k="3", tag=tag)[0] == 200
    assert suite.recommend(k="2", context="country:IT", tag=tag)[0] == 200
    list_id, served, rest = tag.strip('"').split(".")
    assert suite.recommend(k="2", tag=f'"{list_id}.{int(served) - 61}.{rest}"')[0] == 200
    assert suite.recommend(k="2", tag=f'"{list_id}.{int(served) + 10_000}.{rest}"')[0] == 200
    policy(environment, list_cache_s=30)
    suite.recommend(k="2")
    assert suite.headers["Cache-Control"] == "private, max-age=30"
