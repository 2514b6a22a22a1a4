"""Shapley values of groups of features, against their definition, and the words made of them."""

from collections.abc import Callable
from itertools import permutations

import numpy as np
import pytest
from msgspec import structs

from functions.fraud.explain import GROUPS, explain, group_of, shapley
from functions.fraud.features import FEATURES
from functions.fraud.outbox import DecidedTransaction
from functions.fraud.reasons import reasons_of

RNG = np.random.default_rng(3)
GROUP = np.array([group_of(feature) for feature in FEATURES])


class AnyModel:
    version = "v1"

    def __init__(self, function: Callable[[np.ndarray], np.ndarray], baseline: list[float]) -> None:
        self.function, self.baseline, self.calls = function, baseline, 0
        self.thresholds: dict[str, float] = {}

    def score(self, matrix: np.ndarray) -> np.ndarray:
        self.calls += 1
        return self.function(matrix.astype(np.float64)).astype(np.float32)


def curved(matrix: np.ndarray) -> np.ndarray:
    """Interactions between all groups."""
    sums = np.stack([matrix[:, group == GROUP].sum(axis=1) for group in range(len(GROUPS))])
    return 1 / (1 + np.exp(-(sums[0] * sums[1] + sums[2] - sums[3] * sums[4] + sums[5] ** 2)))


def by_definition(row: np.ndarray, model: AnyModel) -> np.ndarray:
    """Average over all orders of switching groups on."""
    values = np.zeros(len(GROUPS))
    orders = list(permutations(range(len(GROUPS))))
    for order in orders:
        current = np.array(model.baseline, np.float32)
        before = 0.0
        steps = [current.copy()]
        for group in order:
            current[group == GROUP] = row[group == GROUP]
            steps.append(current.copy())
        scores = model.score(np.array(steps)).astype(np.float64)
        before = scores[0]
        for group, after in zip(order, scores[1:], strict=True):
            values[group] += after - before
            before = after
    return values / len(orders)


def test_every_feature_belongs_to_one_group() -> None:
    assert set(GROUP) == set(range(len(GROUPS)))
    with pytest.raises(ValueError, match="unheard_of"):
        group_of("unheard_of")


def test_values_are_those_of_the_definition_and_add_up() -> None:
    baseline = RNG.normal(0, 0.3, len(FEATURES)).astype(np.float32)
    rows = RNG.normal(0, 0.3, (2, len(FEATURES))).astype(np.float32)
    model = AnyModel(curved, baseline.tolist())
    values = shapley(rows, model)
    assert model.calls == 1
    np.testing.assert_allclose(values[0], by_definition(rows[0], model), atol=1e-6)
    gained = model.score(rows) - model.score(baseline[None, :])
    np.testing.assert_allclose(values.sum(axis=1), gained, atol=1e-6)


def test_a_group_that_changes_nothing_gets_nothing() -> None:
    model = AnyModel(lambda matrix: matrix[:, FEATURES.index("amount")] / 100, [0.0] * len(FEATURES))
    row = np.ones((1, len(FEATURES)), np.float32)
    np.testing.assert_allclose(
        shapley(row, model)[0], [0.01 if group == "amount" else 0 for group in GROUPS], atol=1e-9
    )


def test_reasons_are_the_strongest_pushes_upwards_in_words() -> None:
    weights = np.zeros(len(FEATURES))
    for name, weight in (("card_profile_ratio", 0.1), ("card_count_1h", 0.05), ("night", 0.2), ("terminal_idle", -0.5)):
        weights[FEATURES.index(name)] = weight
    model = AnyModel(lambda matrix: matrix @ weights, [0.0] * len(FEATURES))
    row = np.zeros((1, len(FEATURES)), np.float32)
    for name, value in (("card_profile_ratio", 8.0), ("card_count_1h", 6.0), ("night", 1.0), ("terminal_idle", 1.0)):
        row[0, FEATURES.index(name)] = value
    (reasons,) = explain(row, model)
    assert [(reason.group, round(reason.push, 3)) for reason in reasons] == [
        ("amount", 0.8), ("card pace", 0.3), ("time", 0.2),
    ]  # fmt: skip
    assert reasons[0].text == "the amount is 8.0 times the card's usual one"
    assert reasons[1].text.startswith("6 other payments with this card in the last hour")


def test_every_group_has_words() -> None:
    model = AnyModel(lambda matrix: matrix.sum(axis=1), [0.0] * len(FEATURES))
    rows = np.abs(RNG.normal(0, 1, (40, len(FEATURES)))).astype(np.float32)
    told = {reason.group: reason.text for reasons in explain(rows, model, top=len(GROUPS)) for reason in reasons}
    assert set(told) == set(GROUPS)
    assert len(set(told.values())) == len(GROUPS)


def decision(outcome: str, *rules: str, version: str = "v1") -> DecidedTransaction:
    return DecidedTransaction(
        transaction_id="t-1", card_id="c", terminal_id="s", merchant_id=None, amount=1_000_050, currency="EUR", time=0,
        channel="stream", correlation_id="x", outcome=outcome, score=0.93, rules=rules,
        features=np.ones(len(FEATURES), "<f4").tobytes(), model_version=version, decided_at=0, latency_ms=0,
    )  # fmt: skip


def test_rules_come_first_and_approvals_need_no_reasons() -> None:
    model = AnyModel(lambda matrix: matrix[:, 0] * 0.5, [0.0] * len(FEATURES))
    approved, declined = reasons_of([decision("approve"), decision("decline", "card_blocked", "hard_limit")], [model])
    assert approved == []
    assert declined[:2] == ["the card is blocked", "10,000.50 EUR is above the limit for one payment"]
    assert declined[2].endswith("(+0.50)")


@pytest.mark.parametrize(
    "model", [AnyModel(curved, []), AnyModel(lambda matrix: matrix[:, 0] * 0, [0.0] * len(FEATURES))]
)
def test_without_anything_to_tell_the_score_is_told(model: AnyModel) -> None:
    assert reasons_of([decision("review", "score_review")], [model]) == [["the model's score is 0.93"]]


def test_the_model_that_decided_explains_else_the_first_one() -> None:
    live, shadow = (AnyModel(lambda matrix, n=n: matrix[:, 0] * n, [0.0] * len(FEATURES)) for n in (0.1, 0.2))
    shadow.version = "v2"
    versions = ("v1", "v2", "v0")
    decisions = [structs.replace(decision("review", version=each), transaction_id=each) for each in versions]
    pushed = [reasons[0].rpartition(" ")[2] for reasons in reasons_of(decisions, [live, shadow])]
    assert pushed == ["(+0.10)", "(+0.20)", "(+0.10)"]
    assert (live.calls, shadow.calls) == (1, 1)
