"""How a roll-out goes: shadow, then by weights, how long, and what counts as bad."""

from typing import Literal

import msgspec

Kind = Literal["weighted", "follows"]
"""weighted functions decide, and get the new model by shares; those that follow know both models from the beginning."""


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Durations in seconds. weights: shares of the new model before all of it.

    bake_s: how long it must hold with all of it. max_alert_ratio: alerts of the challenger for one of the champion.
    """

    shadow_s: float
    min_rows: int
    max_shadow_s: float
    weights: list[float]
    step_s: float
    bake_s: float
    max_alert_ratio: float

    @property
    def steps(self) -> list[float]:
        """Every weight, the last one 1."""
        return [*self.weights, 1.0]


def plan_of(text: str) -> Plan:
    """Raises msgspec.ValidationError, which names the field."""
    return msgspec.json.decode(text, type=Plan)


def functions_of(text: str) -> dict[str, Kind]:
    """Those that follow first: they must know the new model before anybody decides with it."""
    given = msgspec.json.decode(text, type=dict[str, Kind])
    return dict(sorted(given.items(), key=lambda item: item[1] != "follows"))
