"""What is known of a reading at its end -> the study's outcome (a row's v), its state, and the event for the bus."""

from typing import Literal

import msgspec

from cuatro.studies import StudyFailed, StudyRead, StudyRejected
from functions.imaging.progress import Choice, Progress, Result
from functions.imaging.routing import model_version, probability, suggested

State = Literal["read", "rejected", "expired", "failed"]


class Outcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """verdict: None where nobody came to one. by: who came to it. probability: the model's, of a pneumonia.

    suggested: the model's verdict. why: codes, of what made it go to a person or end without a verdict.
    read, rejected: instances. reads: how many people looked; agreed: were they of one mind?
    delivery: delivered, refused, failed, none (nothing is pushed).
    """

    revision: int
    verdict: Choice | None = None
    by: Literal["model", "review", "nobody"] = "nobody"
    probability: float | None = None
    suggested: Choice | None = None
    model_version: str = ""
    why: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    read: int = 0
    rejected: int = 0
    reads: int = 0
    agreed: bool | None = None
    delivery: Literal["delivered", "refused", "failed", "none"] = "none"
    error: str = ""


def state_of(progress: Progress) -> State:
    """What the study is when the reading ends here."""
    if progress.failed:
        return "failed"
    if progress.expired is not None:
        return "expired"
    return "read" if progress.read else "rejected"


def outcome_of(progress: Progress) -> Outcome:
    """As far as the reading has come: the report says the verdict, the row says all of it."""
    state, review = state_of(progress), progress.review
    base = Outcome(
        revision=progress.revision,
        probability=probability(progress.items),
        suggested=suggested(progress.items) if progress.read else None,
        model_version=model_version(progress.items),
        why=_why(progress),
        read=len(progress.read),
        rejected=len(progress.rejected),
        delivery=_delivery(progress),
        error=progress.failed.error if progress.failed else "",
    )
    if state != "read":
        return base
    if review is None:
        return msgspec.structs.replace(base, verdict=base.suggested, by="model")
    return msgspec.structs.replace(
        base, verdict=review.outcome, by="review", reasons=review.reasons, reads=len(review.reads), agreed=review.agreed
    )


def event_of(progress: Progress, time: str) -> StudyRead | StudyRejected | StudyFailed:
    """For the bus; time: RFC 3339. A study that nobody reviewed in time has not been read: it failed."""
    state, outcome = state_of(progress), outcome_of(progress)
    if state == "rejected":
        return StudyRejected(
            study=progress.study,
            revision=progress.revision,
            codes=[*outcome.why],
            instances=outcome.rejected,
            time=time,
        )
    if outcome.verdict is None:
        error = outcome.error or "ReviewExpired"
        return StudyFailed(study=progress.study, revision=progress.revision, error=error, time=time)
    return StudyRead(
        study=progress.study,
        revision=progress.revision,
        verdict=outcome.verdict,
        human=outcome.by == "review",
        suggested=outcome.suggested or outcome.verdict,
        probability=outcome.probability,
        model_version=outcome.model_version,
        why=[*outcome.why],
        reads=outcome.reads,
        agreed=outcome.agreed,
        instances=outcome.read,
        rejected=outcome.rejected,
        results=len(progress.results),
        delivery=outcome.delivery,
        time=time,
    )


_ENCODE = msgspec.json.Encoder(order="deterministic").encode
_DECODE = msgspec.json.Decoder(Outcome).decode


def encode(outcome: Outcome) -> str:
    """Attribute v."""
    return _ENCODE(outcome).decode()


def decode(v: str) -> Outcome:
    """Raises msgspec.DecodeError, of which ValidationError is one."""
    return _DECODE(v)


def results_of(k: str) -> dict[str, list[Result]]:
    """Attribute k: what lies under results/, by revision. Raises msgspec.DecodeError."""
    return msgspec.json.decode(k or "{}", type=dict[str, list[Result]])


def with_results(k: str, revision: int, results: tuple[Result, ...]) -> str:
    """Attribute k with a revision's results in it. Raises msgspec.DecodeError."""
    known: dict[str, list[Result]] = {**results_of(k), str(revision): [*results]}
    return _ENCODE(known).decode()


def _why(progress: Progress) -> tuple[str, ...]:
    if progress.read:
        return progress.routing.why if progress.routing else ()
    return tuple(sorted({each.code for each in progress.rejected}))


def _delivery(progress: Progress) -> Literal["delivered", "refused", "failed", "none"]:
    if progress.undelivered is not None:
        return "failed"
    return progress.delivery.state if progress.delivery else "none"
