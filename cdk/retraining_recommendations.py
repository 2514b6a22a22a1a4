"""Recommendations' retraining: every night on the lake's interactions, a gate on what people really took next."""

import json
from dataclasses import dataclass, field, replace
from typing import Annotated, ClassVar, Literal

from cdk.archive import ROOT
from cdk.retraining import (
    ROLL_OUT,
    SHORT,
    BuiltIn,
    Condition,
    EvaluateDays,
    Parameters,
    Plan,
    Recipe,
    Retraining,
    TrainDays,
)
from cdk.why import Why

# Who trains: the models' container, or SageMaker's built-in algorithm of that name.
Algorithm = Literal["own", "factorization-machines"]

OWN = Recipe(
    reads=("interactions", "lists", "feedback"),
    dataset={"--as-of": "AsOf", "--train-days": "TrainDays", "--evaluate-days": "EvaluateDays"},
    hyperparameters={"seed": "Seed", "ease_items": "EaseItems"},
    # No worse, by a margin that is no luck; no fewer items, no more of the popular ones; as fast, and sane.
    conditions=(
        Condition("gain.ndcg_10", "at least", "MinGain"),
        Condition("gain.lower", "at least", "MinLower"),
        Condition("gain.coverage_ratio", "at least", "MinCoverageRatio"),
        Condition("gain.popularity_ratio", "at most", "MaxPopularityRatio"),
        Condition("gain.latency_ratio", "at most", "MaxLatencyRatio"),
        Condition("gain.worst_slice", "at most", "MaxSliceLoss"),
        Condition("sane", "at least", 1),
    ),
    metric="ndcg_10",
    figures=("recall_10",),
)
FACTORIZATION = replace(
    OWN,
    # Items that somebody did not take are drawn: the rows, not the algorithm, have the seed.
    dataset={**OWN.dataset, "--seed": "Seed"},
    hyperparameters={"num_factors": "Factors", "epochs": "Epochs"},
    built_in=BuiltIn(
        image="factorization-machines:1",
        accounts=json.loads((ROOT / "models/recommendations/factorization/accounts.json").read_text(encoding="utf-8")),
        package="factorization",
        content="application/x-recordio-protobuf",
        fixed={"predictor_type": "binary_classifier"},
        told={"feature_dim": "factorization.feature_dim"},
    ),
)
RECIPES: dict[Algorithm, Recipe] = {"own": OWN, "factorization-machines": FACTORIZATION}


@dataclass(frozen=True)
class ListsPlan(Plan):
    """The challenger is refused when its lists have less than `min_overlap` of their first ten items in common with
    the live model's (mean), when more than `max_empty` of them are empty where the live model's are not, or when they
    show less than `min_variety` times as many different items."""

    compares: ClassVar[str] = "lists"
    min_overlap: float = 0.1
    max_empty: float = 0.01
    min_variety: float = 0.5


@dataclass(frozen=True)
class RecommendationsRetraining(Retraining):
    """Nightly. A new model knows what is new in the catalogue: it need not be better, but must not be worse."""

    algorithm: Algorithm = "own"
    train_days: TrainDays = 180
    evaluate_days: EvaluateDays = 3
    schedule: str = "cron(30 1 * * ? *)"
    # The gate: least gain in NDCG@10 and least that is 95 % certain; least coverage and most popularity bias, as many
    # times the champion's; most that any slice of users may lose.
    min_gain: float = 0.0
    min_lower: float = -0.002
    min_coverage_ratio: float = 0.8
    max_popularity_ratio: float = 1.5
    max_slice_loss: float = 0.1
    # EASE is no candidate above so many items: its time grows with their cube.
    ease_items: Annotated[int, Why(SHORT, "*.Parameters.EaseItems.DefaultValue")] = 13_000
    # Of a factorization machine.
    factors: int = 64
    epochs: int = 7
    plan: Annotated[ListsPlan, ROLL_OUT] = field(default_factory=ListsPlan)

    @property
    def recipe(self) -> Recipe:
        return RECIPES[self.algorithm]

    def own_parameters(self) -> Parameters:
        of_training: dict[Algorithm, Parameters] = {
            "own": {"EaseItems": ("Integer", self.ease_items)},
            "factorization-machines": {"Factors": ("Integer", self.factors), "Epochs": ("Integer", self.epochs)},
        }
        return {
            "MinGain": ("Float", self.min_gain),
            "MinLower": ("Float", self.min_lower),
            "MinCoverageRatio": ("Float", self.min_coverage_ratio),
            "MaxPopularityRatio": ("Float", self.max_popularity_ratio),
            "MaxSliceLoss": ("Float", self.max_slice_loss),
            **of_training[self.algorithm],
        }
