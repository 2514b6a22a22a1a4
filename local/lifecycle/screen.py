"""Retrainings, drift and figures -> the terminal, the same from the commands and the demo."""

import re
from typing import Any

from rich.console import Console
from rich.markup import escape

from local.lifecycle.control import Control

PATIENCE_S = {"local": 900.0, "aws": 4 * 3600.0}
MARKS = {"Succeeded": "[green]done[/]", "Failed": "[red]failed[/]", "Stopped": "[yellow]stopped[/]"}

# <stack>-<path in the template><8 hex digits>-<random>
_ALARM = re.compile(r"\S*?-(?:Retraining)?([A-Za-z]+?)[0-9A-F]{8}-[0-9A-Z]+")


def figure(value: float | None, form: str = ".3f") -> str:
    """Empty where there is none."""
    return "" if value is None else format(value, form)


def plain(reason: str) -> str:
    """A reason as people say it: of an alarm, what it is called in the template, without the threshold's numbers."""
    return _ALARM.sub(r"\1", reason).partition(": Threshold Crossed")[0]


def show_execution(console: Console, control: Control, arn: str) -> bool:
    """Print the steps as they go and how it ended; whether it succeeded."""
    for step in control.watch(arn, PATIENCE_S[control.connection.target]):
        if step.status in MARKS:
            took = f"{step.took:.0f} s" if step.took is not None else ""
            console.print(f"  {step.name:18} {MARKS[step.status]:>6} {took}")
    ended = control.execution(arn)
    if ended.status == "Succeeded":
        return True
    console.print(f"[red]{ended.status}.[/] {escape(control.why(ended))}", soft_wrap=True)
    return False


def show_drift(console: Console, report: dict[str, Any]) -> None:
    """Print the report's figures."""
    rows, frauds, live = report.get("rows", 0), report.get("frauds", 0), report.get("model_version", "")
    console.print(f"{rows:,} decisions of the window, {frauds:,} known frauds; live model {live}")
    worst = sorted(report.get("feature_psi", {}).items(), key=lambda item: -item[1])[:3]
    console.print(f"  input        PSI at most {report.get('input_psi_max', 0):.3f}: " + _named(worst))
    console.print(f"  score        PSI {figure(report.get('score_psi'))}")
    ratio = report.get("performance_ratio")
    console.print(
        f"  performance  average precision {figure(report.get('average_precision'))}, "
        + (f"{ratio:.0%} of the evaluation's" if ratio is not None else "too few labels to tell")
    )


def _named(values: list[tuple[str, float]]) -> str:
    return ", ".join(f"{name} {value:.3f}" for name, value in values) or "-"
