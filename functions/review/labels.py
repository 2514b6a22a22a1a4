"""A decided task -> a label for retraining: what people say it is, what the model had said, and where its pictures lie.

Only de-identified references; notes and names of reviewers stay behind.
"""

from typing import Any

import msgspec

from cuatro.times import text_of
from functions.review.asking import Attachment
from functions.review.task import Task, outcome, reads


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """agreed: all readers said so by themselves. adjudicated: one of them had the last word."""

    version: int = 1
    task: str
    queue: str
    kind: str
    subject: str
    label: str
    suggested: str | None
    reasons: tuple[str, ...]
    reads: int
    agreed: bool
    adjudicated: bool
    decided_at: str
    attachments: tuple[Attachment, ...]
    payload: dict[str, Any]


def label(task: Task) -> Label | None:
    """None for a task that people did not decide."""
    found = outcome(task) if task.end == "done" else None
    if found is None:
        return None
    return Label(
        task=task.task,
        queue=task.ask.queue,
        kind=task.ask.kind,
        subject=task.ask.subject,
        label=found.choice,
        suggested=task.ask.suggested,
        reasons=found.reasons,
        reads=len(reads(task)),
        agreed=found.agreed,
        adjudicated=len(reads(task)) < len(task.votes),
        decided_at=text_of(task.ended),
        attachments=task.ask.attachments,
        payload=task.ask.payload,
    )
