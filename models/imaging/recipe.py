"""What a fine-tuning is told: how it trains, and on which images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.uint8]


@dataclass(frozen=True)
class Recipe:
    """seconds: the rate falls to zero by then, however many steps that allows, unless `epochs` are done before.

    frozen: lower blocks that stay as they are. rate: at its highest. smoothing: of labels. kind_share: weight of
    telling bacterial from viral pneumonia, which only makes the features richer. strength: of the augmentation; one in
    `plain` images is not changed at all. averaged: how much of the moving average of the weights each step keeps.
    """

    seconds: float = 1800
    epochs: float = 12
    batch: int = 32
    rate: float = 4e-4
    weight_decay: float = 0.02
    frozen: int = 6
    smoothing: float = 0.05
    kind_share: float = 0.25
    strength: float = 1.0
    plain: int = 6
    averaged: float = 0.995
    warmup: float = 0.03
    seed: int = 7


@dataclass(frozen=True)
class Set:
    """images: uint8 [n, s, s] as `prepared` gives them. kinds: UNKNOWN_KIND where nobody says."""

    images: Images
    labels: NDArray[np.int64]
    kinds: NDArray[np.int64]
    patients: Sequence[str]
