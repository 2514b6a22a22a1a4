"""Decisions of live traffic with both models' scores -> how they differ, and whether the challenger may go on."""

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

import msgspec

from cuatro.events import ZonedTime
from cuatro.psi import counted, deciles, psi
from functions.lifecycle.rollout.plan import Plan

MAX_ROWS = 200_000
"""More rows change nothing any more, and cost memory."""
MAX_MISSING = 0.05
"""Share of decisions without the challenger's score from which it counts as broken."""
SETTLED_S = 5.0
"""Calls that began before the switch may decide without the challenger for so long after it."""
MIN_ALERTS = 20
"""Fewer alerts of the challenger say nothing about how often it alerts."""
MAX_STOPPED = 0.5
"""Share of what the champion lets pass that the challenger may stop: many alerts cannot become many times more."""

NO_ALERT = "approve"
Verdict = Literal["good", "wait", "bad"]


class _Shadow(msgspec.Struct, frozen=True, gc=False):
    version: str
    score: float
    outcome: str


class Row(msgspec.Struct, frozen=True, gc=False):
    """What the comparison needs of a decision in the lake; its other fields are the pipeline's own matter."""

    transaction_id: str
    decided_at: ZonedTime
    model_version: str
    score: float
    outcome: str
    shadow: _Shadow | None = None


class Comparison(NamedTuple):
    """rows: with both scores. missing: without the challenger's, since it was first seen. matrix: champion, challenger.

    difference: mean and 95th percentile of the scores' absolute difference.
    """

    rows: int
    missing: int
    mean_difference: float
    p95_difference: float
    alerts: tuple[int, int]
    psi: float
    matrix: dict[str, dict[str, int]]

    def report(self) -> dict[str, Any]:
        """For people."""
        rate = [count / self.rows if self.rows else 0.0 for count in self.alerts]
        return {
            "rows": self.rows,
            "missing": self.missing,
            "difference": {"mean": self.mean_difference, "p95": self.p95_difference},
            "alerts": {"champion": self.alerts[0], "challenger": self.alerts[1]},
            "alert_rate": {"champion": rate[0], "challenger": rate[1]},
            "score_psi": self.psi,
            "outcomes": self.matrix,
        }


def compared(rows: Iterable[Row], challenger: str, since: float) -> Comparison:
    """The first decision of a transaction counts; those that the challenger itself made are left out.

    since: unix seconds, when the functions had been switched over.
    """
    seen: dict[str, Row] = {}
    for row in rows:
        if row.model_version != challenger:
            seen.setdefault(row.transaction_id, row)
            if len(seen) >= MAX_ROWS:
                break
    pairs = [(row, row.shadow) for row in seen.values() if row.shadow and row.shadow.version == challenger]
    # Before the first one, calls of the version before were still under way; one that never scores has none.
    first = min((row.decided_at.timestamp() for row, _ in pairs), default=since + SETTLED_S)
    missing = sum(row.decided_at.timestamp() >= first for row in seen.values()) - len(pairs)
    matrix: dict[str, dict[str, int]] = {}
    for row, shadow in pairs:
        column = matrix.setdefault(row.outcome, {})
        column[shadow.outcome] = column.get(shadow.outcome, 0) + 1
    differences = sorted(abs(row.score - shadow.score) for row, shadow in pairs)
    edges = deciles([row.score for row, _ in pairs])
    expected = counted(edges, (row.score for row, _ in pairs))
    found = counted(edges, (shadow.score for _, shadow in pairs))
    number = len(pairs)
    return Comparison(
        rows=number,
        missing=missing,
        mean_difference=sum(differences) / number if number else 0.0,
        p95_difference=differences[min(number - 1, number * 95 // 100)] if number else 0.0,
        alerts=(
            sum(row.outcome != NO_ALERT for row, _ in pairs),
            sum(shadow.outcome != NO_ALERT for _, shadow in pairs),
        ),
        psi=psi([count / number for count in expected], found) if number else 0.0,
        matrix=matrix,
    )


def judged(found: Comparison, plan: Plan, elapsed_s: float) -> tuple[Verdict, str]:
    """elapsed_s: since the shadow phase began."""
    seen = found.rows + found.missing
    if seen >= plan.min_rows and found.missing > MAX_MISSING * seen:
        return "bad", f"the challenger scored only {found.rows} of {seen} decisions: look into the log of score"
    if found.rows < plan.min_rows:
        told = f"{found.rows} of {plan.min_rows} decisions compared after {elapsed_s:.0f} s"
        return ("bad", f"{told}: too little traffic") if elapsed_s > plan.max_shadow_s else ("wait", told)
    ours, theirs = found.alerts
    allowed = min(plan.max_alert_ratio * ours, ours + MAX_STOPPED * (found.rows - ours))
    if theirs >= MIN_ALERTS and theirs > allowed:
        return "bad", (
            f"the challenger would raise {theirs} alerts where the champion raised {ours}, in {found.rows} decisions; "
            f"allowed are {allowed:.0f}: {plan.max_alert_ratio:g} times as many, and not over half of what it let pass"
        )
    return "good", f"{found.rows} decisions compared: {theirs} alerts of the challenger, {ours} of the champion"
