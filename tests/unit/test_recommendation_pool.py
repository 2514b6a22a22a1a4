"""Pools, guard, diversity, content: what is in a list and in which order, on cases computed by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuatro.ranking import Ranked, Taken
from functions.recommendations.catalogue import entry, same_category, similar
from functions.recommendations.diversity import counted, guarded, mixed
from functions.recommendations.explain import why
from functions.recommendations.lists import ServedItem, Source
from functions.recommendations.rank import CONFIDENCE, Pooled, by_content, general, joined, personal, popular
from functions.recommendations.shelves import Count, NewItem


def pool(*names: str, source: Source = "model") -> list[Pooled]:
    return [Pooled(name, 1 / place, None, source) for place, name in enumerate(names, 1)]


def names(pool: list[Pooled]) -> str:
    return "".join(each.item for each in pool)


def test_popular_with_everybody_is_what_stands_on_the_shelf_without_what_is_excluded() -> None:
    found = popular(general([Count("a", 6), Count("b", 3), Count("c", 1)], {}, 0), {}, {"b"})
    assert [(each.item, each.score, each.among) for each in found] == [("a", 0.6, None), ("c", 0.1, None)]


def test_a_context_counts_as_much_as_it_was_seen() -> None:
    everybody = general([Count("a", 90), Count("b", 10)], {}, 200)
    seldom = popular(everybody, {"country=IT": [Count("b", 2)]}, ())
    assert names(seldom) == "ab"
    often = popular(everybody, {"country=IT": [Count("b", 200)]}, ())
    assert names(often) == "ba"
    assert often[0].score == pytest.approx((200 + CONFIDENCE * 0.1) / (200 + CONFIDENCE))
    assert (often[0].among, often[1].among) == ("country=IT", None)


def test_a_context_whose_shelf_is_empty_changes_nothing() -> None:
    everybody = general([Count("a", 2), Count("b", 1)], {}, 0)
    assert popular(everybody, {"country=IT": []}, ()) == popular(everybody, {}, ())
    assert popular({}, {}, ()) == []


def test_training_weighs_as_much_as_its_mass() -> None:
    prior = {"a": 0.5, "b": 0.1}
    assert general([], prior, 200) == prior
    assert general([Count("b", 200)], prior, 200) == pytest.approx({"a": 0.25, "b": 0.55})
    assert general([Count("c", 4)], prior, 0) == {"c": 1.0}
    assert general([], prior, 0) == {}


def test_a_rankers_list_is_split_where_only_popularity_speaks() -> None:
    meant, rest = personal(Ranked(["a", "b", "c"], [3, 2, 1], ["x", None, "y"]), reasons=True)
    assert (names(meant), names(rest)) == ("ac", "b")
    assert [each.source for each in rest] == ["popular"]
    meant, rest = personal(Ranked(["a", "b"], [2, 1], [None, None]), reasons=True)
    assert (meant, names(rest)) == ([], "ab")


def test_a_ranker_that_never_gives_reasons_has_meant_everything() -> None:
    meant, rest = personal(Ranked(["a", "b"], [2, 1], [None, None]), reasons=False)
    assert (names(meant), rest) == ("ab", [])


def test_every_third_is_by_content_and_nothing_comes_twice() -> None:
    found = joined(pool("a", "b", "c", "d"), pool("x", "b", "y", source="similar"), pool("p", "a", source="popular"))
    assert names(found) == "abxcdyp"
    assert names(joined([], pool("x", "y"), pool("p"))) == "xyp"
    assert joined([], [], []) == []


def test_of_several_that_were_taken_the_newest_speaks_loudest() -> None:
    found = by_content([(Taken("new", 0), [("a", 0.5)]), (Taken("old", 3), [("a", 0.6), ("b", 0.8)])])
    assert [(each.item, each.because) for each in found] == [("a", "new"), ("b", "old")]


def test_similar_items_share_tags_and_are_popular_in_the_category() -> None:
    def made(name: str, *tags: str) -> object:
        return entry({"item_id": name, "title": name, "category": "shoes", "tags": list(tags)})

    own = made("own", "red", "run")
    entries = {"a": made("a", "red", "run"), "b": made("b", "blue"), "c": made("c", "red")}
    fame = same_category("shoes", [Count("b", 10), Count("c", 5)], [NewItem("a", 0, "shoes"), NewItem("z", 0, "hats")])
    assert fame == {"a": 0.0, "b": 1.0, "c": 0.5}
    found = similar(own, fame, entries, exclude={"b"})  # type: ignore[arg-type]
    assert [(item, round(score, 3)) for item, score in found] == [("a", 0.5), ("c", 0.5)]


def test_the_guard_divides_by_popularity_and_moves_only_the_models_items() -> None:
    some = [
        Pooled("hit", 4.0, None, "model"),
        Pooled("shelf", 9.0, None, "popular"),
        Pooled("rare", 3.0, None, "model"),
    ]
    fame = counted([Count("hit", 40), Count("other", 10)])
    assert fame("hit") == 4
    assert fame("unheard of") == 1
    assert [each.item for each in guarded(some, fame, 0.0)] == ["hit", "shelf", "rare"]
    assert [each.item for each in guarded(some, fame, 0.5)] == ["rare", "shelf", "hit"]


CATEGORIES = {"a": "x", "b": "x", "c": "x", "d": "y", "e": "y", "f": "z"}


def test_without_diversity_the_order_stays() -> None:
    assert names(mixed(pool(*"abcdef"), CATEGORIES, 0.0, 4)) == "abcd"


def test_diversity_brings_other_categories_forward() -> None:
    """By hand: costs are 0.5 place / 6 + 0.5 times the category's share of what is chosen. Fourth: c 1/6 + 1/3, e
    1/3 + 1/6, f 5/12: f.
    """
    assert names(mixed(pool(*"abcdef"), CATEGORIES, 0.5, 6)) == "adbfce"


def test_an_item_without_a_category_is_never_redundant() -> None:
    assert names(mixed(pool(*"abcdef"), {}, 0.9, 6)) == "abcdef"


@given(st.lists(st.sampled_from("vwxyz"), max_size=30), st.floats(0, 1), st.integers(0, 40))
def test_a_mixed_list_has_each_item_once_and_keeps_the_order_of_a_category(
    kinds: list[str], share: float, size: int
) -> None:
    some = [Pooled(str(number), 1.0, None, "model") for number in range(len(kinds))]
    of = {str(number): kind for number, kind in enumerate(kinds)}
    found = mixed(some, of, share, size)
    assert len(found) == len({each.item for each in found}) == min(size, len(kinds))
    for kind in set(kinds):
        places = [int(each.item) for each in found if of[each.item] == kind]
        assert places == sorted(places)


@pytest.mark.parametrize(
    ("served", "kind", "title", "expected"),
    [
        (ServedItem("a", 1, "x", "model"), "purchase", "Red shoes", "because you bought Red shoes"),
        (ServedItem("a", 1, "x", "model"), "cart", "Red shoes", "because you put Red shoes in your cart"),
        (ServedItem("a", 1, "x", "model"), None, None, "because you chose x"),
        (ServedItem("a", 1, "x", "similar"), "view", "{0} shoes", "similar, and you viewed {0} shoes"),
        (ServedItem("a", 1, None, "popular", 1.0, "country=IT"), None, None, "popular where country is IT"),
        (ServedItem("a", 1, None, "popular"), None, None, "popular now"),
        (ServedItem("a", 1, None, "new"), None, None, "new here"),
        (ServedItem("a", 1, None, "model"), None, None, "chosen for you"),
    ],
)
def test_each_item_says_why(served: ServedItem, kind: str | None, title: str | None, expected: str) -> None:
    assert why(served, kind, title) == expected
