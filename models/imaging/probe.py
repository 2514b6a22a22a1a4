"""Features of a frozen backbone and labels -> a linear head: the beginning of fine-tuning, and the baseline."""

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
from sklearn.preprocessing import StandardScaler  # type: ignore[import-untyped]

C = 0.02
"""Inverse strength of the penalty, on standardised features: strong, since the test is another hospital."""

Array = NDArray[np.float32]


def head(features: Array, labels: NDArray[np.int64], c: float = C) -> dict[str, Array]:
    """classifier.weight [1, f] and classifier.bias [1] for features [n, f] as they are; both classes weigh the same."""
    scaler = StandardScaler().fit(features)
    fitted = LogisticRegression(C=c, class_weight="balanced", max_iter=2000).fit(scaler.transform(features), labels)
    scale = np.where(scaler.scale_ > 0, scaler.scale_, 1)
    weight = fitted.coef_ / scale
    bias = fitted.intercept_ - weight @ scaler.mean_
    return {"classifier.weight": weight.astype(np.float32), "classifier.bias": bias.astype(np.float32)}
