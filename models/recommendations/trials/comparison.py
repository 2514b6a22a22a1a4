"""Two arms -> difference and lift with an interval and a p-value: for one look at the planned end, or for any number.

Both ways judge the same estimate of the same variance; what differs is how many standard errors a difference must have.
"""

from dataclasses import dataclass
from math import exp, inf, isinf, log, sqrt
from typing import NamedTuple

from scipy.special import lambertw
from statsmodels.stats.power import tt_ind_solve_power
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from models.recommendations.trials.outcomes import Sample

LEAST_USERS = 100
"""Below so many users in an arm nothing is said: both ways rest on the central limit theorem."""


class Interval(NamedTuple):
    """An estimate and what it may be; bounds may be infinite."""

    value: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Comparison:
    """difference: treatment - control. lift: treatment / control - 1; infinite bounds where control may be zero.

    p: of no difference; with `sequential` it may be read at any time, and the intervals hold at all times together.
    """

    control: Sample
    treatment: Sample
    difference: Interval
    lift: Interval
    p: float
    alpha: float
    sequential: bool

    @property
    def enough(self) -> bool:
        return min(self.control.users, self.treatment.users) >= LEAST_USERS

    @property
    def differs(self) -> bool:
        """Is no difference ruled out?"""
        return self.enough and (self.difference.lower > 0 or self.difference.upper < 0)


class _Rule(NamedTuple):
    """critical: standard errors that a difference must have."""

    critical: float
    p: float
    alpha: float
    sequential: bool


def fixed(control: Sample, treatment: Sample, alpha: float = 0.05) -> Comparison:
    """Welch's test over users, for one look when the planned users are there. Raises ValueError for empty arms."""
    _check(control, treatment)
    if not treatment.variance + control.variance:
        return _compared(control, treatment, _Rule(0.0, 1.0, alpha, sequential=False))
    means = CompareMeans(DescrStatsW(treatment.values()), DescrStatsW(control.values()))
    _, p, _ = means.ttest_ind(usevar="unequal")
    lower, upper = means.tconfint_diff(alpha=alpha, usevar="unequal")
    critical = (upper - lower) / 2 / sqrt(treatment.variance + control.variance)
    return _compared(control, treatment, _Rule(critical, float(p), alpha, sequential=False))


def always_valid(control: Sample, treatment: Sample, planned: int, alpha: float = 0.05) -> Comparison:
    """An asymptotic confidence sequence: look as often as you like, stop when you like.

    Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, Time-uniform central limit theory and asymptotic confidence
    sequences, Annals of Statistics 2024: the Gaussian mixture's boundary for the mean of t users, tightest when
    `planned` users are there. Users must come in as they were assigned, with outcomes that change no more.
    Raises ValueError for empty arms.
    """
    _check(control, treatment)
    users = control.users + treatment.users
    spread = users * tightest(planned, alpha)
    critical = sqrt(2 * (spread + 1) / spread * log(sqrt(spread + 1) / alpha))
    error = sqrt(treatment.variance + control.variance)
    z = (treatment.ratio - control.ratio) / error if error else 0.0
    p = min(1.0, sqrt(spread + 1) * exp(-z * z * spread / (2 * (spread + 1))))
    return _compared(control, treatment, _Rule(critical, p, alpha, sequential=True))


def tightest(planned: int, alpha: float) -> float:
    """Rho squared for which the confidence sequence is tightest at so many users.

    Howard, Ramdas, McAuliffe and Sekhon, Time-uniform, nonparametric, nonasymptotic confidence sequences, Annals of
    Statistics 2021, on tuning the mixture.
    """
    return float(-lambertw(-(alpha**2) / exp(1), -1).real - 1) / planned


def users_needed(control: Sample, lift: float, treated: float, alpha: float = 0.05, power: float = 0.8) -> int:
    """Users of both arms with which a fixed test finds such a lift so often. treated: the treatment's share of them.

    Raises ValueError when the control says too little: no spread, or nothing to lift.
    """
    spread = float(control.values().std(ddof=1)) if control.users > 1 else 0.0
    if not spread or not control.ratio > 0 or not lift or not 0 < treated < 1:
        raise ValueError("the control arm has nothing yet from which a number of users follows")
    size = lift * control.ratio / spread
    found = tt_ind_solve_power(
        effect_size=abs(size), nobs1=None, alpha=alpha, power=power, ratio=treated / (1 - treated)
    )
    return round(float(found) / (1 - treated))


def _check(control: Sample, treatment: Sample) -> None:
    for each in (control, treatment):
        if each.users < 2 or not each.bottom.sum() > 0:
            raise ValueError(
                f"arm {each.arm} has {each.users} users with {each.bottom.sum():g} lists: too few to compare"
            )


def _compared(control: Sample, treatment: Sample, rule: _Rule) -> Comparison:
    error = sqrt(treatment.variance + control.variance)
    difference = treatment.ratio - control.ratio
    reach = rule.critical * error if error else inf  # users who are all alike say nothing of how others differ
    return Comparison(
        control=control,
        treatment=treatment,
        difference=Interval(difference, difference - reach, difference + reach),
        lift=_lift(control, treatment, rule.critical if error else inf),
        p=rule.p,
        alpha=rule.alpha,
        sequential=rule.sequential,
    )


def _lift(control: Sample, treatment: Sample, critical: float) -> Interval:
    """Fieller's interval of a ratio of means: it holds no lift exactly when the difference's interval holds zero."""
    below, above = control.ratio, treatment.ratio
    if not below > 0:
        return Interval(inf if above > 0 else 0.0, -1.0, inf)
    wide = critical**2
    if isinf(wide):
        return Interval(above / below - 1, -1.0, inf)
    a = below**2 - wide * control.variance
    c = above**2 - wide * treatment.variance
    if a <= 0:  # the control's rate may be zero: any lift is possible
        return Interval(above / below - 1, -1.0, inf)
    root = sqrt(max((below * above) ** 2 - a * c, 0.0))
    return Interval(above / below - 1, (below * above - root) / a - 1, (below * above + root) / a - 1)
