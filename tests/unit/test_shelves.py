"""Shelves: counts that decay, in any order the same; the most frequent stay; new items come, are proven, and go."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.recommendations.shelves import (
    CAPACITY,
    DAY_MS,
    Answers,
    NewItem,
    NewItems,
    Popular,
    answered,
    arrived,
    counted,
    decode_new,
    decode_popular,
    encode,
    in_category,
    in_context,
    new_items,
    popular,
)

NOW = 1_795_000_000_000


def least(shelf: Popular) -> dict[str, float]:
    return {each.item: each.least for each in shelf.counts}


def test_an_interaction_counts_one_and_half_of_that_a_half_life_later() -> None:
    shelf = counted(Popular(), [("film", NOW), ("film", NOW), ("book", NOW)], 7)
    assert least(shelf) == {"film": 2.0, "book": 1.0}
    later = counted(shelf, [("book", NOW + 7 * DAY_MS)], 7)
    assert least(later) == {"book": 1.5, "film": 1.0}
    assert [each.item for each in later.counts] == ["book", "film"]


def test_a_late_interaction_counts_what_it_would_have_counted_in_time() -> None:
    late = counted(counted(Popular(), [("film", NOW)], 7), [("book", NOW - 7 * DAY_MS)], 7)
    assert least(late) == {"film": 1.0, "book": 0.5}
    assert late.at_ms == NOW


INTERACTIONS = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(NOW - 30 * DAY_MS, NOW)), max_size=40)


@given(INTERACTIONS, st.randoms(use_true_random=False), st.integers(1, 5))
def test_any_order_in_any_batches_gives_one_shelf(
    interactions: list[tuple[str, int]], chance: random.Random, batches: int
) -> None:
    whole = counted(Popular(), interactions, 7)
    mixed = chance.sample(interactions, len(interactions))
    shelf = Popular()
    for part in range(batches):
        shelf = counted(shelf, mixed[part::batches], 7)
    assert least(shelf) == pytest.approx(least(whole))


def test_a_shelf_is_bounded_and_keeps_what_is_frequent_whatever_passes_by() -> None:
    """Space-Saving's promise: what has more than 1/CAPACITY of all counts is there, its count within the error."""
    chance = random.Random(3)
    stream = [f"hit-{number % 20}" for number in range(20_000)] + [f"noise-{number}" for number in range(20_000)]
    chance.shuffle(stream)
    shelf, truth = Popular(), Counter(stream)
    for start in range(0, len(stream), 250):
        shelf = counted(shelf, [(item, NOW) for item in stream[start : start + 250]], 7)
    assert len(shelf.counts) == CAPACITY
    assert {each.item for each in shelf.counts[:20]} == {f"hit-{number}" for number in range(20)}
    for each in shelf.counts:
        assert each.least <= truth[each.item] + 1e-9
        assert truth[each.item] <= each.count + 1e-9
    assert sum(each.count for each in shelf.counts) == pytest.approx(len(stream))


def test_the_uncertain_part_of_a_count_fades_with_it() -> None:
    shelf = counted(Popular(), [(f"old-{n}", NOW) for n in range(CAPACITY) for _ in range(4)], 7)
    shelf = counted(shelf, [("new", NOW)] * 2, 7)
    later = counted(shelf, [("old-7", NOW + 7 * DAY_MS)], 7)
    (new,) = [each for each in later.counts if each.item == "new"]
    assert (new.count, new.error, new.least) == (3.0, 2.0, 1.0)


def test_what_becomes_popular_displaces_what_was() -> None:
    shelf = counted(Popular(), [(f"old-{n}", NOW) for n in range(CAPACITY) for _ in range(10)], 7)
    risen = counted(shelf, [("new", NOW + DAY_MS)] * 30, 7)
    assert risen.counts[0].item == "new"
    assert risen.counts[0].least == 30
    assert len(risen.counts) == CAPACITY


def test_what_is_long_past_is_forgotten() -> None:
    shelf = counted(Popular(), [("old", NOW)], 1)
    assert set(least(counted(shelf, [("new", NOW + 11 * DAY_MS)], 1))) == {"new"}


def test_decades_between_interactions_are_no_overflow() -> None:
    shelf = counted(counted(Popular(), [("a", 0)], 0.01), [("b", NOW), ("a", 1)], 0.01)
    assert least(shelf)["b"] == 1.0
    assert least(shelf).get("a", 0.0) == 0.0


