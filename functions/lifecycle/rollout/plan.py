"""How a roll-out goes: shadow, then by weights, how long, what is compared, and what counts as bad."""

from typing import Literal

import msgspec

Kind = Literal["weighted", "follows"]
"""weighted functions decide, and get the new model by shares; those that follow know both models from the beginning."""


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="compares"):
    """Durations in seconds. weights: shares of the new model before all of it.

    min_rows: compared in the shadow phase, which ends without success after max_shadow_s. bake_s: how long it must hold
    with all of it. The tag says what is compared: a folder of the lake.
    """

    shadow_s: float
    min_rows: int
    max_shadow_s: float
    weights: list[float]
    step_s: float
    bake_s: float

    @property
    def steps(self) -> list[float]:
        """Every weight, the last one 1."""
        return [*self.weights, 1.0]


class DecisionsPlan(Plan, frozen=True, kw_only=True, tag="decisions"):
    """max_alert_ratio: alerts of the challenger for one of the champion."""

    max_alert_ratio: float


class ListsPlan(Plan, frozen=True, kw_only=True, tag="lists"):
    """Shares: min_overlap, of the first ten items that both show; max_empty, of lists that only the challenger leaves
    empty. min_variety: different items that the challenger shows, as many times the champion's."""

    min_overlap: float
    max_empty: float
    min_variety: float


class PostsPlan(Plan, frozen=True, kw_only=True, tag="scored"):
    """Shares of posts: min_agreement, that both models put into the same class; max_unsure_rise, by which those that
    the challenger is unsure of may be more than the champion's; max_class_shift, by which a class' share may differ."""

    min_agreement: float
    max_unsure_rise: float
    max_class_shift: float


AnyPlan = DecisionsPlan | ListsPlan | PostsPlan
_PLAN = msgspec.json.Decoder(AnyPlan)


def plan_of(text: str) -> AnyPlan:
    """Raises msgspec.ValidationError, which names the field."""
    plan: AnyPlan = _PLAN.decode(text)
    return plan


def functions_of(text: str) -> dict[str, Kind]:
    """Those that follow first: they must know the new model before anybody decides with it."""
    given = msgspec.json.decode(text, type=dict[str, Kind])
    return dict(sorted(given.items(), key=lambda item: item[1] != "follows"))
