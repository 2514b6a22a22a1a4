"""Lists of many users -> each arm's users with what they did; users in two arms, or too new, are left out."""

from collections.abc import Iterable, Mapping
from math import inf
from typing import NamedTuple

import numpy as np

from local.experiments.shown import Shown
from models.recommendations.trials.outcomes import Sample


class Arm(NamedTuple):
    """share: planned, None where nobody knows. clicks: clicked lists over lists. buyers: users who bought from one."""

    name: str
    share: float | None
    lists: int
    clicks: Sample
    buyers: Sample


class Arms(NamedTuple):
    """early: users whose window is not over. both: users seen in two arms, since shares were changed meanwhile."""

    arms: list[Arm]
    early: int
    both: int


class _User(NamedTuple):
    arm: str
    first: float
    lists: list[Shown]


def arms_of(lists: Iterable[Shown], shares: Mapping[str, float], window_s: float | None, now: float) -> Arms:
    """A user's outcome is what happened within window_s of the first list; None: until now (unix seconds).

    With a window outcomes change no more, which the sequential way asks for.
    """
    users, both = _users(lists)
    ripe = {name: each for name, each in users.items() if window_s is None or each.first + window_s <= now}
    rows: dict[str, list[tuple[int, int, bool]]] = {name: [] for name in shares}
    for user in ripe.values():
        end = inf if window_s is None else user.first + window_s
        inside = [each for each in user.lists if each.at <= end]
        clicked = sum(each.clicked is not None and each.clicked <= end for each in inside)
        bought = any(each.bought is not None and each.bought <= end for each in inside)
        rows.setdefault(user.arm, []).append((len(inside), clicked, bought))
    return Arms([_arm(name, shares.get(name), some) for name, some in rows.items()], len(users) - len(ripe), both)


def _users(lists: Iterable[Shown]) -> tuple[dict[str, _User], int]:
    """By user, and how many were in two arms: these belong to none."""
    users: dict[str, _User] = {}
    both: set[str] = set()
    for each in sorted(lists, key=lambda one: one.at):
        user = users.setdefault(each.user, _User(each.arm, each.at, []))
        user.lists.append(each)
        if user.arm != each.arm:
            both.add(each.user)
    return {name: user for name, user in users.items() if name not in both}, len(both)


def _arm(name: str, share: float | None, rows: list[tuple[int, int, bool]]) -> Arm:
    table = np.array(rows, np.float64).reshape(-1, 3)
    clicks, buyers = Sample.of(name, table[:, 1], table[:, 0]), Sample.of(name, table[:, 2])
    return Arm(name, share, int(table[:, 0].sum()), clicks, buyers)
