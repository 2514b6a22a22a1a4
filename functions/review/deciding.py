"""A task and what a reviewer does with it -> the task afterwards, or Conflict or Rejected. Each verb may be repeated.

Reads are independent: nobody reads a task twice, nor adjudicates what they have read.
"""

from typing import Annotated, NoReturn

import msgspec
from msgspec.structs import replace

from cuatro.errors import Conflict, Rejected
from functions.review.asking import Ask, Code
from functions.review.task import MINUTE, End, Lease, Task, Vote, held, outcome, stage

MAX_DECISION_BYTES = 16_384


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The body of POST /tasks/{task}/decision."""

    choice: Code
    reasons: Annotated[tuple[Code, ...], msgspec.Meta(max_length=10)] = ()
    note: Annotated[str, msgspec.Meta(max_length=2000)] = ""


def leased(task: Task, reviewer: str, now: int) -> Task:
    """Theirs for as long as the question says, from now on. Raises Conflict."""
    _check_may_take(task, reviewer, now)
    before = held(task, now)
    since = before.since if before else now
    return replace(task, lease=Lease(reviewer=reviewer, since=since, until=now + task.ask.lease_min * MINUTE))


def prolonged(task: Task, reviewer: str, now: int) -> Task:
    """A heartbeat: the lease begins anew. Raises Conflict when it has run out."""
    lease = _lease_of(task, reviewer, now)
    return replace(task, lease=replace(lease, until=now + task.ask.lease_min * MINUTE))


def released(task: Task, reviewer: str, now: int) -> Task:
    """Back in the queue; harmless without a lease. Raises Conflict when it is another's."""
    lease = held(task, now)
    if lease and lease.reviewer != reviewer:
        _held_by_another()
    return replace(task, lease=None) if task.lease else task


def decided(task: Task, reviewer: str, decision: Decision, now: int) -> Task:
    """With their vote, and ended when that decides it. The same decision again changes nothing.

    Raises Rejected for a choice or reason that the question does not have, Conflict for a task that is not theirs.
    """
    given = next((vote for vote in task.votes if vote.reviewer == reviewer), None)
    if given:
        if (given.choice, set(given.reasons)) == (decision.choice, set(decision.reasons)):
            return task
        raise Conflict("you have decided this task already", code="already_decided")
    lease = _lease_of(task, reviewer, now)
    check(task.ask, decision)
    vote = Vote(
        reviewer=reviewer,
        role="adjudication" if stage(task) == "adjudication" else "read",
        choice=decision.choice,
        reasons=decision.reasons,
        at=now,
        took_s=(now - lease.since) // 1000,
        note=decision.note,
    )
    return concluded(replace(task, votes=(*task.votes, vote), lease=None), now)


def concluded(task: Task, now: int) -> Task:
    """Ended, if its votes decide it."""
    return ended(task, "done", now) if outcome(task) and not task.end else task


def ended(task: Task, end: End, now: int) -> Task:
    """Nobody need decide it any more; the first end stands."""
    return task if task.end else replace(task, end=end, ended=now, lease=None)


def check(ask: Ask, decision: Decision) -> None:
    """Raises Rejected."""
    if decision.choice not in ask.choices:
        raise Rejected(f"must be one of {', '.join(ask.choices)}", "choice", "invalid_value")
    if len(set(decision.reasons)) < len(decision.reasons) or not set(decision.reasons) <= set(ask.reasons):
        raise Rejected(f"must be of {', '.join(ask.reasons) or 'no reasons'}, each once", "reasons", "invalid_value")
    if ask.suggested not in {None, decision.choice} and ask.reasons and not decision.reasons:
        raise Rejected(f"another choice than {ask.suggested}, which was suggested, needs one", "reasons", "no_reason")


def may_take(task: Task, reviewer: str, now: int) -> bool:
    """Could they lease it?"""
    try:
        _check_may_take(task, reviewer, now)
    except Conflict:
        return False
    return True


def _check_may_take(task: Task, reviewer: str, now: int) -> None:
    if task.end:
        raise Conflict(f"the task is {task.end}", code="ended")
    if any(vote.reviewer == reviewer for vote in task.votes):
        raise Conflict("you have read this task: somebody else must say", code="already_decided")
    if task.external and stage(task) != "adjudication":
        raise Conflict("its reads come from Amazon A2I", code="read_elsewhere")
    lease = held(task, now)
    if lease and lease.reviewer != reviewer:
        _held_by_another()


def _lease_of(task: Task, reviewer: str, now: int) -> Lease:
    if task.end:
        raise Conflict(f"the task is {task.end}", code="ended")
    lease = held(task, now)
    if lease is None:
        raise Conflict("you have no lease of this task, or no longer: take it again", code="not_leased")
    if lease.reviewer != reviewer:
        _held_by_another()
    return lease


def _held_by_another() -> NoReturn:
    raise Conflict("another reviewer has this task", code="leased_by_another")
