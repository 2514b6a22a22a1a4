"""Evaluation rows -> kinds of customers and purchases, what two models do to each: nobody may pay for the average."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

FEWEST_FRAUDS, FEWEST_GENUINE = 25, 250
"""A rate of fewer rows than this is noise: it is reported, and does not count."""
NEW_CARD = 5
"""A card with fewer purchases than this in 30 days is new: there is little to compare with."""


def slices(rows: pd.DataFrame) -> dict[str, Mask]:
    """Name -> which rows, of those that are not empty."""
    amount, bought = rows["amount"].to_numpy(), rows["card_count_30d"].to_numpy()
    night, channel = rows["night"].to_numpy() > 0, rows["channel"].to_numpy()
    found = {
        "amount below 20": amount < 20,
        "amount 20 to 100": (amount >= 20) & (amount < 100),
        "amount from 100": amount >= 100,
        "new card": bought < NEW_CARD,
        "known card": bought >= NEW_CARD,
        "day": ~night,
        "night": night,
        **{f"channel {name}": channel == name for name in sorted(set(channel))},
    }
    return {name: mask for name, mask in found.items() if mask.any()}


def compared(rows: pd.DataFrame, fraud: Mask, flagged: dict[str, Mask]) -> tuple[dict[str, Any], float, str]:
    """flagged: for champion and challenger, which rows they would have sent to review or declined.

    Per slice recall and false positive rate of both; then the largest loss of recall or rise of the rate from champion
    to challenger among slices with enough rows (0 if nobody loses), and its slice.
    """
    told: dict[str, Any] = {}
    worst, where = 0.0, ""
    for name, mask in slices(rows).items():
        frauds, genuine = int((mask & fraud).sum()), int((mask & ~fraud).sum())
        rates = {
            who: {
                "recall": float((flags & mask & fraud).sum() / frauds) if frauds else None,
                "false_positive_rate": float((flags & mask & ~fraud).sum() / genuine) if genuine else None,
            }
            for who, flags in flagged.items()
        }
        told[name] = {"frauds": frauds, "genuine": genuine, **rates}
        for rate, enough, sign in (
            ("recall", frauds >= FEWEST_FRAUDS, -1),
            ("false_positive_rate", genuine >= FEWEST_GENUINE, 1),
        ):
            if not enough:
                continue
            loss = sign * (rates["challenger"][rate] - rates["champion"][rate])
            if loss > worst:
                worst, where = loss, f"{name}, {rate.replace('_', ' ')}"
    return told, worst, where
