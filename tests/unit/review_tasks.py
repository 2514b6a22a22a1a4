"""Questions and tasks as the tests of the review queue want them."""

from typing import Any

import msgspec

from functions.review.asking import Ask, task_id
from functions.review.deciding import Decision, decided, leased
from functions.review.task import MINUTE, Task

T0 = 1_800_000_000_000
CHOICES = ("pneumonia", "other_finding", "not_readable", "normal")
REASONS = ("consolidation", "artefact", "rotated")


def asked(**fields: Any) -> dict[str, Any]:
    """A question about a study, as JSON."""
    usual = {
        "queue": "imaging", "kind": "chest-radiograph", "once": "study-1", "subject": "study", "choices": CHOICES,
        "reasons": REASONS, "suggested": "pneumonia",
    }  # fmt: skip
    return {**usual, **fields}


def task(**fields: Any) -> Task:
    """Opened at T0."""
    ask = msgspec.convert(asked(**fields), Ask)
    return Task(task=task_id(ask.queue, ask.once), ask=ask, token="token-1", opened=T0)  # noqa: S106 - no password


def read(of: Task, reviewer: str, choice: str, now: int = T0, **fields: Any) -> Task:
    """Taken and decided by one reviewer a minute later."""
    reasons = fields.pop("reasons", () if choice == of.ask.suggested else REASONS[:1])
    taken = leased(of, reviewer, now)
    return decided(taken, reviewer, Decision(choice=choice, reasons=reasons, **fields), now + MINUTE)
