"""New items are tried by Thompson sampling, with propensities that are the true probabilities of the choice."""

from collections import Counter

import pytest

from functions.recommendations.explore import EVEN, MOST, explores, sample, tried
from functions.recommendations.shelves import NewItem

IDS = [f"list-{number}" for number in range(4_000)]
NEW = [NewItem("good", 0, None, 400, 80), NewItem("bad", 0, None, 400, 4), NewItem("unseen", 0)]


def test_a_share_of_the_lists_explores() -> None:
    assert sum(explores(each, 0.1) for each in IDS) / len(IDS) == pytest.approx(0.1, abs=0.02)
    assert not any(explores(each, 0.0) for each in IDS[:100])
    assert all(explores(each, 1.0) for each in IDS[:100])


def test_the_same_list_tries_the_same_item() -> None:
    assert [tried(each, NEW) for each in IDS[:50]] == [tried(each, NEW) for each in IDS[:50]]


def test_propensities_add_up_and_each_candidate_has_some() -> None:
    for each in IDS[:200]:
        found = tried(each, NEW)
        assert found is not None
        assert sum(candidate.propensity for candidate in found.candidates) == pytest.approx(1)
        assert min(candidate.propensity for candidate in found.candidates) >= EVEN / len(NEW) - 1e-12
        assert found.chosen in found.candidates


def test_what_is_clicked_is_tried_more_and_what_nobody_saw_gets_its_chance() -> None:
    chosen = Counter(found.chosen.item for each in IDS if (found := tried(each, NEW)))
    assert chosen["good"] > chosen["unseen"] > chosen["bad"] > 0


def test_items_are_chosen_with_the_probability_that_is_logged() -> None:
    """Inverse propensities of the chosen average to 1 for each item: the identity that off-policy estimates rest on."""
    weights: dict[str, float] = Counter()
    for each in IDS:
        found = tried(each, NEW)
        assert found is not None
        weights[found.chosen.item] += 1 / found.chosen.propensity / len(IDS)
    # The standard error of a mean of 1/p with p of 0.033 or more is below sqrt(30 / 4000) = 0.087.
    assert weights == pytest.approx({"good": 1, "bad": 1, "unseen": 1}, abs=0.26)


def test_clicks_without_impressions_are_no_error() -> None:
    assert tried("list-1", [NewItem("a", 0, None, 0, 7)]) is not None


def test_of_many_new_items_each_is_a_candidate_as_often() -> None:
    many = [NewItem(str(number), -number) for number in range(4 * MOST)]
    found = Counter(each.item for list_id in IDS[:1000] for each in sample(list_id, many))
    assert sum(found.values()) == 1000 * MOST
    assert min(found.values()) > 150
    assert max(found.values()) < 350
    assert sample("list-1", many[:MOST]) == many[:MOST]


def test_nothing_new_is_nothing_to_try() -> None:
    assert tried("list-1", []) is None
