"""Average precision against scikit-learn's, at the reference's prevalence, with an interval."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from functions.fraud.drift.performance import MIN_FRAUDS, performance

RNG = np.random.default_rng(2)
REFERENCE = {"average_precision": 0.5, "prevalence": 0.02}


def scores(frauds: int, genuine: int, shift: float) -> tuple[list[float], list[float]]:
    """Of frauds and genuine ones, with ties."""
    return RNG.normal(shift, 1, frauds).round(1).tolist(), RNG.normal(0, 1, genuine).round(1).tolist()


def test_it_is_scikit_learn_s_with_frauds_as_rare_as_in_the_reference() -> None:
    frauds, genuine = scores(80, 2_000, 2)
    found = performance(frauds, genuine, 2_000, 2.0, REFERENCE)
    assert found
    labels, values = [1] * 80 + [0] * 2_000, frauds + genuine
    assert found.raw_average_precision == pytest.approx(average_precision_score(labels, values))
    weights = [0.02 / 0.98 * 2_000 / 80] * 80 + [1.0] * 2_000
    assert found.average_precision == pytest.approx(average_precision_score(labels, values, sample_weight=weights))
    assert found.ratio == pytest.approx(found.average_precision / 0.5)
    assert found.low < found.ratio < found.high
    caught = sum(score >= 2.0 for score in frauds)
    assert found.recall == pytest.approx(caught / 80)
    assert found.precision == pytest.approx(caught / (caught + sum(score >= 2.0 for score in genuine)))


def test_a_sample_of_the_genuine_ones_gives_the_same_in_essence() -> None:
    frauds, genuine = scores(300, 40_000, 2)
    whole = performance(frauds, genuine, 40_000, 2.0, REFERENCE)
    part = performance(frauds, genuine[::8], 40_000, 2.0, REFERENCE)
    assert whole
    assert part
    assert part.average_precision == pytest.approx(whole.average_precision, rel=0.1)
    assert part.precision == pytest.approx(whole.precision, rel=0.1)


def test_another_season_does_not_change_the_ratio_but_a_worse_model_does() -> None:
    few, genuine = scores(100, 20_000, 2)
    many = few * 5
    ratios = [performance(each, genuine, 20_000, 2.0, REFERENCE) for each in (few, many)]
    assert ratios[0]
    assert ratios[1]
    assert ratios[0].ratio == pytest.approx(ratios[1].ratio)
    assert ratios[1].raw_average_precision > 1.5 * ratios[0].raw_average_precision
    blind = performance(scores(100, 1, 0)[0], genuine, 20_000, 2.0, REFERENCE)
    assert blind
    assert blind.ratio < 0.1


def test_too_few_frauds_or_no_reference_say_nothing() -> None:
    frauds, genuine = scores(MIN_FRAUDS - 1, 100, 2)
    assert performance(frauds, genuine, 100, 2.0, REFERENCE) is None
    assert performance(frauds * 2, genuine, 100, 2.0, {}) is None
    assert performance(frauds * 2, [], 0, 2.0, REFERENCE) is None
