"""A report -> what may be said of it, in sentences; nothing where there is too little, or something is broken."""

from typing import NamedTuple

from local.experiments.report import Report
from models.recommendations.trials.comparison import LEAST_USERS, Comparison


class Verdict(NamedTuple):
    """style: green, yellow or red."""

    style: str
    text: str


def verdicts(report: Report) -> list[Verdict]:
    """One for each comparison, or a single one that says why there is none. Clicks decide, purchases are told."""
    if report.ratio and report.ratio.broken:
        text = (
            f"The assignment is broken (p = {report.ratio.p:.1g}): arms have other shares of the users than planned, "
            "so believe nothing else here. Look for lists that one arm loses: errors, time-outs, caches, robots."
        )
        return [Verdict("red", text)]
    if len(report.arms) < 2:
        return [Verdict("yellow", "One arm only: there is nothing to compare.")]
    small = [f"{arm.name} has {arm.clicks.users}" for arm in report.arms if arm.clicks.users < LEAST_USERS]
    if small:
        told = ", ".join(small)
        return [Verdict("yellow", f"Too early: {told} of the {LEAST_USERS} users that the least statement needs.")]
    total = sum(arm.clicks.users for arm in report.arms)
    if not report.plan.sequential and (report.needed is None or total < report.needed):
        return [Verdict("yellow", _early(report, total))]
    return [_verdict(each) for each in report.clicks]


def _early(report: Report, total: int) -> str:
    if report.needed is None:
        return "Too early: nobody has clicked in the control arm, so no number of users follows."
    return (
        f"Too early: {total:,} of the {report.needed:,} users that find a lift of {report.plan.detect:.0%} four times "
        "in five. A look before shows differences that are not there; --sequential may be looked at any time."
    )


def _verdict(compared: Comparison) -> Verdict:
    name, control = compared.treatment.arm, compared.control.arm
    if not compared.differs:
        return Verdict("yellow", f"{name} and {control}: no difference shown; the interval says how large it may be.")
    better = compared.difference.value > 0
    lift = f"{compared.lift.value:+.1%} clicked lists, p = {compared.p:.2g}"
    return Verdict("green" if better else "red", f"{name} is {'better' if better else 'worse'} than {control}: {lift}.")
