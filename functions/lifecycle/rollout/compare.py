"""What live traffic got, with both models' answers -> pairs that can be compared, and whether there are enough of them.

What an answer is (a decision, a list) and when a challenger's are too different is the matter of `decisions` and
`lists`; that it must answer at all, and often enough to tell, is the same for both.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

from functions.lifecycle.rollout.plan import Plan

MAX_ROWS = 200_000
"""More rows change nothing any more, and cost memory."""
MAX_MISSING = 0.05
"""Share of rows without the challenger's answer from which it counts as broken."""
SETTLED_S = 5.0
"""Calls that began before the switch may be answered without the challenger for so long after it."""

Verdict = Literal["good", "wait", "bad"]


class Row(Protocol):
    """Of the lake. key: the first row of a key counts."""

    @property
    def key(self) -> str: ...

    @property
    def at(self) -> datetime: ...

    @property
    def model_version(self) -> str: ...

    @property
    def beside(self) -> str:
        """Version of the shadow that answered too, empty without one."""
        ...


R = TypeVar("R", bound=Row)


class Trial(NamedTuple):
    """Versions of both models; since when functions have both, in unix seconds, and how long that is by now."""

    champion: str
    challenger: str
    since: float
    elapsed_s: float


class Pairs(NamedTuple):
    """found: rows with both answers. missing: number of those without the challenger's, since it was first seen."""

    found: list[Any]
    missing: int


class Judgement(NamedTuple):
    """The shadow phase's verdict, why, and figures for people."""

    verdict: Verdict
    reason: str
    figures: dict[str, Any]


def paired(rows: Iterable[R], trial: Trial) -> Pairs:
    """Rows that the challenger itself answered are left out."""
    seen: dict[str, R] = {}
    for row in rows:
        if row.model_version != trial.challenger:
            seen.setdefault(row.key, row)
            if len(seen) >= MAX_ROWS:
                break
    pairs = [row for row in seen.values() if row.beside == trial.challenger]
    # Before the first one, calls of the version before were still under way; one that never answers has none.
    first = min((row.at.timestamp() for row in pairs), default=trial.since + SETTLED_S)
    missing = sum(row.at.timestamp() >= first for row in seen.values()) - len(pairs)
    return Pairs(pairs, missing)


def too_few(pairs: Pairs, what: str, trial: Trial, plan: Plan) -> tuple[Verdict, str] | None:
    """None when there are enough to compare. what: "decisions"."""
    rows, seen = len(pairs.found), len(pairs.found) + pairs.missing
    if seen >= plan.min_rows and pairs.missing > MAX_MISSING * seen:
        return "bad", f"the challenger scored only {rows} of {seen} {what}: look into the log of the function"
    if rows >= plan.min_rows:
        return None
    told = f"{rows} of {plan.min_rows} {what} compared after {trial.elapsed_s:.0f} s"
    return ("bad", f"{told}: too little traffic") if trial.elapsed_s > plan.max_shadow_s else ("wait", told)
