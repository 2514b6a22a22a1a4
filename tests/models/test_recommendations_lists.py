"""Figures of lists by hand; the lower bound of a gain holds what it promises; who loses is named."""

import numpy as np
import pytest

from cuatro.ranking import Ranked, Taken
from models.recommendations.contender import Case
from models.recommendations.lists import lower_gain, measured, slices


def case(user: str, wanted: str, taken: int = 0) -> Case:
    return Case(user, wanted, [Taken(f"t{at}", 1.0) for at in range(taken)], [])


def shown(*items: str) -> Ranked:
    return Ranked(list(items), [1.0 / (at + 1) for at in range(len(items))], [None] * len(items))


def test_figures_by_hand() -> None:
    some = [case("a", "x"), case("a", "y"), case("b", "z")]
    lists = [shown("x", "q"), shown("q", "w"), shown("q", *[f"n{at}" for at in range(10)], "z")]
    popularity = {"x": 6, "q": 2, "n0": 1, "z": 1}
    found = measured(some, lists, popularity).figures
    assert found["recall_10"] == pytest.approx((0.5 + 0) / 2)  # by user: a hits once in two, b at place 12
    assert found["ndcg_10"] == pytest.approx(0.5 / 2)
    assert found["recall_20"] == pytest.approx((0.5 + 1) / 2)
    assert found["ndcg_20"] == pytest.approx((0.5 + 1 / np.log2(13)) / 2)
    assert found["coverage_10"] == 3 / 4  # x, q and n0
    taken = (36 + 4 + 1 + 1) / 10
    assert found["popularity_bias_10"] == pytest.approx((6 + 2 + 2 + 2 + 1) / 5 / taken)


def test_the_lower_bound_holds_what_it_promises() -> None:
    """Of many draws from people whose true gain is known, about 95 % have a lower bound below it."""
    rng, below, rounds, many = np.random.default_rng(4), 0, 120, 80
    for _ in range(rounds):
        some = [case(f"u{at}", "x") for at in range(many)]
        hits = [[shown("x") if rng.random() < share else shown("q") for _ in some] for share in (0.3, 0.4)]
        before, after = (measured(some, lists, {"x": 1, "q": 1}) for lists in hits)
        below += lower_gain(before, after) <= 0.1
    assert 0.88 <= below / rounds <= 0.99


def test_a_group_that_loses_is_named_if_it_is_large_enough() -> None:
    popularity = {"x": 100}
    for many, loses in ((400, True), (100, False)):
        some = [case(f"u{at}", "x", 0 if at < many else 5) for at in range(2 * many)]
        before = measured(some, [shown("x")] * len(some), popularity)
        after = measured(some, [shown("q") if at < many else shown("x") for at in range(2 * many)], popularity)
        told, worst, where = slices(some, before, after, popularity)
        assert told["nothing taken before"] == {"cases": many, "champion": 1.0, "challenger": 0.0}
        assert (worst, where) == ((1.0, "nothing taken before") if loses else (worst, where))
        assert loses or "nothing" not in where
