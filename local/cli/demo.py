"""`cuatro demo`: an empty machine -> a running, deployed suite that decides about transactions before your eyes."""

import os
import shutil
import signal
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.markup import escape

from local.cli.console import out, steps
from local.cli.options import StateDir, TargetName
from local.platform.account import PORT
from local.platform.errors import PlatformError
from local.platform.process import STATE, running, start

if TYPE_CHECKING:
    from local.demo.story import Story
    from local.platform.client import Connection, Target

SHAPES = "`cuatro send transactions --help` shows what a file of transactions looks like."
SIMULATED, FROM_FILE = 3000, 3000
NEXT = (
    ("cuatro demo fraud --transactions FILE", "your own: CSV, Parquet, JSON Lines"),
    ("cuatro demo fraud --seed 12", "other cards, shops and thieves"),
    ("cuatro demo retrain", "thieves change, the model follows"),
    ("cuatro demo recommendations", "lists get better, also by a retraining"),
    ("cuatro demo sentiment", "a brand on five networks, and a crisis"),
    ("cuatro demo imaging --images DIR", "your chest radiographs, read and reviewed"),
    ("cuatro logs fraud --follow", "what the functions say"),
    ("cuatro send transactions FILE", "feed the stream without the show"),
    ("python -m models.fraud.train --help", "your data; `cuatro up` deploys it"),
    ("make bench", "speed, against what everybody writes"),
    ("cuatro down", "end the platform"),
)


