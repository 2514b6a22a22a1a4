"""Statistics of experiments: error rates hold on A/A data, known effects are found, broken assignment is noticed."""

from math import inf, isinf

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportions_ztest

from models.recommendations.trials.assignment import assignment
from models.recommendations.trials.comparison import LEAST_USERS, always_valid, fixed, tightest, users_needed
from models.recommendations.trials.outcomes import Sample

Chance = np.random.Generator


def arm(chance: Chance, users: int, lift: float = 0.0, name: str = "a") -> Sample:
    """Users differ in how much they look and how much they click, as people do: clicked lists over lists."""
    lists = 1 + chance.negative_binomial(1, 0.15, users)
    taste = chance.beta(0.6, 3.0, users) * (1 + lift)
    return Sample.of(name, chance.binomial(lists, np.minimum(taste, 1.0)), lists)


def test_the_ratio_and_its_variance_are_those_of_repeated_samples() -> None:
    chance = np.random.default_rng(1)
    samples = [arm(chance, 400) for _ in range(1500)]
    ratios = np.array([each.ratio for each in samples])
    told = np.array([each.variance for each in samples])
    assert samples[0].values().mean() == pytest.approx(samples[0].ratio)
    assert told.mean() == pytest.approx(ratios.var(ddof=1), rel=0.1)


def test_a_mean_over_users_is_welchs_t_test() -> None:
    chance = np.random.default_rng(2)
    below, above = chance.exponential(1.0, 300), chance.exponential(1.2, 500)
    compared = fixed(Sample.of("below", below), Sample.of("above", above))
    reference = stats.ttest_ind(above, below, equal_var=False)
    assert compared.p == pytest.approx(reference.pvalue)
    interval = reference.confidence_interval(0.95)
    assert (compared.difference.lower, compared.difference.upper) == pytest.approx((interval.low, interval.high))


def test_one_look_at_arms_that_do_not_differ_holds_the_error_rate() -> None:
    """And a test that takes lists for users does not: that is why users are counted."""
    chance = np.random.default_rng(3)
    rounds = 1000
    alarms = naive = covered = 0
    for _ in range(rounds):
        below, above = arm(chance, 500), arm(chance, 300)
        compared = fixed(below, above)
        alarms += compared.differs
        covered += compared.lift.lower <= 0 <= compared.lift.upper
        assert compared.differs == (compared.p < 0.05)
        clicks, lists = [below.top.sum(), above.top.sum()], [below.bottom.sum(), above.bottom.sum()]
        naive += proportions_ztest(clicks, lists)[1] < 0.05
    assert 0.03 <= alarms / rounds <= 0.07
    assert covered == rounds - alarms  # Fieller's interval says the same as the test
    assert naive / rounds > 0.25


