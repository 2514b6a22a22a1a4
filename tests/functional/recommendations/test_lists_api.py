"""GET /recommendations: what is in a list, what is left out, and what is stored of it."""

from collections import Counter
from collections.abc import Callable

import pytest

from tests.functional.recommendations.conftest import policy
from tests.functional.recommendations.suite import Suite, interaction, names
from tests.functional.recommendations.tiny_ranker import NAMES


def test_a_known_user_gets_the_models_list_with_reasons(suite: Suite) -> None:
    suite.fill({"item_id": "i-1", "title": "Red shoes"}, {"item_id": "i-2", "title": "Socks", "category": "feet"})
    suite.know("u-1", ("i-1", "purchase", 1.0))
    status, answer = suite.recommend(k="3")
    assert (status, names(answer)) == (200, ["i-2", "i-3", "i-4"])
    assert (answer["user_id"], answer["model_version"], answer["arm"]) == ("u-1", "tiny-1", "all")
    first = answer["items"][0]
    assert (first["title"], first["category"]) == ("Socks", "feet")
    assert (first["why"], first["because"], first["source"]) == ("because you bought Red shoes", "i-1", "model")
    assert "title" not in answer["items"][1], "the catalogue does not have it, the list shows it"
    assert answer["degraded"] == []


def test_each_interaction_makes_the_next_list_better(suite: Suite) -> None:
    suite.stand("popular#all", ("i-9", 5), ("i-10", 4))
    assert names(suite.recommend(k="2")[1]) == ["i-9", "i-10"]
    suite.record(interaction(1, item_id="i-1"))
    assert names(suite.recommend(k="2")[1]) == ["i-2", "i-3"]
    suite.record(interaction(2, item_id="i-2"))
    assert names(suite.recommend(k="3")[1]) == ["i-5", "i-3", "i-6"]


def test_what_was_seen_bought_or_disliked_is_not_shown(suite: Suite, environment: pytest.MonkeyPatch) -> None:
    policy(environment, exclude_days=30)
    suite.know("u-1", ("i-1", "view", 0.1), ("i-2", "view", 29.0), ("i-3", "view", 31.0), ("i-4", "purchase", 50.0))
    found = names(suite.recommend()[1])
    assert "i-3" in found, "seen long ago"
    assert not {"i-1", "i-2", "i-4"} & set(found)
    suite.know("u-2", ("i-1", "view", 1.0), ("i-2", "rating", 90.0), value=1.0)
    assert "i-2" not in names(suite.recommend("u-2")[1])


def test_what_was_disliked_speaks_for_nothing(suite: Suite) -> None:
    suite.know("u-1", ("i-1", "rating", 1.0), ("i-7", "view", 2.0), value=1.0)
    assert {each["because"] for each in suite.recommend()[1]["items"]} <= {"i-7", None}


def test_unavailable_items_are_left_out_and_others_take_their_place(suite: Suite) -> None:
    suite.fill({"item_id": "i-2", "title": "gone", "available": False})
    suite.know("u-1", ("i-1", "view", 1.0))
    assert names(suite.recommend(k="2")[1]) == ["i-3", "i-4"]


def test_where_much_is_sold_out_the_ranker_is_asked_again(suite: Suite, environment: pytest.MonkeyPatch) -> None:
    policy(environment, candidates=3, pages=1)
    suite.fill(*({"item_id": name, "title": name, "available": name in {"i-11", "i-12"}} for name in NAMES))
    suite.know("u-1", ("i-1", "view", 1.0))
    assert names(suite.recommend(k="2")[1]) == ["i-11", "i-12"]


def test_items_without_an_entry_are_shown_or_hidden_as_the_policy_says(
    suite: Suite, environment: pytest.MonkeyPatch
) -> None:
    suite.fill({"item_id": "i-3", "title": "known"})
    suite.know("u-1", ("i-1", "view", 1.0))
    assert names(suite.recommend(k="2")[1]) == ["i-2", "i-3"]
    policy(environment, missing="hide")
    assert names(suite.recommend(k="2")[1]) == ["i-3"]


