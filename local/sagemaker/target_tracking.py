"""Invocations a minute, target value -> number of instances: the sum of target tracking."""

import math
from typing import Any


def instances(invocations: float, current: int, limits: tuple[int, int], configuration: dict[str, Any]) -> int:
    """As many as keep each at TargetValue, within limits (min, max); never fewer than now with DisableScaleIn."""
    low, high = limits
    needed = math.ceil(invocations / configuration["TargetValue"])
    if needed < current and configuration.get("DisableScaleIn"):
        needed = current
    return min(max(needed, low), high)
