"""Sentiment's retraining: people's corrections move the model's last layer; the gate has a set that nobody corrects."""

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from cdk.retraining import (
    ROLL_OUT,
    SHORT,
    Condition,
    EvaluateDays,
    Parameters,
    Plan,
    Recipe,
    Retraining,
    TrainDays,
)
from cdk.why import Why

RECIPE = Recipe(
    reads=("labels", "scored"),
    dataset={
        "--as-of": "AsOf", "--train-days": "TrainDays", "--evaluate-days": "EvaluateDays",
        "--fewest-labels": "FewestLabels",
    },
    hyperparameters={"seed": "Seed"},
    # Better on the newest corrections by a margin that is no luck; no worse on the guard set and in any language; as
    # well calibrated, as sure and as fast; and sane.
    conditions=(
        Condition("gain.macro_recall", "at least", "MinGain"),
        Condition("gain.lower", "at least", "MinLower"),
        Condition("gain.guard_loss", "at most", "MaxGuardLoss"),
        Condition("gain.worst_slice", "at most", "MaxSliceLoss"),
        Condition("gain.ece", "at most", "MaxEceIncrease"),
        Condition("gain.unsure", "at most", "MaxUnsureIncrease"),
        Condition("gain.latency_ratio", "at most", "MaxLatencyRatio"),
        Condition("sane", "at least", 1),
    ),
    metric="macro_recall",
    figures=("macro_f1", "guard_macro_recall"),
)  # fmt: skip


@dataclass(frozen=True)
class PostsPlan(Plan):
    """The challenger is refused when it agrees with the live model on less than `min_agreement` of the posts, when it
    is unsure of `max_unsure_rise` more of them, or when a class' share of them moves by more than `max_class_shift`."""

    compares: ClassVar[str] = "scored"
    min_rows: int = 2_000
    min_agreement: float = 0.8
    max_unsure_rise: float = 0.1
    max_class_shift: float = 0.15


@dataclass(frozen=True)
class SentimentRetraining(Retraining):
    """Weekly, when there were corrections. Only the last layer is fitted anew: it takes seconds, and forgets little."""

    train_days: TrainDays = 180
    evaluate_days: EvaluateDays = 14
    schedule: str = "rate(7 days)"
    # Posts with a person's label without which there is nothing to learn from; a third of them to measure with.
    fewest_labels: Annotated[int, Why(SHORT, "*.Parameters.FewestLabels.DefaultValue")] = 150
    # The gate: least gain in macro recall and least that is 95 % certain; most that the guard set's macro recall and
    # any language's may lose, and that the calibration error and the share of unsure posts may grow.
    min_gain: float = 0.005
    min_lower: float = 0.0
    max_guard_loss: float = 0.03
    max_slice_loss: float = 0.05
    max_ece_increase: float = 0.03
    max_unsure_increase: float = 0.05
    plan: Annotated[PostsPlan, ROLL_OUT] = field(default_factory=PostsPlan)

    @property
    def recipe(self) -> Recipe:
        return RECIPE

    def own_parameters(self) -> Parameters:
        return {
            "FewestLabels": ("Integer", self.fewest_labels),
            "MinGain": ("Float", self.min_gain),
            "MinLower": ("Float", self.min_lower),
            "MaxGuardLoss": ("Float", self.max_guard_loss),
            "MaxSliceLoss": ("Float", self.max_slice_loss),
            "MaxEceIncrease": ("Float", self.max_ece_increase),
            "MaxUnsureIncrease": ("Float", self.max_unsure_increase),
        }
