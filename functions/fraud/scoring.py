"""What the domain expects of a model, whatever runs it: a file in this process, or an endpoint."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Scoring(Protocol):
    """thresholds: {"review": ..., "decline": ...}. baseline: the row that reasons compare with, may be empty.

    reference: bins and shares of what the model was trained on, for drift; may be empty. An endpoint can change its
    model between two calls: read version and thresholds after score(), they are those of the model that scored.
    """

    version: str
    thresholds: dict[str, float]
    baseline: list[float]
    reference: dict[str, Any]

    def score(self, matrix: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32 [rows, features] -> float32 [rows]: probability of fraud. Raises Unavailable, ModelMismatch."""
        ...
