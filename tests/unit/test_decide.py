"""The policy: thresholds, limits, blocks, currencies."""

import msgspec
import pytest

from cuatro.errors import Rejected
from functions.fraud.decide import Policy, Thresholds, decide

POLICY = Policy(hard_limit=100_000, max_1h_count=5, rates={"JPY": 0.61})
THRESHOLDS = Thresholds(0.4, 0.8)


@pytest.mark.parametrize(
    ("score", "amount", "count", "blocked", "outcome", "rules"),
    [
        (0.1, 1000, 0, False, "approve", ()),
        (0.4, 1000, 0, False, "review", ("score_review",)),
        (0.79, 1000, 0, False, "review", ("score_review",)),
        (0.8, 1000, 0, False, "decline", ("score_decline",)),
        (0.1, 100_000, 0, False, "approve", ()),
        (0.1, 100_001, 0, False, "decline", ("hard_limit",)),
        (0.1, 1000, 5, False, "review", ("too_many_in_1h",)),
        (0.1, 1000, 4, False, "approve", ()),
        (0.1, 1000, 0, True, "decline", ("card_blocked",)),
        (0.9, 100_001, 9, True, "decline", ("card_blocked", "hard_limit", "score_decline", "too_many_in_1h")),
        (0.5, 1000, 9, True, "decline", ("card_blocked", "too_many_in_1h", "score_review")),
    ],
)
def test_the_strictest_rule_wins_and_all_are_told(  # noqa: PLR0917
    score: float, amount: int, count: float, blocked: bool, outcome: str, rules: tuple[str, ...]
) -> None:
    assert decide(POLICY, THRESHOLDS, score, amount, count, blocked) == (outcome, rules)


def test_zero_switches_limits_off() -> None:
    assert decide(Policy(), THRESHOLDS, 0.1, 10**9, 1000, False) == ("approve", ())


def test_thresholds_of_zero_come_from_the_model() -> None:
    of_model = {"review": 0.3, "decline": 0.6}
    assert Policy().thresholds(of_model) == (0.3, 0.6)
    assert Policy(decline_at=0.9).thresholds(of_model) == (0.3, 0.9)
    with pytest.raises(ValueError, match="no usable thresholds"):
        Policy().thresholds({})
    with pytest.raises(ValueError, match="no usable thresholds"):
        Policy(decline_at=0.2).thresholds(of_model)


def test_amounts_are_converted_between_minor_units() -> None:
    assert Policy().in_base(1250, "EUR") == 1250
    assert POLICY.in_base(10_000, "JPY") == 6_100
    with pytest.raises(Rejected) as caught:
        POLICY.in_base(1, "USD")
    assert (caught.value.field, caught.value.code) == ("currency", "no_rate")


def test_the_policy_is_read_from_json_and_a_wrong_one_is_refused() -> None:
    assert Policy.from_json('{"hard_limit":5,"rates":{"USD":0.9},"block_on_decline":true}') == Policy(
        hard_limit=5, rates={"USD": 0.9}, block_on_decline=True
    )
    with pytest.raises(msgspec.ValidationError, match="hard_limit"):
        Policy.from_json('{"hard_limit":"5"}')
