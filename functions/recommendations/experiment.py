"""A user -> the arm of the running experiment: computed from its name and the user's id, stored nowhere.

The same user gets the same arm at every call and on every machine; another name deals all users anew, independently.
A hold-out is an arm like any other (`changes: {"ranker": "popular"}`, a small share).
"""

from hashlib import blake2b
from typing import Annotated, Any

import msgspec

_SPAN = float(2**64)
_TOLERANCE = 1e-9

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.-]+\Z")]


class Arm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """share: of all users. changes: fields of the policy that differ in this arm."""

    name: Name
    share: Share
    changes: dict[str, Any] = {}


class Experiment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Arms of different names, whose shares add up to 1. Raises ValueError (msgspec.ValidationError when decoded)."""

    name: Name
    arms: Annotated[tuple[Arm, ...], msgspec.Meta(min_length=1)]

    def __post_init__(self) -> None:
        if len({arm.name for arm in self.arms}) < len(self.arms):
            raise ValueError("two arms have one name")
        total = sum(arm.share for arm in self.arms)
        if abs(total - 1) > _TOLERANCE:
            raise ValueError(f"shares add up to {total:g}, not to 1")


EVERYBODY = Experiment("none", (Arm("all", 1.0),))
"""No experiment."""


def assigned(experiment: Experiment, user_id: str) -> Arm:
    """The user's arm: a hash of experiment and user, uniform in [0, 1), against the shares in their order."""
    hashed = blake2b(f"{experiment.name}\0{user_id}".encode(), digest_size=8).digest()
    left = int.from_bytes(hashed, "big") / _SPAN
    for arm in experiment.arms:
        if left < arm.share:
            return arm
        left -= arm.share
    return next(arm for arm in reversed(experiment.arms) if arm.share)  # rounding of the last share
