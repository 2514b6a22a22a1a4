"""`cuatro experiment`: does an arm of the running experiment make better lists, and how sure is that?"""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from local.cli.console import err, out, steps
from local.cli.options import StateDir, TargetName
from local.platform.errors import PlatformError
from local.platform.pipelines import STACKS
from local.platform.process import STATE

if TYPE_CHECKING:
    from functions.recommendations.experiment import Experiment
    from local.experiments.lake import Lake
    from local.platform.client import Connection


HOURS = 24.0
BEGIN = "Name arms in RecommendationPolicy.experiment (cdk/config.py) and deploy; lists reach the lake within minutes."


def experiment(  # noqa: PLR0913, PLR0917 - a parameter is an option of the command
    name: Annotated[str | None, typer.Argument(help="Default: the one that runs.")] = None,
    sequential: Annotated[
        bool, typer.Option("--sequential", help="Intervals that hold however often you look; somewhat wider.")
    ] = False,
    detect: Annotated[float, typer.Option(min=0.001, help="Relative lift that must not be missed.")] = 0.1,
    alpha: Annotated[float, typer.Option(min=0.0001, max=0.5, help="Error rate.")] = 0.05,
    planned: Annotated[int, typer.Option(min=10, help="Sequential: users at which it shall be sharpest.")] = 10_000,
    window: Annotated[
        float | None,
        typer.Option(min=0, help=f"Hours since a user's first list that count. Default: all; sequential: {HOURS:g}."),
    ] = None,
    control: Annotated[str | None, typer.Option(help="Arm to compare with. Default: the hold-out.")] = None,
    days: Annotated[float, typer.Option(min=0, help="How far back the lake is read.")] = 30,
    target: TargetName = None,
    state: StateDir = STATE,
) -> None:
    """Compare an experiment's arms by user: clicked lists, purchases, lift with intervals, verdict.

    One look at the end (default): Welch's test over users, valid once, when the
    number of users is there that finds --detect four times in five. Any number
    of looks (--sequential): an asymptotic confidence sequence.

    First the assignment is checked: arms with other shares of the users than
    planned cannot be compared. Where lists left a place to chance, the log tells
    what other rules for that place would have earned.
    """
    from local.experiments.lake import Lake, days_ago  # noqa: PLC0415 - these take long to import
    from local.experiments.report import Plan, report  # noqa: PLC0415
    from local.experiments.screen import show  # noqa: PLC0415
    from local.experiments.shown import shown  # noqa: PLC0415
    from local.platform.client import connect  # noqa: PLC0415

    connection = connect(target, state)
    outputs = connection.outputs(STACKS["recommendations"])
    running = _running(connection, outputs["ApiFunction"])
    lake = Lake(connection.client("s3"), outputs["LakeBucket"])
    wanted = name or running.name
    since = days_ago(days)
    with steps() as tell:
        tell("Reading the lake", None)
        lists = list(shown(lake, wanted, since).values())
    if lake.damaged:
        err.print(f"[yellow]{lake.damaged:,} lines or files of the lake could not be read and are left out.[/]")
    if not lists:
        raise _nothing(lake, wanted, days)
    hours = window if window is not None else HOURS if sequential else None
    plan = Plan(sequential, alpha, detect, planned, None if hours is None else hours * 3600, control)
    try:
        found = report(wanted, lists, running if wanted == running.name else None, plan, time.time())
    except ValueError as error:
        raise PlatformError(f"{wanted}: {error}.", "`cuatro experiment --help` names the options.") from error
    show(out, found)


def _running(connection: "Connection", function: str) -> "Experiment":
    """As the deployed API has it."""
    from functions.recommendations.policy import Policy  # noqa: PLC0415

    settings = connection.client("lambda").get_function_configuration(FunctionName=function)
    return Policy.from_json(settings["Environment"]["Variables"]["POLICY"]).experiment


def _nothing(lake: "Lake", wanted: str, days: float) -> PlatformError:
    from local.experiments.lake import days_ago  # noqa: PLC0415
    from local.experiments.shown import experiments  # noqa: PLC0415

    there = experiments(lake, days_ago(days))
    if not there:
        return PlatformError(f"No list of the last {days:g} days is in the lake.", BEGIN)
    names = ", ".join(f"{name} ({count:,} lists)" for name, count in sorted(there.items()))
    return PlatformError(f"The lake has no list of an experiment {wanted}, but of: {names}.", BEGIN)
