"""`cuatro backfill`: a history from before the suite -> its lake and states; retraining need not wait for months."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from local.cli.console import out, steps
from local.cli.options import StateDir, TargetName
from local.platform.client import Connection
from local.platform.errors import PlatformError
from local.platform.process import STATE


def backfill(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What happened before the suite was there.")],
    pipeline: Annotated[
        Literal["fraud", "recommendations"], typer.Option("--pipeline", "-p", help="Whose history it is.")
    ] = "fraud",
    prefix: Annotated[str, typer.Option(help="Goes before the ids of cards, or users, as the stream has them.")] = "",
    target: TargetName = None,
    state: StateDir = STATE,
) -> None:
    """Fill a pipeline's lake with a history, and the states that it would hold had it seen all of it.

    fraud: Parquet with the columns TRANSACTION_ID, TX_DATETIME (UTC), CUSTOMER_ID,
    TERMINAL_ID, TX_AMOUNT (major units of the policy's base currency), TX_FRAUD and,
    where it is known, LABEL_TIME; scored by the shipped model.

    recommendations: user, item, rating (optional), timestamp by tabs or commas, as
    models.recommendations.train takes it; users get profiles.

    Do it before the stream begins: a card, terminal or user that has a state keeps it.
    """
    from local.platform.client import connect  # noqa: PLC0415 - boto3 takes long to import

    told = (_fraud if pipeline == "fraud" else _recommendations)(connect(target, state), file, prefix)
    out.print(told)
    out.print(f"Next: [bold]cuatro retrain {pipeline}[/] trains on it.")


def _fraud(connection: Connection, file: Path, prefix: str) -> str:
    from local.lifecycle.backfill import fill  # noqa: PLC0415 - pandas takes long to import
    from models.fraud import backfill as replay  # noqa: PLC0415
    from models.fraud.data import read  # noqa: PLC0415

    with steps() as tell:
        tell("Replaying the history", None)
        try:
            filled = replay.backfill(read(file), prefix=prefix)
        except (OSError, ValueError) as error:
            raise _unread(file, error) from error
        known = fill(connection, filled, file.stem, tell)
    return (
        f"[green]{len(filled.decisions):,} decisions and {len(filled.labels):,} labels are in the lake[/], "
        f"{len(filled.cards):,} cards and {len(filled.terminals):,} terminals are known ({known:,} were before)."
    )


def _recommendations(connection: Connection, file: Path, prefix: str) -> str:
    from local.lifecycle.backfill import fill_interactions  # noqa: PLC0415 - pandas takes long to import
    from models.recommendations.backfill import read  # noqa: PLC0415

    with steps() as tell:
        tell("Reading the history", None)
        try:
            table = read(file)
            users, known = fill_interactions(
                connection, table.assign(user_id=prefix + table["user_id"]), file.stem, tell
            )
        except (OSError, ValueError) as error:
            raise _unread(file, error) from error
    return f"[green]{len(table):,} interactions are in the lake[/], {users:,} users are known ({known:,} were before)."


def _unread(file: Path, error: Exception) -> PlatformError:
    return PlatformError(f"{file}: {error}", "`cuatro backfill --help` names the columns.")
