"""Items and what is like them: by the model, by content where it does not know them, with headers for caches."""

from typing import Any

import pytest

from cuatro.config import settings
from tests.functional.recommendations.suite import Suite, names


def similar(suite: Suite, item: str, tag: str = "", **query: str) -> tuple[int, Any]:
    headers = {"If-None-Match": tag} if tag else None
    return suite.call(
        "GET",
        "/items/{item_id}/similar",
        headers=headers,
        query={name: [value] for name, value in query.items()},
        item_id=item,
    )


def test_an_item_is_shown_with_a_tag_for_caches(suite: Suite) -> None:
    suite.fill({"item_id": "i-1", "title": "Red shoes", "category": "shoes", "tags": ["red"], "price": 12.5,
                "available": True})  # fmt: skip
    status, answer = suite.call("GET", "/items/{item_id}", item_id="i-1")
    assert (status, answer) == (200, {"item_id": "i-1", "title": "Red shoes", "category": "shoes", "tags": ["red"],
                                      "price": 12.5, "available": True})  # fmt: skip
    assert suite.headers["Cache-Control"] == "public, max-age=300"
    tag = suite.headers["ETag"]
    again = suite.call("GET", "/items/{item_id}", headers={"If-None-Match": tag}, item_id="i-1")
    assert again == (304, None)


def test_similar_by_the_model(suite: Suite) -> None:
    suite.fill({"item_id": "i-2", "title": "Socks"}, {"item_id": "i-3", "title": "gone", "available": False})
    status, answer = similar(suite, "i-1", k="2")
    assert (status, names(answer), answer["model_version"]) == (200, ["i-2", "i-4"], "tiny-1")
    assert (answer["items"][0]["title"], answer["items"][0]["source"]) == ("Socks", "model")
    assert similar(suite, "i-1", suite.headers["ETag"], k="2") == (304, None)


def test_similar_by_content_where_the_model_does_not_know_it(suite: Suite) -> None:
    suite.fill(
        {"item_id": "fresh", "title": "Fresh", "category": "tea", "tags": ["green", "leaf"]},
        {"item_id": "t-1", "title": "T1", "category": "tea", "tags": ["green", "leaf"]},
        {"item_id": "t-2", "title": "T2", "category": "tea", "tags": ["black"]},
        {"item_id": "t-3", "title": "T3", "category": "tea", "available": False},
    )
    suite.stand("popular#category=tea", ("t-3", 30), ("t-2", 10), ("t-1", 9), ("fresh", 8))
    status, answer = similar(suite, "fresh")
    assert (status, names(answer), answer["model_version"]) == (200, ["t-1", "t-2"], "popular")


def test_what_nothing_goes_with_has_its_category_and_not_the_best_sellers(suite: Suite) -> None:
    """The model knows i-9, and would give what is popular with everybody."""
    suite.fill({"item_id": "i-9", "title": "x", "category": "tea"})
    suite.stand("popular#category=tea", ("t-1", 9), ("i-9", 5))
    status, answer = similar(suite, "i-9", k="3")
    assert (status, names(answer), answer["model_version"]) == (200, ["t-1"], "popular")


def test_a_ranker_that_knows_users_only_leaves_it_to_content(suite: Suite, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("MODEL_URI", "personalize:arn:aws:personalize:eu-west-1:123456789012:campaign/shop")
    settings.cache_clear()
    suite.fill({"item_id": "i-1", "title": "x", "category": "tea"})
    suite.stand("popular#category=tea", ("t-1", 9), ("i-1", 5))
    status, answer = similar(suite, "i-1", k="2")
    assert (status, names(answer), answer["degraded"]) == (200, ["t-1"], [])


def test_content_fills_up_what_the_model_leaves(suite: Suite) -> None:
    suite.fill({"item_id": "i-7", "title": "x", "category": "tea"})
    suite.stand("popular#category=tea", ("t-1", 9), ("i-8", 5))
    assert names(similar(suite, "i-7", k="5")[1]) == ["i-8", "t-1"]


def test_an_item_of_neither_is_not_found_and_a_bad_k_is_refused(suite: Suite) -> None:
    assert similar(suite, "none")[0] == 404
    status, answer = similar(suite, "i-1", k="0")
    assert (status, answer["error"]["field"]) == (400, "k")


def test_without_the_catalogue_the_model_still_answers(suite: Suite) -> None:
    suite.wire.down("BatchGetItem")
    status, answer = similar(suite, "i-1", k="2")
    assert (status, names(answer), answer["degraded"]) == (200, ["i-2", "i-3"], ["catalogue"])
    assert suite.headers["Cache-Control"] == "no-store"
    assert similar(suite, "unheard-of")[0] == 503
    assert suite.call("GET", "/items/{item_id}", item_id="i-1")[0] == 503
