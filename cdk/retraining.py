"""How a model is made anew and goes live: what every pipeline's loop has, and what a pipeline says about its own.

Each pipeline has a module beside this one with its `Retraining`; the constructs know no pipeline by name.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Annotated, ClassVar, Literal

from cdk.why import Why

SHORT = "somebody waits in front of a laptop: short windows, few rounds"
TrainDays = Annotated[int, Why(SHORT, "*.Parameters.TrainDays.DefaultValue")]
EvaluateDays = Annotated[int, Why(SHORT, "*.Parameters.EvaluateDays.DefaultValue")]
ROLL_OUT = Why("a roll-out takes seconds in a demo and hours where it matters", "*.PLAN")

Parameters = Mapping[str, tuple[str, str | int | float]]
"""Of a SageMaker pipeline: name -> (type, default)."""


@dataclass(frozen=True)
class Plan:
    """Steps of a roll-out, in seconds: shadow until `min_rows` were compared, then each of `weights`, then all of it.

    A subclass says in `compares` what is compared, which is a folder of the lake, and adds that comparison's limits:
    functions.lifecycle.rollout.plan reads them.
    """

    compares: ClassVar[str]
    shadow_s: int = 3600
    min_rows: int = 10_000
    max_shadow_s: int = 24 * 3600
    weights: tuple[float, ...] = (0.1, 0.5)
    step_s: int = 3600
    bake_s: int = 3600

    def as_json(self) -> str:
        told = {"compares": self.compares, **asdict(self)}
        return json.dumps(told, sort_keys=True, separators=(",", ":"))

    def __str__(self) -> str:
        return f"shadow {self.shadow_s} s, {self.min_rows} rows; steps of {self.step_s} s"


@dataclass(frozen=True)
class Condition:
    """Of the gate: a value of evaluation.json, by its path, against a number or the parameter of that name."""

    path: str
    holds: Literal["at least", "at most"]
    limit: str | float


@dataclass(frozen=True)
class BuiltIn:
    """One of SageMaker's own algorithms, which trains in place of the models' container.

    image: repository and tag. accounts: region -> the account of AWS that keeps it there. package: of the pipeline's
    models, with `dataset`, which leaves rows of the type `content` in its output `rows` too, and `convert`, which makes
    what the algorithm leaves the pipeline's archive. fixed: hyperparameters that are always the same. told:
    hyperparameter -> path in the data set's summary.
    """

    image: str
    accounts: Mapping[str, str]
    package: str
    content: str
    fixed: Mapping[str, str]
    told: Mapping[str, str]


@dataclass(frozen=True)
class Recipe:
    """What the jobs of a pipeline read, take and tell.

    reads: folders of the lake, below the pipeline's own. dataset: options of models.<pipeline>.dataset beside --lake,
    and hyperparameters of its fitting beside data_hash: -> the pipeline's parameter. conditions: all must hold.
    metric: the figure of the challenger that people compare versions by; its gain is gain.<metric> in evaluation.json.
    figures: others of the challenger that the registry keeps. requests, answers: content types of the container.
    built_in: who trains; None is the models' container, which takes the hyperparameter data_hash too.
    """

    reads: tuple[str, ...]
    dataset: Mapping[str, str]
    hyperparameters: Mapping[str, str]
    conditions: tuple[Condition, ...]
    metric: str
    figures: tuple[str, ...] = ()
    requests: tuple[str, ...] = ("application/json", "application/jsonlines")
    answers: tuple[str, ...] = ("application/json", "application/jsonlines")
    built_in: BuiltIn | None = None


@dataclass(frozen=True)
class Signal:
    """A metric of a pipeline's drift function that starts a retraining at its limit. means: why, for people."""

    name: str
    metric: str
    limit: float
    means: str
    below: bool = False


@dataclass(frozen=True)
class Retraining(ABC):
    """Defaults of a pipeline's parameters, when it runs, and how what it makes is rolled out."""

    train_days: TrainDays = 28
    # The newest days: what champion and challenger are compared on.
    evaluate_days: EvaluateDays = 7
    # The gate: the most that a list or a score may take, as many times what it takes now.
    max_latency_ratio: float = 2.0
    # "PendingManualApproval": nothing is rolled out until a person approves the version in the registry.
    approval: str = "Approved"
    seed: int = 7
    instance_type: str = "ml.m5.large"
    # As EventBridge writes it, in UTC.
    schedule: str = "rate(28 days)"
    scheduled: Annotated[
        bool, Why("on a laptop drift and retraining run when somebody asks", "AWS::Events::Rule.Properties.State")
    ] = True

    # Each pipeline has a plan of its own kind.
    plan: Annotated[Plan, ROLL_OUT] = field(default_factory=Plan)

    @property
    @abstractmethod
    def recipe(self) -> Recipe:
        """What its jobs do; it does not depend on where it is deployed."""

    @abstractmethod
    def own_parameters(self) -> Parameters:
        """Those that only this pipeline has."""

    def parameters(self, code_version: str) -> Parameters:
        """The pipeline's parameters. An empty AsOf is now."""
        return {
            "AsOf": ("String", ""),
            "TrainDays": ("Integer", self.train_days),
            "EvaluateDays": ("Integer", self.evaluate_days),
            "MaxLatencyRatio": ("Float", self.max_latency_ratio),
            **self.own_parameters(),
            "Approval": ("String", self.approval),
            "Seed": ("Integer", self.seed),
            # The registry takes no empty text.
            "Reason": ("String", "by hand"),
            "CodeVersion": ("String", code_version),
        }
