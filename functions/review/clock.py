"""A task and the time -> when somebody must look at it next, and what has become of it: lapsed, overdue, expired."""

from typing import Any, NamedTuple

from msgspec.structs import replace

from cuatro.times import text_of
from functions.review.deciding import ended
from functions.review.task import MINUTE, Task, held, state


class Ticked(NamedTuple):
    """task: afterwards. lapsed: a reviewer left it. overdue: its people are to be told."""

    task: Task
    lapsed: bool
    overdue: bool


def wake(task: Task) -> int | None:
    """When the clock has something to do with it: at once where its asker still waits for the answer; None: never."""
    if task.end:
        return None if task.told else task.ended
    moments = [_remind_at(task), task.expires]
    if task.lease:
        moments.append(task.lease.until)
    return min(moments)


def ticked(task: Task, now: int) -> Ticked:
    """As it is at this moment."""
    lapsed = bool(not task.end and task.lease and not held(task, now))
    after = replace(task, lease=None) if lapsed else task
    if not after.end and now >= after.expires:
        return Ticked(ended(after, "expired", now), lapsed, overdue=False)
    level = after.level
    while not after.end and now >= _remind_at(replace(after, level=level)):
        level += 1
    return Ticked(replace(after, level=level), lapsed, overdue=level > task.level)


def reminder(task: Task, now: int) -> dict[str, Any]:
    """What people are told of a task that nobody has decided in time; level 1 is the first time."""
    return {
        "version": 1,
        "task": task.task,
        "queue": task.ask.queue,
        "kind": task.ask.kind,
        "priority": task.ask.priority,
        "state": state(task, now),
        "level": task.level,
        "due": text_of(task.due),
        "overdue_min": (now - task.due) // MINUTE,
        "expires": text_of(task.expires),
    }


def _remind_at(task: Task) -> int:
    """When it is due, and then after one, three, seven... times as long again: louder, but no din for weeks."""
    return task.due + ((1 << task.level) - 1) * task.ask.sla_min * MINUTE
