"""A question -> a task: who holds it, what each reader said, whether it is decided and how. Times: unix milliseconds.

A task is open until as many people as asked for have read it, each for themselves; where they differ, somebody who has
not read it adjudicates. A lease that has run out is none.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

import msgspec

from functions.review.asking import Ask

MINUTE, DAY = 60_000, 86_400_000

Role = Literal["read", "adjudication"]
Stage = Literal["open", "second_read", "adjudication"]
End = Literal["done", "expired", "cancelled"]
State = Literal["open", "second_read", "adjudication", "leased", "done", "expired", "cancelled"]
ENDS: tuple[End, ...] = ("done", "expired", "cancelled")
STATES: tuple[State, ...] = ("open", "second_read", "adjudication", "leased", *ENDS)


class Vote(msgspec.Struct, frozen=True, kw_only=True):
    """What one person decided. took_s: since they took it. note: free text; it never leaves the table but to people."""

    reviewer: str
    role: Role
    choice: str
    reasons: tuple[str, ...] = ()
    at: int
    took_s: int = 0
    note: str = ""


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """The task is this reviewer's until then."""

    reviewer: str
    since: int
    until: int


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """token: of whoever waits. told: when the asker had the answer, 0 before. level: how often people were reminded.

    external: the reads come from Amazon A2I; only an adjudication is for reviewers of the own queue.
    """

    task: str
    ask: Ask
    token: str
    opened: int
    votes: tuple[Vote, ...] = ()
    lease: Lease | None = None
    end: End | None = None
    ended: int = 0
    told: int = 0
    level: int = 0
    external: bool = False

    @property
    def due(self) -> int:
        return self.opened + self.ask.sla_min * MINUTE

    @property
    def expires(self) -> int:
        return self.opened + self.ask.review_days * DAY


class Outcome(NamedTuple):
    """agreed: all who read it said the same."""

    choice: str
    reasons: tuple[str, ...]
    agreed: bool


def held(task: Task, now: int) -> Lease | None:
    """The lease that keeps others away at this moment."""
    return task.lease if task.lease and now < task.lease.until else None


def reads(task: Task) -> list[Vote]:
    """Without an adjudication."""
    return [vote for vote in task.votes if vote.role == "read"]


def stage(task: Task) -> Stage:
    """What is wanted next of a task that has not ended."""
    given = len(reads(task))
    if given >= task.ask.reads:
        return "adjudication"
    return "second_read" if given else "open"


def state(task: Task, now: int) -> State:
    """As people are told."""
    if task.end:
        return task.end
    return "leased" if held(task, now) else stage(task)


def outcome(task: Task) -> Outcome | None:
    """What the votes so far decide; None while somebody else must say."""
    given = reads(task)
    final = next((vote for vote in task.votes if vote.role == "adjudication"), None)
    if final:
        return Outcome(final.choice, final.reasons, agreed=False)
    if len(given) < task.ask.reads:
        return None
    choices = {vote.choice for vote in given}
    if len(choices) > 1 and task.ask.adjudicate:
        return None
    choice = next(each for each in task.ask.choices if each in choices)
    reasons = _once(reason for vote in given if vote.choice == choice for reason in vote.reasons)
    return Outcome(choice, reasons, agreed=len(choices) == 1)


def _once(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))
