"""Mean activations of training images -> a centre and a whitening: how far an image is from all of them.

Mahalanobis distance over several layers, Lee et al., "A Simple Unified Framework for Detecting Out-of-Distribution
Samples", NeurIPS 2018: lower layers tell the texture (noise, text, another modality), upper ones the content.
"""

import numpy as np
from numpy.typing import NDArray

SHRINKAGE = 0.02
"""Of the covariance of standardised activations towards their mean variance: directions that training images hardly
vary in must not decide alone."""

Array = NDArray[np.float32]


def fitted(means: Array, shrinkage: float = SHRINKAGE) -> tuple[Array, Array]:
    """Activations [n, t] -> centre [t] and whitening [t, t]."""
    centre = means.mean(axis=0, dtype=np.float64)
    deviation = means.std(axis=0, dtype=np.float64)
    scale = 1 / np.maximum(deviation, 0.01 * deviation.mean() + 1e-12)
    scaled = (means - centre) * scale
    values, vectors = np.linalg.eigh(scaled.T @ scaled / len(means))
    values = (1 - shrinkage) * np.maximum(values, 0) + shrinkage * values.mean()
    return centre.astype(np.float32), ((scale[:, None] * vectors) / np.sqrt(values)).astype(np.float32)


def distances(means: Array, centre: Array, whitening: Array) -> Array:
    """[n, t] -> [n]: root mean square of the whitened offsets."""
    return np.asarray(np.sqrt(np.square((means - centre) @ whitening).mean(axis=1)), np.float32)
