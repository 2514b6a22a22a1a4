"""How far a window is above the past: calibrated on noise, robust against a past crisis; and what the policy takes."""

import math

import msgspec
import pytest

from functions.sentiment.policy import Policy
from functions.sentiment.statistic import DAY_MIN, Past, Window, grouped, read, windows
from tests.unit.written_posts import POLICY, START, written


def test_scores_vary_by_one_where_nothing_happens() -> None:
    """Poisson and binomial: standard deviations of both statistics, at 15 posts a window."""
    minutes = written(3 * DAY_MIN, lambda _: 3.0, seed=12)
    found = windows(grouped(minutes, 5), START, START + 3 * DAY_MIN, 5)
    past, later = Past(5, found[:288]), found[288:]
    for kind in ("spike", "shift"):
        scores = [each.score for each in read(kind, later, past, 8)]  # type: ignore[arg-type]
        mean = sum(scores) / len(scores)
        deviation = math.sqrt(sum((each - mean) ** 2 for each in scores) / len(scores))
        assert abs(mean) < 0.5
        assert 0.75 < deviation < 1.15, kind


def test_a_past_crisis_is_passed_by() -> None:
    usual = [Window(START + 5 * number, 5, 5, 1) for number in range(288)]
    with_crisis = [
        Window(each.start, 200, 200, 190) if 100 <= number < 130 else each for number, each in enumerate(usual)
    ]
    judged_windows = [Window(START + 2_000, 40, 40, 30)]
    for kind in ("spike", "shift"):
        (plain,) = read(kind, judged_windows, Past(5, usual), 8)  # type: ignore[arg-type]
        (after,) = read(kind, judged_windows, Past(5, with_crisis), 8)  # type: ignore[arg-type]
        assert after.baseline == pytest.approx(plain.baseline, rel=0.01)
        assert after.score == pytest.approx(plain.score, rel=0.25)


def test_the_policy_refuses_what_makes_no_sense() -> None:
    for fields, where in (
        ('{"alerts":{"clear_at":6}}', "alerts"), ('{"alerts":{"window_min":0}}', "window_min"), ('{"term":5}', "term"),
        ('{"backend":"sagemaker"}', "backend"), ('{"second_opinion":"gpt"}', "second_opinion"),
    ):  # fmt: skip
        with pytest.raises(msgspec.ValidationError, match=where):
            Policy.from_json(fields)
    assert Policy.from_json('{"backend":"huggingface:mine-1"}').alerts == POLICY
