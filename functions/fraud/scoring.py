"""What the domain expects of a model, whatever runs it."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Scoring(Protocol):
    """thresholds: {"review": ..., "decline": ...}. baseline: the row that reasons compare with, may be empty."""

    version: str
    thresholds: dict[str, float]
    baseline: list[float]

    def score(self, matrix: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32 [rows, features] -> float32 [rows]: probability of fraud."""
        ...
