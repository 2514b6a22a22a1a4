"""How a model is made anew and goes live: windows, gate, schedules, the steps of a roll-out; for each target."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Annotated

from cdk.why import Why

_SHORT = "somebody waits in front of a laptop: short windows, few rounds"


@dataclass(frozen=True)
class Plan:
    """Steps of a roll-out, in seconds: shadow until `min_rows` were compared, then each of `weights`, then all of it.

    The challenger is refused when it alerts more than `max_alert_ratio` times as often as the live model.
    """

    shadow_s: int = 3600
    min_rows: int = 10_000
    max_shadow_s: int = 24 * 3600
    weights: tuple[float, ...] = (0.1, 0.5)
    step_s: int = 3600
    bake_s: int = 3600
    max_alert_ratio: float = 2.0

    def as_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    def __str__(self) -> str:
        return f"shadow {self.shadow_s} s, {self.min_rows} rows; steps of {self.step_s} s"


@dataclass(frozen=True)
class Retraining:
    """Defaults of the pipeline's parameters, the drift report's windows, the alarms' limits and the roll-out."""

    train_days: Annotated[int, Why(_SHORT, "*.Parameters.TrainDays.DefaultValue")] = 28
    # Days that labels take to arrive: what is newer is neither trained nor judged on.
    delay_days: Annotated[int, Why(_SHORT, "*.Parameters.DelayDays.DefaultValue", "*.DELAY_DAYS")] = 7
    evaluate_days: Annotated[int, Why(_SHORT, "*.Parameters.EvaluateDays.DefaultValue")] = 7
    rounds: Annotated[int, Why(_SHORT, "*.Parameters.Rounds.DefaultValue")] = 80
    # The gate: least gain in average precision; most that calibration, latency and any slice may lose.
    min_gain: float = 0.01
    max_ece_increase: float = 0.005
    max_latency_ratio: float = 2.0
    max_slice_loss: float = 0.1
    # "PendingManualApproval": nothing is rolled out until a person approves the version in the registry.
    approval: str = "Approved"
    seed: int = 7
    instance_type: str = "ml.m5.large"
    drift_window_days: Annotated[int, Why(_SHORT, "*.WINDOW_DAYS")] = 7
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
    retrain_every_days: int = 28
    scheduled: Annotated[
        bool, Why("on a laptop drift and retraining run when somebody asks", "AWS::Events::Rule.Properties.State")
    ] = True
    plan: Annotated[Plan, Why("a roll-out takes seconds in a demo and hours where money moves", "*.PLAN")] = field(
        default_factory=Plan
    )

    def parameters(self, code_version: str) -> Mapping[str, tuple[str, str | int | float]]:
        """The pipeline's parameters: name -> (type, default). An empty AsOf is now."""
        return {
            "AsOf": ("String", ""),
            "TrainDays": ("Integer", self.train_days),
            "DelayDays": ("Integer", self.delay_days),
            "EvaluateDays": ("Integer", self.evaluate_days),
            "MinGain": ("Float", self.min_gain),
            "MaxEceIncrease": ("Float", self.max_ece_increase),
            "MaxLatencyRatio": ("Float", self.max_latency_ratio),
            "MaxSliceLoss": ("Float", self.max_slice_loss),
            "Approval": ("String", self.approval),
            "Seed": ("Integer", self.seed),
            "Rounds": ("Integer", self.rounds),
            # The registry takes no empty text.
            "Reason": ("String", "by hand"),
            "CodeVersion": ("String", code_version),
        }