def test_nothing_new_changes_nothing() -> None:
    shelf = counted(Popular(), [("film", NOW)], 7)
    assert counted(shelf, [], 7) is shelf


def test_a_shelf_is_read_as_it_was_written() -> None:
    shelf = counted(Popular(), [("фильм", NOW), ("映画", NOW - 5)], 7)
    assert decode_popular(encode(shelf)) == shelf
    assert popular(encode(shelf)) == list(shelf.counts)
    assert popular(None) == []
    new = NewItems((NewItem("a", NOW, "toys", 3, 1),))
    assert decode_new(encode(new)) == new


@pytest.mark.parametrize("damaged", [b"\xc1", b"not msgpack at all", encode(NewItems((NewItem("a", 1),)))])
def test_a_damaged_shelf_says_so(damaged: bytes) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        popular(damaged)


def test_a_full_shelf_with_the_longest_names_fits_an_item_of_dynamodb() -> None:
    names = [f"{number:03}" + "映" * 125 for number in range(CAPACITY)]
    assert len(encode(counted(Popular(), [(name, NOW) for name in names], 7))) < 90_000
    assert len(encode(NewItems(tuple(NewItem(name, NOW, "映" * 64, 10**9, 10**9) for name in names)))) < 140_000


def test_keys_tell_category_and_context_apart() -> None:
    assert in_category("toys") == "popular#category=toys"
    assert in_context("country", "IT") == "popular#country=IT"


def test_new_items_stand_newest_first_until_they_are_old() -> None:
    items = [NewItem("b", NOW - 2 * DAY_MS), NewItem("a", NOW - DAY_MS), NewItem("old", NOW - 15 * DAY_MS)]
    shelf = arrived(NewItems(), items, (), NOW, 14)
    assert [each.item for each in shelf.items] == ["a", "b"]
    assert [each.item for each in new_items(encode(shelf), NOW + 12 * DAY_MS + 1, 14)] == ["a"]
    later = arrived(shelf, [NewItem("c", NOW + 13 * DAY_MS)], (), NOW + 13 * DAY_MS, 14)
    assert [each.item for each in later.items] == ["c"]


def test_an_item_of_the_future_waits_for_its_day() -> None:
    shelf = arrived(NewItems(), [NewItem("soon", NOW + DAY_MS)], (), NOW, 14)
    assert new_items(encode(shelf), NOW, 14) == []
    assert [each.item for each in new_items(encode(shelf), NOW + DAY_MS, 14)] == ["soon"]


def test_what_is_announced_takes_no_place_of_what_is_new() -> None:
    soon = [NewItem(f"soon-{n:03}", NOW + n * DAY_MS) for n in range(1, CAPACITY + 2)]
    shelf = arrived(NewItems(), [*soon, NewItem("b", NOW - DAY_MS), NewItem("a", NOW)], (), NOW, 14)
    assert [each.item for each in new_items(encode(shelf), NOW, 14)] == ["a", "b"]
    assert [each.item for each in shelf.items[2:]] == [f"soon-{n:03}" for n in range(1, CAPACITY - 1)]


def test_an_item_that_is_imported_again_keeps_what_is_known_of_it() -> None:
    shelf = answered(arrived(NewItems(), [NewItem("a", NOW, "toys")], (), NOW, 14), Answers({"a": 5}, {"a": 2}))
    again = arrived(shelf, [NewItem("a", NOW, "games")], (), NOW, 14)
    assert again.items == (NewItem("a", NOW, "games", 5, 2),)


def test_what_is_gone_from_the_catalogue_is_gone_from_the_shelf() -> None:
    shelf = arrived(NewItems(), [NewItem("a", NOW), NewItem("b", NOW)], (), NOW, 14)
    assert [each.item for each in arrived(shelf, [], {"a"}, NOW, 14).items] == ["b"]


def test_more_new_items_than_fit_leave_the_newest() -> None:
    shelf = arrived(NewItems(), [NewItem(f"{n:03}", NOW - n) for n in range(CAPACITY + 50)], (), NOW, 14)
    assert [each.item for each in shelf.items] == [f"{n:03}" for n in range(CAPACITY)]


def test_answers_about_other_items_change_nothing() -> None:
    shelf = NewItems((NewItem("a", NOW),))
    assert answered(shelf, Answers({"b": 1}, {"c": 1})) is shelf
    assert answered(shelf, Answers({"a": 2, "b": 1}, {})).items == (NewItem("a", NOW, None, 2, 0),)
