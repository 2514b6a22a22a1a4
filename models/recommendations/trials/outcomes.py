"""An arm's users, each a numerator and a denominator -> a ratio, its variance over users, and values with that mean.

Users are what was assigned at random, so users are what is counted: lists of one user resemble each other, and a test
that takes each list for a user of its own finds differences that are not there.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Sample:
    """top, bottom: float64[users]; the metric is sum(top) / sum(bottom), such as clicked lists over lists.

    A mean over users, such as the share of users who bought, has a bottom of ones.
    """

    arm: str
    top: NDArray[np.float64]
    bottom: NDArray[np.float64]

    @classmethod
    def of(cls, arm: str, top: object, bottom: object = None) -> Self:
        """From anything that numpy takes; bottom None: ones. Raises ValueError when the shapes differ."""
        tops = np.asarray(top, np.float64)
        bottoms = np.ones_like(tops) if bottom is None else np.asarray(bottom, np.float64)
        if tops.ndim != 1 or tops.shape != bottoms.shape:
            raise ValueError(f"{arm}: numerators {tops.shape} and denominators {bottoms.shape} of users differ")
        return cls(arm, tops, bottoms)

    @property
    def users(self) -> int:
        return len(self.top)

    @property
    def ratio(self) -> float:
        """The metric; NaN where nothing was shown."""
        whole = float(self.bottom.sum())
        return float(self.top.sum()) / whole if whole else float("nan")

    def values(self) -> NDArray[np.float64]:
        """One value a user, whose mean is the ratio and whose spread is the ratio's: the delta method.

        Deng, Knoblich and Lu, Applying the Delta Method in Metric Analytics, KDD 2018, in its linearised form.
        """
        ratio = self.ratio
        return ratio + (self.top - ratio * self.bottom) / self.bottom.mean()

    @property
    def variance(self) -> float:
        """Of the ratio, in repeated samples of so many users."""
        return float(self.values().var(ddof=1)) / self.users
