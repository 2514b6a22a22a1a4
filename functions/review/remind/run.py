"""The clock -> tasks whose moment has come: answers sent again, left leases freed, people reminded, questions expired.

Nothing depends on its punctuality: a lease that has run out holds nobody off, whether or not the clock has seen it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from cuatro.adapters.auditing import Audit
from cuatro.adapters.human_review import Answer, HumanReview
from cuatro.adapters.publishing import Alert, publish_alerts
from cuatro.errors import Rejected
from functions.review.answering import tell
from functions.review.asking import Priority
from functions.review.clock import reminder, ticked
from functions.review.deciding import concluded
from functions.review.store import Reviews
from functions.review.task import DAY, Task, Vote

AT_ONCE = 500
TRIED_FOR = 14 * DAY
"""As long as messages wait in the suite's failures queues: whoever asked is gone, or somebody was told long ago."""
ACTOR, PURPOSE = "function:remind", "review"


@dataclass
class Done:
    """Of one round; tasks by their ids."""

    told: list[str] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)
    lapsed: list[str] = field(default_factory=list)
    overdue: dict[str, Priority] = field(default_factory=dict)
    expired: list[str] = field(default_factory=list)
    unreminded: list[str] = field(default_factory=list)
    abandoned: list[str] = field(default_factory=list)


def remind(reviews: Reviews, topic: str, audit: Audit, now: int) -> Done:
    """Raises Unavailable when the tasks cannot be read, or the log takes nothing."""
    done = Done()
    for task in reviews.waking(now, AT_ONCE):
        try:
            _look_at(task, reviews, topic, audit, now, done)
        except Rejected:  # erased, and the index, which follows its table, does not know it yet
            continue
    return done


def _look_at(  # noqa: PLR0913, PLR0917 - a round's parts
    task: Task, reviews: Reviews, topic: str, audit: Audit, now: int, done: Done
) -> None:
    """task: as the index has it, which may be a moment old. Raises Unavailable; Rejected for one that is gone."""
    if not task.end:
        coming = ticked(task, now)
        # Told before it is written: twice at worst, where somebody decides at this moment, but never not at all.
        if coming.overdue and not _told(coming.task, topic, audit, now):
            done.unreminded.append(task.task)
            return
        before, after = reviews.change(task.task, lambda found: ticked(found, now).task)
        _note(before, after, done)
        task = after
    if task.end and not task.told:
        if now - task.ended > TRIED_FOR:
            reviews.change(task.task, lambda found: replace(found, told=now))
            done.abandoned.append(task.task)
        else:
            (done.told if tell(task, reviews) else done.untold).append(task.task)


def _told(task: Task, topic: str, audit: Audit, now: int) -> bool:
    """Do its people know that it is overdue?"""
    if publish_alerts(topic, [_alert(task, now)]):
        return False
    audit.record(
        "escalate", task.ask.subject, actor=ACTOR, outcome="success", purpose=PURPOSE,
        details={"task": task.task, "queue": task.ask.queue, "level": task.level},
    )  # fmt: skip
    return True


def collect(task: str, elsewhere: HumanReview, reviews: Reviews, audit: Audit, now: int) -> Task | None:
    """What people elsewhere have said of a task, as its reads; None while they are at it, or for another's task.

    Where they differ, or a reader is missing, the own queue decides. Raises Unavailable or Refused.
    """
    row = reviews.find(task)
    given = elsewhere.answers(task) if row else None
    if row is None or given is None:
        return None
    _, after = reviews.change(task, lambda found: _read(found, given, now))
    audit.record(
        "decide", after.ask.subject, actor=ACTOR, outcome="success", purpose=PURPOSE,
        details={"task": task, "reads": len(after.votes)},
    )  # fmt: skip
    if after.end and not after.told:
        tell(after, reviews)
    return after


def _read(task: Task, given: Sequence[Answer], now: int) -> Task:
    """Choices that the question does not have count for nothing; missing reads are given by the own queue."""
    if task.end or not task.external:
        return task
    votes = tuple(
        Vote(
            reviewer=each.reviewer, role="read", choice=each.choice, at=each.at, took_s=each.took_s, note=each.note,
            reasons=tuple(reason for reason in each.reasons if reason in task.ask.reasons),
        )
        for each in given[: task.ask.reads]
        if each.choice in task.ask.choices
    )  # fmt: skip
    return concluded(replace(task, votes=votes, external=False), now)


def _note(before: Task, after: Task, done: Done) -> None:
    if before.lease and not after.lease and not before.end:
        done.lapsed.append(after.task)
    if after.end == "expired" and not before.end:
        done.expired.append(after.task)
    if after.level > before.level:
        done.overdue[after.task] = after.ask.priority


def _alert(task: Task, now: int) -> Alert:
    ask = task.ask
    return Alert(
        subject=f"Review overdue: {ask.queue} {ask.kind}",
        body=reminder(task, now),
        attributes={"queue": ask.queue, "kind": ask.kind, "priority": ask.priority, "level": str(task.level)},
    )
