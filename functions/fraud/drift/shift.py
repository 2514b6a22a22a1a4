"""Rows of now against the reference in the model -> how far each feature and the score have moved (PSI)."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cuatro.psi import psi
from functions.fraud.features import FEATURES

MIN_ROWS = 300
"""Fewer rows move by chance: ten bins of 300 rows have a PSI of 0.03 without any change."""

Bins = Mapping[str, Any]


def of_features(matrix: NDArray[np.float32], reference: Mapping[str, Bins]) -> dict[str, float]:
    """float32 [rows, features] -> PSI of each feature that the reference knows; none with too few rows."""
    if len(matrix) < MIN_ROWS:
        return {}
    columns = dict(zip(FEATURES, matrix.T, strict=True))
    return {name: of_values(columns[name], bins) for name, bins in reference.items() if name in columns}


def of_values(values: NDArray[np.float32], bins: Bins) -> float:
    """bins: {"edges": inner edges, "shares": expected shares}. A value's bin is the number of edges below it."""
    edges = np.array(bins["edges"], np.float64)
    counts = np.bincount(np.searchsorted(edges, values.astype(np.float64)), minlength=len(edges) + 1)
    return psi(bins["shares"], counts.tolist())
