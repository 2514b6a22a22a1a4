"""Rows of features -> how much each group of features pushed the score, and the top ones in plain words.

Method: baseline Shapley values (Sundararajan and Najmi, "The many Shapley values for model explanation", ICML 2020),
exact over groups of features: what a group adds to the score, averaged over all orders in which the groups could be
switched from the model's baseline row to the transaction's values. They sum to score - score of the baseline.
"""

from functools import cache
from math import factorial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from functions.fraud.features import FEATURES
from functions.fraud.scoring import Scoring

Floats = NDArray[np.float32]

_PARTS = {
    "amount": ("amount", "card_profile_ratio", "card_profile_z", "card_above"),
    "card pace": ("card_count_", "card_idle"),
    "card spending": ("card_sum_", "card_mean_", "card_deviation_", "card_unusual_", "card_since_unusual"),
    "time": ("night", "weekend"),
    "terminal activity": (
        "terminal_count_", "terminal_idle", "terminal_sum_", "terminal_mean_", "terminal_deviation_",
        "terminal_profile_", "terminal_above",
    ),
    "terminal frauds": ("terminal_risk_", "terminal_frauds_", "terminal_since_", "terminal_genuine_"),
}  # fmt: skip
"""Group -> beginnings of the names of its features. Few groups: an explanation scores 2 ** groups rows."""

GROUPS = tuple(_PARTS)


class Reason(NamedTuple):
    """push: what the group adds to the probability of fraud."""

    group: str
    push: float
    text: str


def group_of(feature: str) -> int:
    """Position of the feature's group. Raises ValueError for a feature that nobody has put into words."""
    for number, parts in enumerate(_PARTS.values()):
        if any(feature == part or (part.endswith("_") and feature.startswith(part)) for part in parts):
            return number
    raise ValueError(f"{feature} belongs to no group")


def shapley(matrix: Floats, model: Scoring) -> NDArray[np.float64]:
    """float32 [rows, features] -> [rows, groups]: exact baseline Shapley values of each row, one call of the model."""
    masks, weights = _coalitions()
    baseline = np.array(model.baseline, np.float32)
    coalitions = np.where(masks[None, :, :], matrix[:, None, :], baseline)
    rows, count, width = coalitions.shape
    scores = model.score(coalitions.reshape(rows * count, width)).reshape(rows, count)
    return scores.astype(np.float64) @ weights.T


def explain(matrix: Floats, model: Scoring, top: int = 3) -> list[list[Reason]]:
    """For each row the groups that pushed its score up, the strongest first; nothing without a baseline."""
    if not len(matrix) or not model.baseline:
        return [[] for _ in range(len(matrix))]
    pushes = shapley(matrix, model)
    reasons = []
    for values, row in zip(pushes.tolist(), matrix.tolist(), strict=True):
        named = dict(zip(FEATURES, row, strict=True))
        strongest = sorted(zip(values, GROUPS, strict=True), reverse=True)[:top]
        # What adds less than a tenth of the strongest push explains nothing.
        enough = max(0.005, 0.1 * strongest[0][0])
        reasons.append([Reason(group, push, _words(group, named)) for push, group in strongest if push > enough])
    return reasons


@cache
def _coalitions() -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Which features are the transaction's in each coalition [2^g, features], and each score's weight [g, 2^g]."""
    size = len(GROUPS)
    members = (np.arange(2**size)[:, None] >> np.arange(size)) & 1 == 1
    masks = members[:, [group_of(feature) for feature in FEATURES]]
    # |S|! (g - |S| - 1)! / g! for S without the group; its partner with the group gets the same weight, added.
    others = members.sum(axis=1)[:, None] - members
    share = np.array([factorial(n) * factorial(size - n - 1) / factorial(size) for n in range(size)])
    weights = np.where(members, share[others], -share[others]).T
    return masks, weights


def _words(group: str, f: dict[str, float]) -> str:
    match group:
        case "amount":
            return f"the amount is {f['card_profile_ratio']:.1f} times the card's usual one"
        case "card pace":
            hour, day = f["card_count_1h"], f["card_count_24h"]
            return f"{hour:.0f} other payments with this card in the last hour, {day:.0f} in 24 hours"
        case "card spending":
            return f"the card spent {f['card_sum_24h']:,.2f} in 24 hours and {f['card_sum_7d']:,.2f} in 7 days"
        case "time":
            when = " and ".join(name for name in ("night", "weekend") if f[name]) or "day and weekday"
            return f"time of the payment: {when}"
        case "terminal activity":
            hour, ratio = f["terminal_count_1h"], f["terminal_profile_ratio"]
            return f"{hour:.0f} other payments at this terminal in the last hour, {ratio:.1f} times its usual amount"
    recent, month = f["terminal_frauds_recent"], f["terminal_frauds_30d"]
    return f"{recent:.0f} known frauds at this terminal in the last 7 days, {month:.0f} in the 30 days before"