def test_an_unknown_user_gets_what_is_popular_in_the_context(suite: Suite) -> None:
    suite.stand("popular#all", ("a", 90), ("b", 10))
    suite.stand("popular#country=IT", ("b", 500))
    assert names(suite.recommend("nobody", k="2")[1]) == ["a", "b"]
    status, answer = suite.recommend("nobody", context="country:IT", k="2")
    assert (status, names(answer), answer["model_version"]) == (200, ["b", "a"], "popular")
    assert answer["items"][0]["why"] == "popular where country is IT"
    assert answer["items"][1]["why"] == "popular now"


def test_an_unknown_user_of_an_empty_shop_gets_what_was_popular_in_training(suite: Suite) -> None:
    status, answer = suite.recommend("nobody", k="3")
    assert (status, names(answer)) == (200, ["i-1", "i-2", "i-3"])
    assert {each["source"] for each in answer["items"]} == {"popular"}


@pytest.mark.parametrize("prior_mass", [0, 200])
def test_the_popular_arm_of_an_empty_shop_is_not_empty(
    suite: Suite, environment: pytest.MonkeyPatch, prior_mass: int
) -> None:
    policy(environment, prior_mass=prior_mass, ranker="popular")
    suite.know("u-1", ("i-1", "view", 1.0))
    answer = suite.recommend(k="2")[1]
    assert (names(answer), answer["model_version"]) == (["i-2", "i-3"], "popular")
    assert {(each["source"], each["because"]) for each in answer["items"]} == {("popular", None)}


def test_the_popular_arm_of_a_young_shop_is_full_and_sees_nothing_of_its_users_taste(
    suite: Suite, environment: pytest.MonkeyPatch
) -> None:
    """Even where the ranker cannot tell what was popular in training, but for ranking for nobody."""
    policy(environment, ranker="popular")
    suite.stand("popular#all", ("i-9", 5))
    suite.know("u-1", ("i-7", "view", 1.0))
    answer = suite.recommend(k="4")[1]
    assert (names(answer), answer["model_version"]) == (["i-9", "i-1", "i-2", "i-3"], "popular")
    assert {(each["source"], each["because"]) for each in answer["items"]} == {("popular", None)}


def test_where_all_that_is_popular_is_sold_out_the_model_is_asked_for_more(suite: Suite) -> None:
    suite.stand("popular#all", ("i-3", 9), ("i-2", 5), ("i-1", 2))
    suite.fill(*({"item_id": f"i-{number}", "available": False} for number in (1, 2, 3)))
    assert names(suite.recommend("nobody", k="1")[1]) == ["i-4"]


def test_a_shelf_that_is_nearly_empty_does_not_outweigh_the_training(
    suite: Suite, environment: pytest.MonkeyPatch
) -> None:
    policy(environment, prior_mass=200)
    suite.stand("popular#all", ("a", 12), ("i-12", 1))
    assert names(suite.recommend("nobody", k="3")[1]) == ["i-1", "i-2", "i-3"]
    suite.stand("popular#all", ("a", 1200), ("i-12", 100))
    policy(environment, prior_mass=200, shelf_cache_s=0)
    answer = suite.recommend("nobody", k="3")[1]
    assert (names(answer), answer["model_version"]) == (["a", "i-12", "i-1"], "popular")


def test_who_took_only_what_is_new_to_the_model_gets_items_like_it(suite: Suite) -> None:
    suite.fill(
        {"item_id": "fresh", "title": "Fresh", "category": "tea", "tags": ["green"]},
        {"item_id": "t-1", "title": "T1", "category": "tea", "tags": ["black"]},
        {"item_id": "t-2", "title": "T2", "category": "tea", "tags": ["green"]},
    )
    suite.stand("popular#all", ("hit", 50), ("t-1", 6))
    suite.stand("popular#category=tea", ("t-1", 6), ("t-2", 5))
    suite.know("u-1", ("fresh", "view", 0.1))
    answer = suite.recommend(k="3")[1]
    assert names(answer) == ["t-2", "t-1", "hit"]
    assert (answer["items"][0]["source"], answer["items"][0]["because"]) == ("similar", "fresh")
    assert answer["items"][0]["why"] == "similar, and you viewed Fresh"


