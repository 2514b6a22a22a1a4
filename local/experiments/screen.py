"""A report -> tables and sentences on the terminal."""

from math import isfinite, sqrt

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from scipy.stats import norm

from local.experiments.report import LEAST_EXPLORED, Report
from local.experiments.verdict import verdicts
from models.recommendations.trials.comparison import Comparison, Interval
from models.recommendations.trials.outcomes import Sample


def show(out: Console, report: Report) -> None:
    """Arms, comparisons, assignment, the explored place; last the verdict."""
    out.print(_arms(report))
    if report.clicks:
        out.print(_lifts(report))
    _footnotes(out, report)
    if report.rules:
        out.print(_rules(report))
        out.print(
            "  Estimated from the log, doubly robust, over users; effective: so many lists as good as a trial.",
            style="dim",
        )
    elif report.explored:
        out.print(f"Explored place: {report.explored} lists; from {LEAST_EXPLORED} on other rules are estimated.")
    for each in verdicts(report):
        out.print(f"[bold {each.style}]{escape(each.text)}[/]", soft_wrap=True)


def _arms(report: Report) -> Table:
    table = Table("arm", box=None, pad_edge=False, title=f"Experiment {report.experiment}", title_justify="left")
    for name in ("share", "users", "lists", "clicked lists", "users who bought"):
        table.add_column(name, justify="right")
    for arm in report.arms:
        table.add_row(
            arm.name + (" (control)" if arm.name == report.control else ""),
            "" if arm.share is None else f"{arm.share:.0%}",
            f"{arm.clicks.users:,}",
            f"{arm.lists:,}",
            _rate(arm.clicks, report.plan.alpha),
            _rate(arm.buyers, report.plan.alpha),
        )
    return table


def _lifts(report: Report) -> Table:
    kind = "at any time" if report.plan.sequential else "for one look"
    title = f"Lift over {report.control}, {100 * (1 - report.clicks[0].alpha):.4g} % intervals that hold {kind}"
    table = Table("arm", "clicked lists", "p", "users who bought", "p", box=None, pad_edge=False, title=title)
    table.title_justify = "left"
    for clicks, buyers in zip(report.clicks, report.buyers, strict=True):
        table.add_row(clicks.treatment.arm, _lift(clicks), f"{clicks.p:.2g}", _lift(buyers), f"{buyers.p:.2g}")
    return table


def _rules(report: Report) -> Table:
    title = f"The explored place, {report.explored:,} lists: clicks on it under other rules"
    table = Table("rule", "clicks a list", "effective", box=None, pad_edge=False, title=title, title_justify="left")
    for name, values in report.rules.items():
        table.add_row(name, _percent(Interval(*values.robust[:3])), f"{values.robust.effective:,.0f}")
    return table


def _footnotes(out: Console, report: Report) -> None:
    if report.ratio is None:
        out.print("Planned shares are not known (another experiment runs now): the assignment was not checked.")
    elif not report.ratio.broken:
        out.print(f"Assignment as planned (p = {report.ratio.p:.2g}).", style="dim")
    if report.early:
        hours = (report.plan.window_s or 0) / 3600
        out.print(f"{report.early:,} users are left out: their first {hours:g} hours are not over (--window).")
    if report.both:
        out.print(f"{report.both:,} users are left out: they were seen in two arms, since shares were changed.")


def _rate(sample: Sample, alpha: float) -> str:
    """With the interval of one arm by itself, for one look; without one where all users are alike."""
    if sample.users < 2 or not sample.bottom.sum():
        return "-"
    reach = float(norm.ppf(1 - alpha / 2)) * sqrt(sample.variance)
    return _percent(Interval(sample.ratio, max(sample.ratio - reach, 0.0), min(sample.ratio + reach, 1.0)))


def _percent(interval: Interval, sign: str = "") -> str:
    """Short enough for two of them on a line of 80 characters."""
    if not isfinite(interval.value):
        return "-"
    digits = 1 if sign or interval.value >= 0.1 else 2
    value, lower, upper = (f"{100 * each:{sign}.{digits}f}" for each in interval)
    return f"{value}% ({lower}..{upper})" if lower != upper else f"{value}%"


def _lift(compared: Comparison) -> str:
    """Without an interval where the control's rate may be zero, so that any lift is possible."""
    if isfinite(compared.lift.upper):
        return _percent(compared.lift, "+")
    return f"{compared.lift.value:+.1%} (anything)" if isfinite(compared.lift.value) else "-"
