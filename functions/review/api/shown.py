"""A task -> what one reviewer may see of it now.

A reader sees nobody's vote but their own. Who adjudicates sees what the readers said, not who they are. When it is
over, everybody sees everything. Only who holds the task gets links to the attachments: nobody else needs them.
"""

from typing import Any

from cuatro.adapters.links import link
from cuatro.times import text_of
from functions.review.deciding import may_take
from functions.review.task import Task, Vote, held, outcome, stage, state


def summary(task: Task, reviewer: str, now: int) -> dict[str, Any]:
    """One line of a list."""
    ask, lease = task.ask, held(task, now)
    return {
        "task": task.task,
        "queue": ask.queue,
        "kind": ask.kind,
        "subject": ask.subject,
        "priority": ask.priority,
        "state": state(task, now),
        "stage": None if task.end else stage(task),
        "opened": text_of(task.opened),
        "due": text_of(task.due),
        "expires": text_of(task.expires),
        "overdue": not task.end and now >= task.due,
        "lease": {"yours": lease.reviewer == reviewer, "until": text_of(lease.until)} if lease else None,
        "open_to_you": may_take(task, reviewer, now),
    }


def whole(task: Task, reviewer: str, now: int, link_s: int) -> dict[str, Any]:
    """All that this reviewer may see."""
    ask, lease = task.ask, held(task, now)
    holds = lease is not None and lease.reviewer == reviewer
    found = outcome(task) if task.end == "done" else None
    return {
        **summary(task, reviewer, now),
        "choices": ask.choices,
        "reasons": ask.reasons,
        "suggested": ask.suggested,
        "reads": ask.reads,
        "payload": ask.payload,
        "attachments": [
            {
                "name": each.name,
                "type": each.type,
                "url": link(each.bucket, each.key, link_s, each.type) if holds else None,
            }
            for each in ask.attachments
        ],
        "votes": [_vote(number, vote, reviewer, task) for number, vote in _seen(task, reviewer)],
        "outcome": found._asdict() if found else None,
    }


def _seen(task: Task, reviewer: str) -> list[tuple[int, Vote]]:
    numbered = list(enumerate(task.votes, 1))
    has_read = any(vote.reviewer == reviewer for vote in task.votes)
    if task.end or (stage(task) == "adjudication" and not has_read):
        return numbered
    return [(number, vote) for number, vote in numbered if vote.reviewer == reviewer]


def _vote(number: int, vote: Vote, reviewer: str, task: Task) -> dict[str, Any]:
    """number: of the reader, in whose stead it stands while the task goes on."""
    own = vote.reviewer == reviewer
    return {
        "reader": number,
        "reviewer": vote.reviewer if own or task.end else None,
        "role": vote.role,
        "choice": vote.choice,
        "reasons": vote.reasons,
        "note": vote.note,
        "at": text_of(vote.at),
    }
