"""What decides: the version that scored is the one that is named, and a shadow that fails stops nothing."""

from datetime import UTC, datetime

import numpy as np
import pytest

from cuatro.errors import ModelMismatch, Unavailable
from cuatro.events import Transaction
from functions.fraud.decide import Policy
from functions.fraud.features import FEATURES
from functions.fraud.score.scorer import Arrival, Scorer

ROWS = np.zeros((2, len(FEATURES)), np.float32)


class Endpoint:
    """Gets its second model just when it is asked to score."""

    version, thresholds, baseline, reference = "v-1", {"review": 0.5, "decline": 0.9}, [], {}

    def score(self, matrix: np.ndarray) -> np.ndarray:
        self.version, self.thresholds = "v-2", {"review": 0.1, "decline": 0.2}
        return np.full(len(matrix), 0.3, np.float32)


class Broken(Endpoint):
    def __init__(self, error: Exception) -> None:
        self.error = error

    def score(self, matrix: np.ndarray) -> np.ndarray:
        raise self.error


def arrivals(scorer: Scorer) -> list[Arrival]:
    now = datetime.fromtimestamp(1_790_000_000, UTC)
    common = {"version": 1, "card_id": "c", "terminal_id": "s", "amount": 1, "currency": "EUR", "time": now}
    return [scorer.arrival(Transaction(transaction_id=key, **common), 0) for key in ("t-1", "t-2")]


def test_a_decision_names_the_version_that_scored_and_uses_its_thresholds() -> None:
    scorer = Scorer(Endpoint(), Policy(), shadow=Endpoint())
    for decision in scorer.decisions(arrivals(scorer), [False, False], ROWS, 0.0):
        assert (decision.model_version, decision.outcome) == ("v-2", "decline")
        assert decision.shadow is not None
        assert (decision.shadow.version, decision.shadow.outcome) == ("v-2", "decline")


@pytest.mark.parametrize(
    "error", [Unavailable("away"), ModelMismatch("other features"), ValueError("x"), RuntimeError("ONNX")]
)
def test_a_shadow_that_fails_stops_nothing_and_says_why(error: Exception) -> None:
    told: list[Exception] = []
    scorer = Scorer(Endpoint(), Policy(), Broken(error), told.append)
    decided = scorer.decisions(arrivals(scorer), [False, False], ROWS, 0.0)
    assert [(each.model_version, each.shadow) for each in decided] == [("v-2", None)] * 2
    assert told == [error]


class Numberless(Endpoint):
    def score(self, matrix: np.ndarray) -> np.ndarray:
        return np.array([0.1, np.nan], np.float32)


def test_a_shadow_without_finite_scores_has_none() -> None:
    told: list[Exception] = []
    scorer = Scorer(Endpoint(), Policy(), Numberless(), told.append)
    assert [each.shadow for each in scorer.decisions(arrivals(scorer), [False, False], ROWS, 0.0)] == [None, None]
    assert "not finite" in str(told[0])


def test_a_live_model_that_fails_decides_nothing() -> None:
    scorer = Scorer(Broken(Unavailable("away")), Policy())
    with pytest.raises(Unavailable, match="away"):
        scorer.decisions(arrivals(scorer), [False, False], ROWS, 0.0)
