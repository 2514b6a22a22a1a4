"""A question for people who work elsewhere -> their answers: Amazon Augmented AI (A2I), for accounts that have it.

AWS takes no new customers for A2I: the suite's own queue (functions.review) is the default, and keeps every task, its
deadlines and its asker's token either way. `HumanReview` is what a place where people review must be able to do.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple, Protocol

import msgspec

from cuatro.adapters import objects
from cuatro.adapters.aws import called
from cuatro.errors import Refused, Unavailable

_MAX_OUTPUT_BYTES = 1_000_000
_THERE = frozenset({"ConflictException"})
_GONE = frozenset({"ResourceNotFoundException", "ConflictException"})


class Question(NamedTuple):
    """task: its id, 26 characters a-z2-7. attachments: {"name", "bucket", "key", "type"} each."""

    task: str
    queue: str
    kind: str
    subject: str
    priority: str
    choices: tuple[str, ...]
    reasons: tuple[str, ...]
    suggested: str | None
    attachments: tuple[Mapping[str, str], ...]
    payload: Mapping[str, Any]


class Answer(NamedTuple):
    """What one person said. at: unix milliseconds. took_s: seconds that they looked at it."""

    reviewer: str
    choice: str
    reasons: tuple[str, ...]
    note: str
    at: int
    took_s: int


class HumanReview(Protocol):
    """Every method raises Unavailable or Refused."""

    def ask(self, question: Question) -> None:
        """Once for each task, however often it is called."""

    def cancel(self, task: str) -> None:
        """Nobody need answer; harmless for one that is unknown or answered."""

    def answers(self, task: str) -> list[Answer] | None:
        """In the order in which they came; None while people are at it. Empty: nobody will answer any more."""


class AugmentedAi:
    """A flow definition of A2I: its work team, its template, and how many of its workers read each task."""

    def __init__(self, flow_definition_arn: str) -> None:
        self._flow = flow_definition_arn

    def ask(self, question: Question) -> None:
        content = {**question._asdict(), "attachments": [_shown(each) for each in question.attachments]}
        try:
            called(
                "sagemaker-a2i-runtime",
                "start_human_loop",
                HumanLoopName=question.task,
                FlowDefinitionArn=self._flow,
                HumanLoopInput={"InputContent": msgspec.json.encode(content).decode()},
            )
        except Refused as refused:
            if refused.code not in _THERE:
                raise

    def cancel(self, task: str) -> None:
        try:
            called("sagemaker-a2i-runtime", "stop_human_loop", HumanLoopName=task)
        except Refused as refused:
            if refused.code not in _GONE:
                raise

    def answers(self, task: str) -> list[Answer] | None:
        try:
            loop = called("sagemaker-a2i-runtime", "describe_human_loop", HumanLoopName=task)
        except Refused as refused:
            if refused.code in _GONE:
                return []
            raise
        if loop["HumanLoopStatus"] in {"InProgress", "Stopping"}:
            return None
        if loop["HumanLoopStatus"] != "Completed":
            return []
        output = objects.read(loop["HumanLoopOutput"]["OutputS3Uri"], _MAX_OUTPUT_BYTES)
        return _answers(output)


@cache
def reviewers_of(flow_definition_arn: str) -> HumanReview | None:
    """Those of a flow definition; None for no ARN: the own queue's."""
    return AugmentedAi(flow_definition_arn) if flow_definition_arn else None


class _Human(msgspec.Struct, frozen=True):
    """One of an output's humanAnswers."""

    answerContent: dict[str, Any]  # noqa: N815 - A2I's name
    submissionTime: datetime  # noqa: N815
    workerId: str  # noqa: N815
    timeSpentInSeconds: float = 0.0  # noqa: N815


class _Output(msgspec.Struct, frozen=True):
    humanAnswers: list[_Human]  # noqa: N815


def _answers(data: bytes) -> list[Answer]:
    """Raises Unavailable for what no template of ours gives: somebody must look at it, and the answer is not lost."""
    try:
        found = msgspec.json.decode(data, type=_Output).humanAnswers
        return [_answer(each) for each in sorted(found, key=lambda each: each.submissionTime)]
    except (msgspec.MsgspecError, ValueError) as error:
        raise Unavailable("the human loop's output is not what the template gives") from error


def _answer(human: _Human) -> Answer:
    content = human.answerContent
    (choice,) = _ticked(content, "choice-")
    return Answer(
        reviewer=f"a2i:{human.workerId}",
        choice=choice,
        reasons=_ticked(content, "reason-"),
        note=str(content.get("note", ""))[:2000],
        at=int(human.submissionTime.timestamp() * 1000),
        took_s=int(human.timeSpentInSeconds),
    )


def _ticked(content: Mapping[str, Any], prefix: str) -> tuple[str, ...]:
    """Names of the buttons or boxes that are on, as crowd-radio-group and crowd-checkbox give them: {name: {value:
    true}}."""
    on = (
        name
        for name, value in content.items()
        if name.startswith(prefix) and (any(value.values()) if isinstance(value, Mapping) else value is True)
    )
    return tuple(name.removeprefix(prefix) for name in on)


def _shown(attachment: Mapping[str, str]) -> dict[str, str]:
    return {**attachment, "uri": f"s3://{attachment['bucket']}/{attachment['key']}"}
