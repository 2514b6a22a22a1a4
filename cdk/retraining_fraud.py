"""Fraud's retraining: labels that take days, drift that calls for it, a gate on ranking and calibration."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from cdk.retraining import ROLL_OUT, SHORT, Condition, Parameters, Plan, Recipe, Retraining, Signal
from cdk.why import Why

_FLOAT_TYPES = ("application/json", "application/jsonlines", "text/csv")

RECIPE = Recipe(
    reads=("decisions", "labels"),
    dataset={
        "--as-of": "AsOf", "--train-days": "TrainDays", "--delay-days": "DelayDays", "--evaluate-days": "EvaluateDays",
    },
    hyperparameters={"seed": "Seed", "rounds": "Rounds"},
    # Better by a margin that is no luck, no worse in calibration, latency and any slice, and sane.
    conditions=(
        Condition("gain.average_precision", "at least", "MinGain"),
        Condition("gain.lower", "at least", 0),
        Condition("gain.ece", "at most", "MaxEceIncrease"),
        Condition("gain.latency_ratio", "at most", "MaxLatencyRatio"),
        Condition("gain.worst_slice", "at most", "MaxSliceLoss"),
        Condition("sane", "at least", 1),
    ),
    metric="average_precision",
    requests=(*_FLOAT_TYPES, "application/x-npy"),
    answers=_FLOAT_TYPES,
)  # fmt: skip


@dataclass(frozen=True)
class DecisionsPlan(Plan):
    """The challenger is refused when it alerts more than `max_alert_ratio` times as often as the live model."""

    compares: ClassVar[str] = "decisions"
    max_alert_ratio: float = 2.0


@dataclass(frozen=True)
class FraudRetraining(Retraining):
    """With the drift report's windows and the alarms' limits."""

    # Days that labels take to arrive: what is newer is neither trained nor judged on.
    delay_days: Annotated[int, Why(SHORT, "*.Parameters.DelayDays.DefaultValue", "*.DELAY_DAYS")] = 7
    rounds: Annotated[int, Why(SHORT, "*.Parameters.Rounds.DefaultValue")] = 80
    # The gate: least gain in average precision; most that calibration and any slice may lose.
    min_gain: float = 0.01
    max_ece_increase: float = 0.005
    max_slice_loss: float = 0.1
    drift_window_days: Annotated[int, Why(SHORT, "*.WINDOW_DAYS")] = 7
    # PSI above 0.25 is the usual sign of a changed population.
    psi_limit: Annotated[
        float,
        Why(
            "a demo's bank of some hundred cards is far from the 5,000 of the shipped model before anything drifts",
            "AWS::CloudWatch::Alarm:*Drift.*.Threshold",
        ),
    ] = 0.25
    # Of the average precision that the model had when it was made.
    performance_limit: float = 0.6
    new_frauds: int = 500
    drift_every_hours: int = 24
    plan: Annotated[DecisionsPlan, ROLL_OUT] = field(default_factory=DecisionsPlan)

    @property
    def recipe(self) -> Recipe:
        return RECIPE

    def own_parameters(self) -> Parameters:
        return {
            "DelayDays": ("Integer", self.delay_days),
            "MinGain": ("Float", self.min_gain),
            "MaxEceIncrease": ("Float", self.max_ece_increase),
            "MaxSliceLoss": ("Float", self.max_slice_loss),
            "Rounds": ("Integer", self.rounds),
        }

    @property
    def signals(self) -> Sequence[Signal]:
        """What of the drift report starts a retraining."""
        return (
            Signal("InputDrift", "InputPsiMax", self.psi_limit, "the transactions are not those it was trained on"),
            Signal("ScoreDrift", "ScorePsi", self.psi_limit, "its scores are distributed as never before"),
            Signal(
                "PerformanceDrop", "PerformanceRatio", self.performance_limit, "it finds less than it used to",
                below=True,
            ),
            Signal("EnoughLabels", "NewFraudLabels", self.new_frauds, "there is much to learn from since it was made"),
        )  # fmt: skip
