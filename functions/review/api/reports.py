"""What was decided in a queue -> the agreement report, and labels for retraining page by page."""

from typing import Any

import msgspec

from functions.review.agreement import agreement
from functions.review.api.queries import Query, kind_of, length, queue_of, start_of, token_of
from functions.review.api.tasks import Desk
from functions.review.labels import label
from functions.review.task import Task

MAX_TASKS = 5_000
"""The newest, of which agreement is told."""
_A_PAGE = 200


def agreed(desk: Desk, query: Query) -> dict[str, Any]:
    """Raises Rejected, Unavailable."""
    queue, kind = queue_of(query), kind_of(query)
    tasks: list[Task] = []
    found, start = desk.reviews.page(queue, "done", _A_PAGE)
    tasks += found
    while start is not None and len(tasks) < MAX_TASKS:
        found, start = desk.reviews.page(queue, "done", _A_PAGE, start)
        tasks += found
    of_kind = [task for task in tasks if kind in {None, task.ask.kind}]
    desk.record("search", queue, tasks=len(of_kind))
    return {"queue": queue, "kind": kind, "complete": start is None, **agreement(of_kind)}


def labelled(desk: Desk, query: Query) -> dict[str, Any]:
    """Newest first. A page may be shorter than limit where few are of that kind. Raises Rejected, Unavailable."""
    queue, kind = queue_of(query), kind_of(query)
    tasks, start = desk.reviews.page(queue, "done", length(query), start_of(query, f"{queue}#done"))
    labels = [each for task in tasks if kind in {None, task.ask.kind} and (each := label(task))]
    desk.record("export", queue, labels=len(labels))
    return {"queue": queue, "labels": msgspec.to_builtins(labels), "next": token_of(start)}
