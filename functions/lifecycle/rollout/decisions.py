"""Decisions with both models' scores -> how they differ, and whether the challenger alerts too often."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from cuatro.events import ZonedTime
from cuatro.psi import counted, deciles, psi
from functions.lifecycle.rollout.compare import Judgement, Trial, paired, too_few
from functions.lifecycle.rollout.plan import DecisionsPlan

MIN_ALERTS = 20
"""Fewer alerts of the challenger say nothing about how often it alerts."""
MAX_STOPPED = 0.5
"""Share of what the champion lets pass that the challenger may stop: many alerts cannot become many times more."""

NO_ALERT = "approve"


class _Shadow(msgspec.Struct, frozen=True, gc=False):
    version: str
    score: float
    outcome: str


class Decision(msgspec.Struct, frozen=True, gc=False):
    """What the comparison needs of a decision in the lake; its other fields are the pipeline's own matter."""

    transaction_id: str
    decided_at: ZonedTime
    model_version: str
    score: float
    outcome: str
    shadow: _Shadow | None = None

    @property
    def key(self) -> str:
        return self.transaction_id

    @property
    def at(self) -> ZonedTime:
        return self.decided_at

    @property
    def beside(self) -> str:
        return self.shadow.version if self.shadow else ""


decode = msgspec.json.Decoder(Decision).decode


def judged(rows: Iterable[Decision], trial: Trial, plan: DecisionsPlan) -> Judgement:
    """The shadow phase's verdict."""
    pairs = paired(rows, trial)
    figures = _figures(pairs.found, pairs.missing)
    few = too_few(pairs, "decisions", trial, plan)
    if few:
        return Judgement(*few, figures)
    rows_, ours, theirs = figures["rows"], figures["alerts"]["champion"], figures["alerts"]["challenger"]
    allowed = min(plan.max_alert_ratio * ours, ours + MAX_STOPPED * (rows_ - ours))
    if theirs >= MIN_ALERTS and theirs > allowed:
        why = (
            f"the challenger would raise {theirs} alerts where the champion raised {ours}, in {rows_} decisions; "
            f"allowed are {allowed:.0f}: {plan.max_alert_ratio:g} times as many, and not over half of what it let pass"
        )
        return Judgement("bad", why, figures)
    why = f"{rows_} decisions compared: {theirs} alerts of the challenger, {ours} of the champion"
    return Judgement("good", why, figures)


def _figures(pairs: Sequence[Decision], missing: int) -> dict[str, Any]:
    """difference: of the scores, absolute. outcomes: champion -> challenger -> number."""
    both = [(row, row.shadow) for row in pairs if row.shadow]
    number = len(both)
    matrix: dict[str, dict[str, int]] = {}
    for row, shadow in both:
        column = matrix.setdefault(row.outcome, {})
        column[shadow.outcome] = column.get(shadow.outcome, 0) + 1
    differences = sorted(abs(row.score - shadow.score) for row, shadow in both)
    edges = deciles([row.score for row, _ in both])
    expected = counted(edges, (row.score for row, _ in both))
    found = counted(edges, (shadow.score for _, shadow in both))
    alerts = {
        "champion": sum(row.outcome != NO_ALERT for row, _ in both),
        "challenger": sum(shadow.outcome != NO_ALERT for _, shadow in both),
    }
    return {
        "rows": number,
        "missing": missing,
        "difference": {
            "mean": sum(differences) / number if number else 0.0,
            "p95": differences[min(number - 1, number * 95 // 100)] if number else 0.0,
        },
        "alerts": alerts,
        "alert_rate": {name: count / number if number else 0.0 for name, count in alerts.items()},
        "score_psi": psi([count / number for count in expected], found) if number else 0.0,
        "outcomes": matrix,
    }
