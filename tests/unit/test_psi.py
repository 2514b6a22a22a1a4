"""The population stability index against its formula and its properties."""

from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuatro.psi import EPSILON, counted, deciles, psi

SHARES = st.lists(st.integers(0, 50), min_size=2, max_size=10).filter(any)


def test_it_is_the_sum_of_the_formula() -> None:
    expected = (0.5 - 0.25) * log(0.5 / 0.25) + (0.5 - 0.75) * log(0.5 / 0.75)
    assert psi([0.25, 0.75], [40, 40]) == pytest.approx(expected)


def test_the_same_distribution_has_none_and_nothing_says_nothing() -> None:
    assert psi([0.25, 0.75], [25, 75]) == 0
    assert psi([0.25, 0.75], [0, 0]) == 0


def test_an_empty_bin_counts_as_epsilon() -> None:
    expected = (EPSILON - 0.5) * log(EPSILON / 0.5) + (1 - 0.5) * log(1 / 0.5)
    assert psi([0.5, 0.5], [0, 10]) == pytest.approx(expected)


def test_other_bins_are_refused() -> None:
    with pytest.raises(ValueError, match="2 expected shares, 3 counts"):
        psi([0.5, 0.5], [1, 2, 3])


@given(SHARES, st.data())
def test_it_is_never_negative_and_symmetric(counts: list[int], data: st.DataObject) -> None:
    others = data.draw(st.lists(st.integers(0, 50), min_size=len(counts), max_size=len(counts)).filter(any))
    one, two = ([count / sum(each) for count in each] for each in (counts, others))
    assert psi(one, others) >= 0
    assert psi(one, others) == pytest.approx(psi(two, counts))


def test_a_value_that_equals_an_edge_is_left_of_it() -> None:
    assert counted([0.0, 1.0], [-1, 0, 0.5, 1, 2]) == [2, 2, 1]


def test_deciles_cut_into_equal_shares_and_never_twice_at_one_value() -> None:
    assert counted(deciles(list(range(1000))), range(1000))[1:] == [100] * 8 + [99]
    assert deciles([0.0] * 99 + [1.0]) == [0.0]
    assert deciles([3.0] * 10) == []
    assert deciles([]) == []
