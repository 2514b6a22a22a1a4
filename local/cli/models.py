"""`cuatro models`, `retrain`, `rollback`, `drift`: which model decides, how it came there, and how to change that."""

import getpass
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.markup import escape
from rich.table import Table

from local.cli.console import out
from local.cli.options import StateDir, TargetName
from local.lifecycle.screen import MARKS, figure, plain, show_drift, show_execution
from local.platform.errors import PlatformError
from local.platform.process import STATE

if TYPE_CHECKING:
    from pathlib import Path

    from local.lifecycle.control import Control
    from local.platform.client import Target

PipelineName = Annotated[Literal["fraud", "recommendations", "sentiment"], typer.Argument(help="Which pipeline.")]
DriftingPipeline = Annotated[Literal["fraud"], typer.Argument(help="Which pipeline.")]
STYLES = {"Production": "bold green", "Shadow": "cyan", "Canary": "cyan", "RolledBack": "red", "Retired": "dim"}
EXECUTIONS = 5


def models(  # noqa: PLR0913, PLR0917 - a parameter is an option of the command
    pipeline: PipelineName = "fraud",
    approve: Annotated[int | None, typer.Option(metavar="NUMBER", help="Approve a version: it is rolled out.")] = None,
    reject: Annotated[int | None, typer.Option(metavar="NUMBER", help="Reject a version: it never goes live.")] = None,
    why: Annotated[str, typer.Option(help="Stored with the approval or rejection.")] = "",
    target: TargetName = None,
    state: StateDir = STATE,
) -> None:
    """List the versions of a model: figures, approval, where each stands. Approve or reject one by hand.

    Every retraining that passes the gate adds a version. Which of them need a
    person's approval is a setting (Retraining.approval in cdk/config.py).
    """
    from local.lifecycle.versions import METRICS, decide, versions  # noqa: PLC0415 - boto3 takes long to import

    if approve is not None and reject is not None:
        raise PlatformError("A version is approved or rejected, not both.", "Give one of --approve and --reject.")
    control = _control(pipeline, target, state)
    number = approve if approve is not None else reject
    if number is not None:
        approved = approve is not None
        decide(control, number, approved=approved, why=why or f"by {getpass.getuser()}")
        out.print(f"Version {number} is {'approved: its roll-out begins' if approved else 'rejected'}.\n")
    found = versions(control)
    metric = METRICS.get(next((each.metric for each in found if each.metric), ""))
    heading = metric.short if metric else "figure"
    table = Table("", "version", "approval", "stage", heading, "gain", "trained", box=None, pad_edge=False)
    for each in found:
        table.add_row(
            str(each.number or "-"),
            each.name,
            each.approval,
            f"[{STYLES.get(each.stage, '')}]{each.stage}[/]" if each.stage in STYLES else each.stage,
            figure(each.figure),
            figure(each.gain, "+.3f"),
            f"{each.created:%Y-%m-%d %H:%M}" if each.created else "",
        )
    out.print(table)
    for each in found:
        told = "; ".join(text for text in (plain(each.reason), each.note) if text)
        out.print(f"  {each.number or '-'}: {escape(told)}", soft_wrap=True)
    _executions(control)
    if metric:
        told = f"{metric.short}: {metric.words} on the gate's latest window"
        out.print(f"\n{told}; gain: over the model that was live then.")
    out.print(
        f"Next: [bold]cuatro retrain {pipeline}[/] trains a new one, [bold]cuatro rollback {pipeline}[/] goes back to "
        "the last."
    )


def retrain(  # noqa: PLR0913, PLR0917 - a parameter is an option of the command
    pipeline: PipelineName = "fraud",
    reason: Annotated[str, typer.Option(help="Stored with the model that comes of it.")] = "",
    parameter: Annotated[
        list[str] | None,
        typer.Option("--parameter", "-p", metavar="NAME=VALUE", help="Of the pipeline, such as TrainDays=14."),
    ] = None,
    follow: Annotated[bool, typer.Option(help="Show the steps until it has ended; --no-follow only starts it.")] = True,
    target: TargetName = None,
    state: StateDir = STATE,
) -> None:
    """Train a challenger on the lake's latest data; the gate decides whether it becomes a version.

    Build the training set, train, evaluate champion and challenger on the same
    latest window, gate, register. An approved version is rolled out by itself:
    shadow, 10 %, 50 %, 100 %. One retraining runs at a time.
    """
    parameters = dict(_parameter(text) for text in parameter or ())
    control = _control(pipeline, target, state)
    answer = control.retrain(reason or f"by {getpass.getuser()}", parameters)
    arn = answer["execution_arn"]
    if not answer["started"]:
        out.print(f"[yellow]Not started:[/] {escape(answer['why'])}")
        if not follow:
            raise typer.Exit(1)
    if not follow:
        out.print(f"Started: {arn}\nNext: [bold]cuatro models {pipeline}[/] shows what came of it.", soft_wrap=True)
        return
    if not show_execution(out, control, arn):
        raise typer.Exit(1)
    out.print(f"Next: [bold]cuatro models {pipeline}[/] follows the roll-out.")


def rollback(
    pipeline: PipelineName = "fraud",
    reason: Annotated[str, typer.Option(help="Stored with the version that is taken back.")] = "",
    target: TargetName = None,
    state: StateDir = STATE,
) -> None:
    """Put the previous model back at once: it ends a roll-out that runs, or takes back the last one that ended."""
    answer = _control(pipeline, target, state).roll_back(reason or f"by {getpass.getuser()}")
    out.print(f"[green]{escape(str(answer.get('summary') or answer))}[/]")
    out.print(f"Next: [bold]cuatro models {pipeline}[/] shows which version decides.")


def drift(
    pipeline: DriftingPipeline = "fraud",
    as_of: Annotated[str | None, typer.Option(metavar="TIME", help="RFC 3339; default: now.")] = None,
    target: TargetName = None,
    state: StateDir = STATE,
) -> None:
    """Compare what is decided now with what the live model was trained on; also feeds the alarms.

    Input: the population stability index (PSI) of each feature; 0.1 is a small
    shift, 0.25 a large one. Score: the same for the scores. Performance: average
    precision on decisions whose labels have come, against the evaluation's.
    """
    control = _control(pipeline, target, state)
    show_drift(out, control.drift(as_of))
    out.print(f"Next: an alarm starts a retraining by itself; [bold]cuatro retrain {pipeline}[/] does it now.")


def _executions(control: "Control") -> None:
    found = control.executions(EXECUTIONS)
    if not found:
        return
    out.print("\nLatest retrainings")
    for each in found:
        told = control.why(each) if each.status == "Failed" else each.parameters.get("Reason", "")
        mark = MARKS.get(each.status, each.status)
        out.print(f"  {each.started:%Y-%m-%d %H:%M}  {mark}  {escape(plain(told))}", soft_wrap=True)


def _parameter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise PlatformError(f"{text!r} is no parameter.", "Give NAME=VALUE, such as --parameter TrainDays=14.")
    return name, value


def _control(pipeline: str, target: "Target | None", state: "Path") -> "Control":
    from local.lifecycle.control import Control  # noqa: PLC0415 - boto3 takes long to import
    from local.platform.client import connect  # noqa: PLC0415

    return Control(connect(target, state), pipeline)
