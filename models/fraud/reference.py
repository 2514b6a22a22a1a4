"""What a model was trained on -> bins and shares in its metadata, which drift compares the live traffic with.

A value's bin is the number of edges below it: numpy.searchsorted(edges, value). Edges are deciles, equal ones once, so
that a feature that is mostly 0 has the bins "0 or less" and "more".
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from functions.fraud.features import FEATURES

DECILES = np.arange(1, 10) / 10
UPPER = np.array([0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995])
"""Of the scores, nearly all are tiny: what matters is at the top."""


def reference(
    rows: NDArray[np.float32], scores: NDArray[np.float64], average_precision: float, recall: float, prevalence: float
) -> dict[str, Any]:
    """rows: the training rows' features; scores: of a model that had not seen them; recall at the review threshold."""
    return {
        "features": {name: _bins(rows[:, at], DECILES) for at, name in enumerate(FEATURES)},
        "scores": _bins(scores, UPPER),
        "average_precision": round(average_precision, 6),
        "recall": round(recall, 6),
        "prevalence": round(prevalence, 8),
    }


def _bins(values: NDArray[Any], quantiles: NDArray[np.float64]) -> dict[str, list[float]]:
    cuts = np.quantile(values.astype(np.float64), quantiles, method="inverted_cdf")
    # Six digits are enough to compare, and keep the metadata small; the shares are counted with these edges.
    rounded = np.unique([float(f"{cut:.6g}") for cut in cuts])
    edges = rounded[rounded < values.max()]
    counts = np.bincount(np.searchsorted(edges, values.astype(np.float64)), minlength=len(edges) + 1)
    return {"edges": edges.tolist(), "shares": [round(float(share), 6) for share in counts / len(values)]}
