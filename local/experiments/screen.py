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
        table.add_row(name, _shares(values.robust), f"{values.robust.effective:,.0f}")
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
    """With the interval of one arm by itself, for one look."""
    if sample.users < 2 or not sample.bottom.sum():
        return "-"
    reach = float(norm.ppf(1 - alpha / 2)) * sqrt(sample.variance)
    return _shares(Interval(sample.ratio, max(sample.ratio - reach, 0.0), min(sample.ratio + reach, 1.0)))


def _shares(interval: Interval | tuple[float, ...]) -> str:
    value, lower, upper = interval[:3]
    return f"{value:.2%} ({lower:.2%} .. {upper:.2%})" if isfinite(value) else "-"


def _lift(compared: Comparison) -> str:
    value, lower, upper = compared.lift
    if not isfinite(upper):
        return f"{value:+.1%} (anything)" if isfinite(value) else "-"
    return f"{value:+.1%} ({lower:+.1%} .. {upper:+.1%})"
