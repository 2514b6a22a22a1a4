"""What became of a study, for the bus: pseudonymous ids, codes, numbers and times; nothing that could name a patient.

Each is published at least once for a study's revision; study and revision tell a repetition.
"""

from typing import Literal

import msgspec

Verdict = Literal["pneumonia", "other_finding", "not_readable", "normal"]
"""Of a chest radiograph; research use only."""


class StudyRead(msgspec.Struct, frozen=True, kw_only=True):
    """A study has a verdict, and its results lie ready. study: its pseudonym.

    human: whose verdict it is, a person's or the model's. suggested: the model's own. probability: of a pneumonia, by
    the model; None where no image was one that it was made for. why: codes, of what sent it to a person. reads: people
    who looked; agreed: were they of one mind? instances, rejected: read or not. results: objects made.
    """

    version: Literal[1] = 1
    study: str
    revision: int
    verdict: Verdict
    human: bool
    suggested: Verdict
    probability: float | None
    model_version: str
    why: list[str]
    reads: int
    agreed: bool | None
    instances: int
    rejected: int
    results: int
    delivery: Literal["delivered", "refused", "failed", "none"]
    time: str


class StudyRejected(msgspec.Struct, frozen=True, kw_only=True):
    """No instance of the study could be read; codes say why."""

    version: Literal[1] = 1
    study: str
    revision: int
    codes: list[str]
    instances: int
    time: str


class StudyFailed(msgspec.Struct, frozen=True, kw_only=True):
    """The study has no verdict though it may have one later: a step failed, or nobody reviewed it (ReviewExpired)."""

    version: Literal[1] = 1
    study: str
    revision: int
    error: str
    time: str
