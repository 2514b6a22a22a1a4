"""Users counted in each arm, and the shares they should have -> is the assignment broken (sample ratio mismatch)?

Where it is, arms differ in who is in them, and nothing else about the experiment can be believed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp

import numpy as np
from scipy.special import gammaln
from scipy.stats import chisquare

ALPHA = 0.001
"""A mismatch stops everything, so it must be beyond doubt."""
_PRIOR = 100.0
"""Weight of the prior around the planned shares, in users: large, since a bug shifts shares by little."""


@dataclass(frozen=True)
class Ratio:
    """users and expected: by arm. p: of the planned shares; for one look, or for any number of them."""

    users: dict[str, int]
    expected: dict[str, float]
    p: float

    @property
    def broken(self) -> bool:
        return self.p < ALPHA


def assignment(users: Mapping[str, int], shares: Mapping[str, float], *, sequential: bool) -> Ratio:
    """shares: what each arm should have, > 0; arms without users count as empty ones. Raises ValueError for others.

    One look: the chi-square test. Any number: Lindon and Malek, Anytime-Valid Inference For Multinomial Count Data
    (NeurIPS 2022), a Bayes factor with a Dirichlet prior around the planned shares, whose inverse is a p-value.
    """
    strange = users.keys() - shares.keys()
    if strange:
        raise ValueError(f"no share is known of {', '.join(sorted(strange))}")
    arms = list(shares)
    counts = np.array([users.get(arm, 0) for arm in arms], np.float64)
    planned = np.array([shares[arm] for arm in arms], np.float64)
    planned /= planned.sum()
    total = counts.sum()
    expected = dict(zip(arms, (planned * total).tolist(), strict=True))
    found = {arm: users.get(arm, 0) for arm in arms}
    if not total or len(arms) < 2:
        return Ratio(found, expected, 1.0)
    if not sequential:
        return Ratio(found, expected, float(chisquare(counts, planned * total).pvalue))
    prior = _PRIOR * planned
    evidence = _log_beta(prior + counts) - _log_beta(prior) - float(counts @ np.log(planned))
    return Ratio(found, expected, exp(-max(evidence, 0.0)))


def _log_beta(parameters: np.ndarray) -> float:
    return float(gammaln(parameters).sum() - gammaln(parameters.sum()))
