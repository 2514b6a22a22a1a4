"""POLICY (JSON) -> what studies are taken, how they are read, reviewed, kept and sent back, checked."""

from functools import cache
from typing import Annotated

import msgspec

Days = Annotated[int, msgspec.Meta(ge=1, le=3650)]
Minutes = Annotated[int, msgspec.Meta(ge=1, le=525_600)]
Years = Annotated[int, msgspec.Meta(ge=0, le=120)]

MAX_INSTANCES = 200
"""Ids, readings and attachments of so many fit into what a state machine may hand on (256 KiB)."""


class Deadlines(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Minutes until a task of the queue is overdue, by its priority."""

    routine: Minutes = 1440
    urgent: Minutes = 60

    def __post_init__(self) -> None:
        if self.urgent > self.routine:
            raise ValueError("an urgent task must not be due later than a routine one")


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How studies are treated. Seconds, minutes, days, megabytes (2**20 bytes) as the names say.

    quiet_s: a study is read when no instance of it has come for so long. max_instances: of a study; what comes after
    is refused. max_object_mb, max_pixels (all frames together), max_frames: of an instance; larger ones are rejected.
    reads: readers of a task; double_read: two for a study in which the model sees something. adjudicate: a third
    reader decides where two disagree. review_days: a task that nobody decides for so long expires, and its study with
    it. lease_min: a reader who is silent for so long loses the task.
    min_age, max_age: years (both inclusive) that the model was made for. retention_days: of objects and rows.
    mask_text: burned-in text is masked; otherwise an image with any is rejected. push_results: to senders with a
    destination.
    """

    quiet_s: Annotated[int, msgspec.Meta(ge=1, le=900)] = 60  # SQS delays a message by 15 minutes at most
    max_instances: Annotated[int, msgspec.Meta(ge=1, le=MAX_INSTANCES)] = MAX_INSTANCES
    max_object_mb: Annotated[int, msgspec.Meta(ge=1, le=2_000)] = 200
    max_pixels: Annotated[int, msgspec.Meta(ge=1, le=500_000_000)] = 64_000_000
    max_frames: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 1
    reads: Annotated[int, msgspec.Meta(ge=1, le=2)] = 1
    double_read: bool = False
    adjudicate: bool = True
    review_days: Annotated[int, msgspec.Meta(ge=1, le=180)] = 30
    sla_min: Deadlines = Deadlines()
    lease_min: Annotated[int, msgspec.Meta(ge=1, le=1440)] = 15
    min_age: Years = 0
    max_age: Years = 18
    retention_days: Days = 3650
    mask_text: bool = True
    push_results: bool = True

    def __post_init__(self) -> None:
        if self.min_age > self.max_age:
            raise ValueError("min_age must not be above max_age")

    @classmethod
    def from_json(cls, text: str) -> "Policy":
        """Raises msgspec.ValidationError, which names the field."""
        return msgspec.json.decode(text, type=cls)


@cache
def policy(text: str) -> Policy:
    """Of POLICY, parsed once. Raises msgspec.ValidationError."""
    return Policy.from_json(text)
