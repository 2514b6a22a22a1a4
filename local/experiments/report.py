"""Lists with what came of them -> each arm's figures, comparisons with the control arm, what other rules had earned."""

from collections.abc import Sequence
from dataclasses import dataclass

from functions.recommendations.experiment import Experiment
from local.experiments.arms import Arm, arms_of
from local.experiments.shown import Shown
from models.recommendations.trials.assignment import Ratio, assignment
from models.recommendations.trials.comparison import Comparison, always_valid, fixed, users_needed
from models.recommendations.trials.off_policy import Log, Values, greedy, logged, rates, uniform, worth
from models.recommendations.trials.outcomes import Sample

LEAST_EXPLORED = 200
"""Lists that left a place to chance, below which nothing is estimated from them."""


@dataclass(frozen=True)
class Plan:
    """How it is judged. detect: the relative lift that must not be missed. planned: users, for the sequential way.

    window_s: a user's outcome is what happened so long since the first list; None: until now. control: an arm's name;
    None: the hold-out that no model ranks for, else the first.
    """

    sequential: bool = False
    alpha: float = 0.05
    detect: float = 0.1
    planned: int = 10_000
    window_s: float | None = None
    control: str | None = None


@dataclass(frozen=True)
class Report:
    """ratio: None where shares are not known. needed: users of all arms for one look; None: it cannot be told yet.

    clicks, buyers: each other arm against the control. early, both: users left out (see Arms). rules: by name, what
    they would have earned at the explored place; empty if too few of the lists (`explored`) left it to chance.
    """

    experiment: str
    plan: Plan
    arms: list[Arm]
    control: str
    ratio: Ratio | None
    clicks: list[Comparison]
    buyers: list[Comparison]
    needed: int | None
    early: int
    both: int
    rules: dict[str, Values]
    explored: int


def report(name: str, lists: Sequence[Shown], experiment: Experiment | None, plan: Plan, now: float) -> Report:
    """experiment: with its shares, if it is known. now: unix seconds. Raises ValueError when there is no such arm."""
    shares = {arm.name: arm.share for arm in experiment.arms if arm.share} if experiment else {}
    found = arms_of(lists, shares, plan.window_s, now)
    control = _control([arm.name for arm in found.arms], experiment, plan.control)
    users = {arm.name: arm.clicks.users for arm in found.arms}
    known = shares and users.keys() <= shares.keys()
    explored = [line for each in lists if (line := each.line)]
    return Report(
        experiment=name,
        plan=plan,
        arms=found.arms,
        control=control,
        ratio=assignment(users, shares, sequential=plan.sequential) if known else None,
        clicks=_compared({arm.name: arm.clicks for arm in found.arms}, control, plan),
        buyers=_compared({arm.name: arm.buyers for arm in found.arms}, control, plan),
        needed=_needed(found.arms, control, plan),
        early=found.early,
        both=found.both,
        rules=_rules(Log.of(explored)) if len(explored) >= LEAST_EXPLORED else {},
        explored=len(explored),
    )


def _rules(log: Log) -> dict[str, Values]:
    expected = rates(log)
    found = {"as it was": logged(log), "a fair draw": uniform(log), "the best rate": greedy(log, expected)}
    return {name: worth(log, rule, expected) for name, rule in found.items()}


def _control(names: Sequence[str], experiment: Experiment | None, wanted: str | None) -> str:
    if not names:
        raise ValueError("nothing was shown yet")
    if wanted is not None:
        if wanted not in names:
            raise ValueError(f"there is no arm {wanted}, only {', '.join(names)}")
        return wanted
    held = [arm.name for arm in experiment.arms if arm.changes.get("ranker") == "popular"] if experiment else []
    return next((name for name in held if name in names), names[0])


def _compared(samples: dict[str, Sample], control: str, plan: Plan) -> list[Comparison]:
    """Several comparisons share the error rate (Bonferroni). Arms in which nobody has seen a list are left out."""
    below = samples[control]
    others = [each for name, each in samples.items() if name != control]
    alpha = plan.alpha / max(len(others), 1)
    able = [each for each in others if each.users > 1 and below.users > 1]
    if plan.sequential:
        return [always_valid(below, each, plan.planned, alpha) for each in able]
    return [fixed(below, each, alpha) for each in able]


def _needed(arms: Sequence[Arm], control: str, plan: Plan) -> int | None:
    users = {arm.name: arm.clicks.users for arm in arms}
    total = sum(users.values()) or 1
    shares = {arm.name: arm.share or users[arm.name] / total for arm in arms}
    below = next(arm.clicks for arm in arms if arm.name == control)
    needed = 0
    for name, share in shares.items():
        if name != control:
            pair = share + shares[control]
            try:
                two = users_needed(below, plan.detect, share / pair if pair else 0.0, plan.alpha / (len(arms) - 1))
            except ValueError:
                return None
            needed = max(needed, round(two / pair))
    return needed or None
