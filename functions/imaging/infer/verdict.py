"""A reading, the model's own limits and the header's doubts -> the finding, and whether a person must look."""

from typing import Literal, NamedTuple

from cuatro.radiographs import Facts, Reading

Finding = Literal["normal", "pneumonia", "not_readable"]

UNUSUAL, NEAR_THRESHOLD = "unusual_image", "near_threshold"


class Verdict(NamedTuple):
    """probability: None where the image is not readable: a number would be believed. why: codes, in a fixed order."""

    finding: Finding
    unsure: bool
    why: tuple[str, ...]
    probability: float | None
    distance: float | None


def judged(reading: Reading, facts: Facts, doubts: tuple[str, ...]) -> Verdict:
    """doubts: of functions.imaging.intended_use."""
    if reading.distance > facts.distance_limit:
        return Verdict("not_readable", True, (UNUSUAL, *doubts), None, reading.distance)
    low, high = facts.unsure
    near = low <= reading.probability < high
    why = (NEAR_THRESHOLD, *doubts) if near else doubts
    finding: Finding = "pneumonia" if reading.probability >= facts.threshold else "normal"
    return Verdict(finding, bool(why), why, reading.probability, reading.distance)


def unread(why: tuple[str, ...]) -> Verdict:
    """What the model was not made for is not shown to it."""
    return Verdict("not_readable", True, why, None, None)
