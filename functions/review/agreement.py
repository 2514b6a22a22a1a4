"""Decided tasks -> how far readers agree with each other and with the model, how often they overrule it, and why."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from statistics import median
from typing import Any

from functions.review.kappa import Kappa, cohen, fleiss
from functions.review.task import Task, outcome, reads

FEWEST = 5
"""Tasks that two readers must share before their agreement is told apart from chance."""


def agreement(tasks: Sequence[Task]) -> dict[str, Any]:
    """Of tasks that are done. readers: Fleiss' kappa, by the number of reads; pairs: Cohen's, of two readers who shared
    some; model: Cohen's, of suggestion and outcome. overruled: share of outcomes that are not what was suggested."""
    decided = [(task, found) for task in tasks if (found := outcome(task))]
    suggested = [(task.ask.suggested, found.choice) for task, found in decided if task.ask.suggested]
    by_reads: dict[int, list[tuple[str, ...]]] = defaultdict(list)
    shared: dict[tuple[str, str], list[tuple[str, ...]]] = defaultdict(list)
    for task, _ in decided:
        given = reads(task)
        if len(given) > 1:
            by_reads[len(given)].append(tuple(vote.choice for vote in given))
        ordered = sorted(given, key=lambda vote: vote.reviewer)
        for number, first in enumerate(ordered):
            for second in ordered[number + 1 :]:
                shared[first.reviewer, second.reviewer].append((first.choice, second.choice))
    times = [vote.took_s for task, _ in decided for vote in task.votes]
    reasons = Counter(reason for _, found in decided for reason in found.reasons)
    return {
        "tasks": len(decided),
        "outcomes": dict(Counter(found.choice for _, found in decided)),
        "disagreements": sum(1 for _, found in decided if not found.agreed),
        "readers": {str(number): _told(fleiss(votes)) for number, votes in sorted(by_reads.items())},
        "pairs": [
            {"readers": list(names), **_told(cohen(votes))}
            for names, votes in sorted(shared.items())
            if len(votes) >= FEWEST
        ],
        "model": _told(cohen(suggested)),
        "overruled": _rounded(sum(a != b for a, b in suggested) / len(suggested)) if suggested else None,
        "reasons": dict(reasons.most_common()),
        "median_s": median(times) if times else None,
    }


def _told(kappa: Kappa) -> dict[str, Any]:
    return {
        "kappa": _rounded(kappa.value),
        "interval": [_rounded(kappa.low), _rounded(kappa.high)] if kappa.low is not None else None,
        "tasks": kappa.tasks,
        "agree": _rounded(kappa.observed),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