def demo(  # noqa: PLR0913, PLR0917 - one parameter for each option of the command
    what: Annotated[
        Literal["all", "fraud", "retrain", "recommendations", "sentiment", "imaging"],
        typer.Argument(
            help="All pipelines in short, one of them in full, or how fraud retrains itself when thieves change."
        ),
    ] = "all",
    transactions: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Fraud plays these instead of simulated ones (as `cuatro send transactions`)."
        ),
    ] = None,
    count: Annotated[
        int | None,
        typer.Option(
            min=0, help=f"How many: {SIMULATED:,} simulated, or a file's first {FROM_FILE:,}; 0 = all of a file."
        ),
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Imaging reads these pictures (PNG, JPEG, TIFF) as chests of synthetic children."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the simulated world.")] = 11,
    live: Annotated[int, typer.Option(min=0, help="How many of them come one by one, at the end.")] = 150,
    target: TargetName = None,
    state: StateDir = STATE,
) -> None:
    """Show the pipelines at work, from nothing: start, deploy, stream, tell.

    fraud plays some weeks of card transactions that end now: through Kinesis
    in order of time, with fraud labels posted when they would have become
    known. Then it tells what was approved, sent to review and declined, the
    alerts with their reasons, the quality against the labels (where there are
    any) and the time from event to decision. A file's transactions are moved
    by whole weeks to end now. retrain plays a world whose thieves change
    their ways: drift alarm, retraining, gate, roll-out.

    recommendations plays people with tastes in a simulated shop, of whom
    nothing is known at first: how good their lists are, interaction by
    interaction; then new things, other tastes, and a retraining.

    sentiment watches an invented brand on five networks of this machine, in
    six languages: a quiet day, a crisis, the alarm, a correction.

    imaging sends studies of synthetic patients as a hospital does, shows what
    is left of their identity, the model's readings, what waits for a person,
    and the report that goes back. For research use only.

    Every run puts its own prefix before all ids: run it as often as you like,
    runs do not mix. Ctrl-C is safe: what the demo made for itself is removed,
    the platform stays.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ended by a program: tidy up just as after Ctrl-C
    try:
        run = f"d{int(time.time()):x}"  # short, and new every second
        if what == "all":
            what = "fraud" if transactions else "imaging" if images else "all"
        told = _story(transactions, count, seed, run) if what in {"all", "fraud"} else None
        connection = _ready(target, state)
        if what == "retrain":
            _retrain(seed, run, connection)
            return
        if told:
            out.rule("[bold]Cuatro, fraud[/]", align="left")
            from local.demo.run import Pace, play  # noqa: PLC0415 - the command's help need not wait for it

            play(out, connection, told, run, Pace(live))
        if what in {"all", "recommendations"}:
            _recommend(run, connection, retrain=what == "recommendations")
        if what in {"all", "sentiment"}:
            _listen(run, connection, seed)
        if what in {"all", "imaging"}:
            _look(run, connection, seed, images, state)
    except KeyboardInterrupt:
        out.print("\nStopped. The platform stays up: [bold]cuatro demo[/] plays again, [bold]cuatro down[/] ends it.")
        raise typer.Exit(130) from None
    _try_next()


def _recommend(run: str, connection: "Connection", *, retrain: bool) -> None:
    from local.demo.recommendations.play import play  # noqa: PLC0415 - the command's help need not wait for it

    out.rule("[bold]Cuatro, recommendations[/]", align="left")
    play(out, connection, run, datetime.now(UTC), retrain=retrain)


def _listen(run: str, connection: "Connection", seed: int) -> None:
    from local.demo.sentiment.play import play  # noqa: PLC0415 - the command's help need not wait for it

    out.rule("[bold]Cuatro, sentiment[/]", align="left")
    play(out, connection, run, seed, datetime.now(UTC))


def _look(run: str, connection: "Connection", seed: int, images: Path | None, state: Path) -> None:
    from local.demo.imaging.cases import cases, of_folder  # noqa: PLC0415 - the command's help need not wait for these
    from local.demo.imaging.play import play  # noqa: PLC0415

    now = datetime.now(UTC)
    out.rule("[bold]Cuatro, imaging[/]", align="left")
    play(out, connection, list(of_folder(images, run, now) if images else cases(run, seed, now)), state, run)


def _retrain(seed: int, run: str, connection: "Connection") -> None:
    from local.demo.retraining import play  # noqa: PLC0415 - the command's help need not wait for it

    play(out, connection, seed, run, datetime.now(UTC))
    out.print("Next: [bold]cuatro models[/] lists the versions, [bold]cuatro rollback[/] goes back to the one before.")


def _ready(target: "Target | None", state: Path) -> "Connection":
    """A connection to a deployed suite; the local platform is started and deployed to where it has to be."""
    if target == "aws" or os.environ.get("AWS_ENDPOINT_URL"):
        from local.platform.client import connect  # noqa: PLC0415 - boto3 takes long to import

        return connect(target, state)
    with steps() as tell:
        tell("Looking at the platform", None)
        platform = running(state)
        if not platform:
            tell("Starting the platform", None)
            platform = start(state, PORT)
        from local.platform import deployment  # noqa: PLC0415 - imports boto3
        from local.platform.client import connect  # noqa: PLC0415

        deployment.deploy(platform, tell)
    return connect("local", state)


def _story(transactions: str | None, count: int | None, seed: int, run: str) -> "Story":
    from local.demo import story  # noqa: PLC0415 - the command's help need not wait for these
    from local.feed.rows import UnreadableError  # noqa: PLC0415

    now = datetime.now(UTC)
    if not transactions:
        return story.simulated(SIMULATED if count is None else max(count, 1), seed, run, now)
    try:
        told = story.from_file(transactions, FROM_FILE if count is None else count, run, now)
    except UnreadableError as error:
        raise PlatformError(str(error), SHAPES) from error
    if not told.feeds:
        raise PlatformError(f"{transactions} holds no transactions.", SHAPES)
    return told


def _try_next() -> None:
    out.print("[bold]Try next[/]")
    width = max(len(command) for command, _ in NEXT)
    for command, what in NEXT:
        out.print(f"  [bold]{escape(command):{width}}[/]  {what}")
    if not shutil.which("cuatro"):
        out.print("cuatro is in .venv/bin: [bold]source .venv/bin/activate[/] puts it on your path.")
