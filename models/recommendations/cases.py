"""Interactions in order of time, T -> cases: what somebody had taken, and the new item that they took after that.

A model is asked for a list with what was known the moment before, newest interactions included, as it is served. Items
that a user had already are no wish to be guessed, and are never shown again.
"""

import numpy as np
import pandas as pd

from models.recommendations.data import DAY
from models.recommendations.neighbours import PROFILE

COLUMNS = ("user", "wanted", "time", "items", "ages", "seen")
"""items: the newest PROFILE liked items, newest first; ages: days before `time`; seen: all that the user had."""
USERS, OF_ONE = 2_000, 4
"""Cases of so many users, drawn by a seed; of each so many, drawn too."""
SEED = 7
Case = tuple[str, str, float, list[str], list[float], list[str]]


def cases(rows: pd.DataFrame, begin: float, disliked_below: float) -> pd.DataFrame:
    """rows: user, item, kind, time, value in order of time; begin: T, unix seconds -> COLUMNS, by user and time."""
    rng = np.random.default_rng(SEED)
    late = rows[rows["time"] >= begin]
    users = np.sort(late["user"].unique().astype(str))
    if len(users) > USERS:
        users = np.sort(rng.choice(users, USERS, replace=False))
    chosen = rows[rows["user"].isin(users)]
    found: list[Case] = []
    for user, own in chosen.groupby("user", sort=True):
        of_one = _of_user(str(user), own, begin, disliked_below)
        picked = np.sort(rng.choice(len(of_one), OF_ONE, replace=False)) if len(of_one) > OF_ONE else None
        found += of_one if picked is None else [of_one[at] for at in picked]
    return pd.DataFrame(found, columns=list(COLUMNS))


def _of_user(user: str, own: pd.DataFrame, begin: float, disliked_below: float) -> list[Case]:
    newest: dict[str, float] = {}
    disliked: set[str] = set()
    found: list[Case] = []
    for item, kind, time, value in zip(own["item"], own["kind"], own["time"], own["value"], strict=True):
        if kind == "rating":
            (disliked.add if value < disliked_below else disliked.discard)(item)
        if item not in newest and time >= begin and item not in disliked:
            liked = [(name, when) for name, when in reversed(newest.items()) if name not in disliked][:PROFILE]
            ages = [round((time - when) / DAY, 6) for _, when in liked]
            found.append((user, item, time, [name for name, _ in liked], ages, list(newest)))
        # Put last again: the order of the table is that of the newest interactions.
        newest.pop(item, None)
        newest[item] = time
    return found