def test_who_took_only_what_nothing_follows_gets_what_is_popular_and_is_told_so(suite: Suite) -> None:
    suite.stand("popular#all", ("hit", 9), ("i-2", 3))
    suite.know("u-1", ("i-3", "view", 1.0))
    answer = suite.recommend(k="2")[1]
    assert (names(answer), answer["model_version"]) == (["hit", "i-2"], "popular")
    assert {each["why"] for each in answer["items"]} == {"popular now"}


def test_the_newest_items_count_even_where_the_model_knows_only_older_ones(suite: Suite) -> None:
    suite.fill({"item_id": "fresh", "title": "Fresh", "category": "tea"})
    suite.stand("popular#category=tea", ("t-1", 6))
    suite.know("u-1", ("fresh", "view", 0.1), ("i-1", "view", 5.0))
    assert names(suite.recommend(k="3")[1]) == ["i-2", "i-3", "t-1"]


def test_categories_are_mixed(suite: Suite, environment: pytest.MonkeyPatch) -> None:
    policy(environment, diversity=0.5)
    shoes = ({"item_id": name, "title": name, "category": "shoes"} for name in ("i-2", "i-3"))
    suite.fill(*shoes, {"item_id": "i-4", "title": "hat", "category": "hats"})
    suite.know("u-1", ("i-1", "view", 1.0))
    assert names(suite.recommend(k="2")[1]) == ["i-2", "i-4"]


def test_the_guard_holds_popular_items_back(suite: Suite, environment: pytest.MonkeyPatch) -> None:
    """i-2: 1.0 / 90 ** 2, i-3: 0.5 / 80 ** 2, i-4: 0.25 / 70 ** 2; without the guard the other way round."""
    suite.know("u-1", ("i-1", "view", 1.0), ("i-7", "view", 1.0))
    assert names(suite.recommend(k="4")[1])[:3] == ["i-2", "i-3", "i-4"]
    policy(environment, popularity_guard=2.0)
    assert names(suite.recommend(k="4")[1])[0] == "i-8"


def test_arms_differ_and_are_told(suite: Suite, environment: pytest.MonkeyPatch) -> None:
    arms = [{"name": "model", "share": 0.5}, {"name": "popular", "share": 0.5, "changes": {"ranker": "popular"}}]
    policy(environment, experiment={"name": "ranking-1", "arms": arms})
    suite.stand("popular#all", ("hit", 50))
    seen = {}
    for number in range(20):
        suite.know(f"u-{number}", ("i-1", "view", 1.0))
        answer = suite.recommend(f"u-{number}", k="1")[1]
        seen[answer["arm"]] = (names(answer), answer["model_version"])
        assert suite.served(answer["list_id"]).experiment == "ranking-1"
    assert seen == {"model": (["i-2"], "tiny-1"), "popular": (["hit"], "popular")}


def test_a_list_is_stored_with_what_it_was_made_from(suite: Suite, metrics: Callable[[], Counter[str]]) -> None:
    suite.know("u-1", ("i-1", "view", 1.0))
    answer = suite.recommend(k="2", context=["country:IT", "device:phone"])[1]
    served = suite.served(answer["list_id"])
    assert [each.item for each in served.items][:2] == names(answer)
    assert len(served.items) == 6, "three pages"
    assert (served.context, served.user_id) == ({"country": "IT", "device": "phone"}, "u-1")
    assert (served.explored, served.candidates, served.shadow) == (None, (), None)
    assert served.latency_ms > 0
    item = suite.items("lists")[answer["list_id"]]
    assert (item["n"], item["d"]) == (1, b"[]")
    assert item["x"] > 0
    told = metrics()
    assert (told["Requests"], told["ListsServed"], told["ListsCold"], told["ListsDegraded"]) == (1, 1, 0, 0)
    assert told["ListLatency"] > 0


def test_a_warm_list_takes_three_calls(suite: Suite) -> None:
    suite.stand("popular#all", ("hit", 1))
    suite.know("u-1", ("i-1", "view", 1.0))
    suite.wire.calls.clear()
    suite.recommend()
    assert suite.wire.calls == {"BatchGetItem": 2, "BatchExecuteStatement": 1}
    suite.recommend()
    assert suite.wire.calls == {"BatchGetItem": 3, "BatchExecuteStatement": 2}, "shelves and catalogue from memory"
