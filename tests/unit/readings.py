"""A study's readings, made up: ids that look like pseudonyms, what the model says, and the state of an execution."""

from typing import Any

from functions.imaging.progress import Progress, progress_of

STUDY = "study" + "a" * 21


def instance(number: int) -> str:
    """A pseudonym of 26 characters."""
    return f"{'i' * 20}{''.join('abcdefghij'[int(digit)] for digit in f'{number:06d}')}"


def read(number: int = 1, finding: str = "normal", probability: float | None = 0.03, **more: Any) -> dict[str, Any]:
    """An item that the model read; sure of it unless told otherwise."""
    return {
        "instance": instance(number), "state": "read", "finding": finding, "probability": probability, "unsure": False,
        "why": [], "model_version": "imaging-1", "distance": 0.7, **more,
    }  # fmt: skip


def rejected(number: int = 9, code: str = "multi_frame") -> dict[str, Any]:
    return {"instance": instance(number), "state": "rejected", "code": code}


def state(*items: dict[str, Any], revision: int = 1, **more: Any) -> dict[str, Any]:
    """What a step of the state machine gets."""
    names = [each["instance"] for each in items]
    return {"study": STUDY, "revision": revision, "instances": names, "items": list(items), **more}


def progress(*items: dict[str, Any], **more: Any) -> Progress:
    return progress_of(state(*items, **more))