def test_many_looks_at_arms_that_do_not_differ_hold_the_error_rate() -> None:
    """A fixed test that is looked at as often does not: that is why there are two ways."""
    chance = np.random.default_rng(4)
    rounds, looks = 300, range(200, 4001, 200)
    sequential = peeked = 0
    for _ in range(rounds):
        below, above = arm(chance, 2000), arm(chance, 2000)
        for users in looks:
            parts = [Sample(each.arm, each.top[: users // 2], each.bottom[: users // 2]) for each in (below, above)]
            if always_valid(*parts, planned=4000).differs:
                sequential += 1
                break
        for users in looks:
            parts = [Sample(each.arm, each.top[: users // 2], each.bottom[: users // 2]) for each in (below, above)]
            if fixed(*parts).differs:
                peeked += 1
                break
    assert sequential / rounds <= 0.05
    assert peeked / rounds > 0.12


def test_a_real_lift_is_found_by_both_ways_and_lies_in_the_interval() -> None:
    chance = np.random.default_rng(5)
    found = covered = 0
    for _ in range(100):
        below, above = arm(chance, 3000), arm(chance, 3000, lift=0.2)
        one, many = fixed(below, above), always_valid(below, above, planned=6000)
        found += one.differs and many.differs
        covered += many.lift.lower <= 0.2 <= many.lift.upper
        assert many.difference.lower < one.difference.lower < one.difference.upper < many.difference.upper
        assert many.p >= one.p
        assert (many.p < 0.05) == many.differs
    assert found >= 80
    assert covered >= 95


def test_a_lift_of_a_known_size_is_covered_as_often_as_promised() -> None:
    chance = np.random.default_rng(6)
    rounds = 600
    covered = 0
    for _ in range(rounds):
        lift = fixed(arm(chance, 600), arm(chance, 600, lift=0.15)).lift
        covered += lift.lower <= 0.15 <= lift.upper
    assert 0.925 <= covered / rounds <= 0.975


def test_the_confidence_sequence_is_tightest_near_the_planned_number() -> None:
    def wide(users: int, planned: int) -> float:
        spread = users * tightest(planned, 0.05)
        return float(np.sqrt(2 * (spread + 1) / spread * np.log(np.sqrt(spread + 1) / 0.05)))

    at = {planned: wide(5000, planned) for planned in (500, 2500, 5000, 10_000, 50_000)}
    assert min(at, key=lambda planned: at[planned]) == 5000
    assert at[5000] == pytest.approx(2.8, abs=0.3)  # against 1.96 of a single look


def test_the_planned_number_of_users_finds_the_lift_as_often_as_asked_for() -> None:
    chance = np.random.default_rng(7)
    needed = users_needed(arm(chance, 20_000), lift=0.2, treated=0.5)
    found = sum(
        fixed(arm(chance, needed // 2), arm(chance, needed // 2, lift=0.2)).difference.lower > 0 for _ in range(300)
    )
    assert 0.72 <= found / 300 <= 0.9
    assert users_needed(arm(chance, 20_000), lift=0.2, treated=0.1) > 2 * needed


def test_too_few_users_decide_nothing_however_clear_it_looks() -> None:
    few = LEAST_USERS - 1
    compared = fixed(Sample.of("a", np.zeros(few)), Sample.of("b", np.tile([1.0, 0.9], few)[:few]))
    assert compared.p < 1e-6
    assert not compared.differs


def test_arms_without_clicks_say_nothing() -> None:
    for compared in (
        fixed(Sample.of("a", np.zeros(200)), Sample.of("b", np.zeros(200))),
        always_valid(Sample.of("a", np.zeros(200)), Sample.of("b", np.zeros(200)), planned=400),
    ):
        assert (compared.difference.value, compared.p, compared.differs) == (0.0, 1.0, False)
        assert (compared.lift.value, compared.lift.upper) == (0.0, inf)


def test_users_who_are_all_alike_say_nothing_of_others() -> None:
    for compared in (
        fixed(Sample.of("a", np.ones(200)), Sample.of("b", np.full(200, 2.0))),
        always_valid(Sample.of("a", np.ones(200)), Sample.of("b", np.full(200, 2.0)), planned=400),
    ):
        assert (compared.difference.value, compared.lift.value) == (1.0, 1.0)
        assert (compared.p, compared.differs) == (1.0, False)


def test_a_control_that_may_be_zero_bounds_no_lift() -> None:
    clicks = np.zeros(200)
    clicks[:2] = 1
    compared = fixed(Sample.of("a", clicks), Sample.of("b", np.roll(clicks, 5)))
    assert isinf(compared.lift.upper)
    assert compared.lift.lower == -1.0


@pytest.mark.parametrize("top", [[], [1.0], [0.0, 0.0]])
def test_an_arm_that_nobody_saw_is_refused(top: list[float]) -> None:
    nobody = Sample.of("b", top, np.zeros(len(top)))
    for compare in (fixed, lambda a, b: always_valid(a, b, planned=100)):
        with pytest.raises(ValueError, match="too few to compare"):
            compare(Sample.of("a", np.ones(200)), nobody)


def test_numerators_and_denominators_of_other_users_are_refused() -> None:
    with pytest.raises(ValueError, match="differ"):
        Sample.of("a", [1, 2], [1, 2, 3])


def test_a_control_without_spread_plans_nothing() -> None:
    with pytest.raises(ValueError, match="nothing yet"):
        users_needed(Sample.of("a", np.zeros(500)), lift=0.1, treated=0.5)


SHARES = {"model": 0.9, "popular": 0.1}


def test_a_broken_assignment_is_noticed() -> None:
    for sequential in (False, True):
        assert not assignment({"model": 9050, "popular": 950}, SHARES, sequential=sequential).broken
        assert assignment({"model": 9200, "popular": 800}, SHARES, sequential=sequential).broken
        assert assignment({"model": 10_000}, SHARES, sequential=sequential).broken


def test_a_good_assignment_is_left_alone_however_often_one_looks() -> None:
    chance = np.random.default_rng(8)
    broken = 0
    for _ in range(300):
        users = np.cumsum(chance.multinomial(100, [0.9, 0.1], size=50), axis=0)
        broken += any(
            assignment(dict(zip(SHARES, map(int, look), strict=True)), SHARES, sequential=True).p < 0.05
            for look in users
        )
    assert broken / 300 <= 0.05


def test_an_arm_that_the_experiment_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="old-arm"):
        assignment({"old-arm": 3}, SHARES, sequential=False)


def test_nobody_breaks_no_assignment() -> None:
    assert assignment({}, SHARES, sequential=False).p == 1.0
