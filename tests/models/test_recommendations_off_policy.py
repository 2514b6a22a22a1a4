"""Estimates from logs: on simulated logs, where the truth is known, they find it, and as surely as they say."""

import numpy as np
import pytest

from models.recommendations.trials.off_policy import Line, Log, greedy, logged, rates, uniform, worth

ITEMS = [f"item-{number}" for number in range(8)]
CLICKED = dict(zip(ITEMS, [0.02, 0.04, 0.05, 0.08, 0.10, 0.12, 0.15, 0.30], strict=True))


def log(seed: int, lists: int = 4000, candidates: int = 5) -> list[Line]:
    """Lists whose place is filled by a rule that prefers some items, as a bandit does, and not by a fair draw."""
    chance = np.random.default_rng(seed)
    favour = np.exp(chance.normal(0, 1.0, len(ITEMS)))
    lines = []
    for _ in range(lists):
        some = chance.choice(len(ITEMS), candidates, replace=False)
        odds = 0.9 * favour[some] / favour[some].sum() + 0.1 / candidates
        chosen = int(chance.choice(some, p=odds))
        user = f"u-{chance.integers(0, lists // 4)}"
        reward = float(chance.random() < CLICKED[ITEMS[chosen]])
        names = [ITEMS[place] for place in some]
        lines.append(Line(user, ITEMS[chosen], reward, dict(zip(names, odds.tolist(), strict=True))))
    return lines


def truth(lines: list[Line]) -> tuple[float, float]:
    """What a fair draw, and the best candidate each time, would have earned on these lists."""
    fair = np.mean([np.mean([CLICKED[item] for item in line.candidates]) for line in lines])
    best = np.mean([max(CLICKED[item] for item in line.candidates) for line in lines])
    return float(fair), float(best)


def test_a_fair_draw_is_worth_what_it_would_have_earned() -> None:
    lines = log(1, 20_000)
    found = Log.of(lines)
    fair, _ = truth(lines)
    values = worth(found, uniform(found), rates(found))
    for value in values:
        assert value.value == pytest.approx(fair, abs=0.008)
        assert abs(value.value - fair) < value.upper - value.lower < 0.02
    assert values.robust.upper - values.robust.lower <= values.ips.upper - values.ips.lower


def test_choosing_the_best_is_worth_more_and_estimated_so() -> None:
    lines = log(2, 20_000)
    found = Log.of(lines)
    fair, best = truth(lines)
    expected = rates(found)
    value = worth(found, greedy(found, expected), expected).robust
    assert value.value == pytest.approx(best, abs=0.02)
    assert value.lower > fair


def test_the_rule_of_the_log_is_worth_what_was_earned() -> None:
    lines = log(3)
    found = Log.of(lines)
    values = worth(found, logged(found), rates(found))
    assert values.ips.value == pytest.approx(np.mean([line.reward for line in lines]))
    assert values.snips.value == pytest.approx(values.ips.value)
    assert values.ips.effective == pytest.approx(len(lines))


def test_intervals_hold_the_truth_as_often_as_they_promise() -> None:
    rounds = 150
    held = np.zeros(3)
    for seed in range(rounds):
        lines = log(1000 + seed, 400)
        found = Log.of(lines)
        fair, _ = truth(lines)
        held += [value.lower <= fair <= value.upper for value in worth(found, uniform(found), rates(found), seed=seed)]
    assert (held / rounds >= 0.89).all()


def test_estimates_are_unbiased_where_plain_means_are_not() -> None:
    """What was earned under a rule that prefers good items says too much of a fair draw; the estimate does not."""
    naive, robust, fair = [], [], []
    for seed in range(40):
        chance = np.random.default_rng(seed)
        lines = []
        for _ in range(1000):
            odds = np.array([0.7, 0.2, 0.1])
            place = int(chance.choice(3, p=odds))
            rate = [0.3, 0.1, 0.05][place]
            reward = float(chance.random() < rate)
            candidates = {"good": 0.7, "fair": 0.2, "poor": 0.1}
            lines.append(Line(f"u-{chance.integers(300)}", list(candidates)[place], reward, candidates))
        found = Log.of(lines)
        values = worth(found, uniform(found), rates(found))
        naive.append(float(found.reward.mean()))
        robust.append(values.robust.value)
        fair.append(0.15)
    assert np.mean(robust) == pytest.approx(0.15, abs=0.008)
    assert np.mean(naive) > 0.2


def test_an_items_rate_is_that_of_other_users() -> None:
    """One user who clicks on everything teaches nothing about the lists of that user."""
    lines = [Line("fan", "a", 1.0, {"a": 0.5, "b": 0.5})] * 50 + [
        Line(f"u-{number}", "a", 0.0, {"a": 0.5, "b": 0.5}) for number in range(50)
    ]
    found = Log.of(lines)
    of_fan = rates(found)[: 2 * 50]
    assert (of_fan < 0.02).all()


def test_equals_share_the_place() -> None:
    found = Log.of([Line("u", "a", 0.0, {"a": 0.25, "b": 0.25, "c": 0.5})])
    assert greedy(found, np.array([0.2, 0.2, 0.1])).tolist() == [0.5, 0.5, 0.0]
    assert uniform(found).tolist() == pytest.approx([1 / 3] * 3)


def test_a_rule_that_the_log_never_followed_cannot_be_judged_by_weights() -> None:
    found = Log.of([Line(f"u-{number}", "a", 1.0, {"a": 0.9, "b": 0.1}) for number in range(20)])
    values = worth(found, np.tile([0.0, 1.0], 20), rates(found))
    assert values.ips.value == 0.0
    assert np.isnan(values.snips.value)
    assert values.robust.effective == 0.0


@pytest.mark.parametrize(
    "line",
    [
        Line("u", "c", 1.0, {"a": 0.5, "b": 0.5}),
        Line("u", "a", 1.0, {"a": 0.0, "b": 1.0}),
        Line("u", "a", 1.0, {"a": 0.5, "b": 0.4}),
    ],
)
def test_probabilities_that_are_none_are_refused(line: Line) -> None:
    with pytest.raises(ValueError, match="probabilities"):
        Log.of([line])


def test_an_empty_log_is_refused() -> None:
    with pytest.raises(ValueError, match="left its place to chance"):
        worth(Log.of([]), np.empty(0), np.empty(0))


def test_the_same_seed_gives_the_same_interval() -> None:
    found = Log.of(log(5, 500))
    assert worth(found, uniform(found), rates(found), seed=3) == worth(found, uniform(found), rates(found), seed=3)
