"""Prepared radiographs -> readings: what every reader keeps to, whoever runs the model."""

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Facts(NamedTuple):
    """What a model says of itself.

    threshold: a probability at or above it is a finding. unsure: from the first to below the second nobody should rely
    on it. distance_limit: beyond it the image is of another kind than those that the model learned from.
    """

    version: str
    threshold: float
    unsure: tuple[float, float]
    distance_limit: float


class Reading(NamedTuple):
    """probability: of a finding, 0 to 1. distance: 0 or more. cam: float32 [h, w], evidence for it, where it is."""

    probability: float
    distance: float
    cam: "NDArray[np.float32]"


class Reader(Protocol):
    """A model in this process or behind an endpoint."""

    @property
    def facts(self) -> Facts:
        """Of the model that read last, or, before the first reading, of the one that is there."""
        ...

    def read(self, images: "NDArray[np.uint8]") -> list[Reading]:
        """uint8 [n, 1, side, side] as functions/imaging/features.py prepares them -> n readings, in their order.

        Raises ModelMismatch (a model that cannot be run, or whose answers are no numbers), Unavailable, Refused.
        """
        ...
