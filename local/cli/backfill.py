"""`cuatro backfill`: a history from before the suite -> its lake and states; retraining need not wait for months."""

from pathlib import Path
from typing import Annotated

import typer

from local.cli.console import out, steps
from local.cli.options import StateDir, TargetName
from local.platform.errors import PlatformError
from local.platform.process import STATE


def backfill(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Parquet: past transactions with their labels.")],
    prefix: Annotated[str, typer.Option(help="Goes before the ids, as the stream will send them.")] = "",
    target: TargetName = None,
    state: StateDir = STATE,
) -> None:
    """Fill the fraud lake with a history, scored by the shipped model; warm up the states of cards and terminals.

    Columns: TRANSACTION_ID, TX_DATETIME (UTC), CUSTOMER_ID, TERMINAL_ID,
    TX_AMOUNT (major units of the policy's base currency), TX_FRAUD and, where
    it is known, LABEL_TIME. Do it before the stream begins: a card or terminal
    that has a state keeps it.
    """
    from local.lifecycle.backfill import fill  # noqa: PLC0415 - pandas and boto3 take long to import
    from local.platform.client import connect  # noqa: PLC0415
    from models.fraud import backfill as replay  # noqa: PLC0415
    from models.fraud.data import read  # noqa: PLC0415

    connection = connect(target, state)
    with steps() as tell:
        tell("Replaying the history", None)
        try:
            filled = replay.backfill(read(file), prefix=prefix)
        except (OSError, ValueError) as error:
            raise PlatformError(f"{file}: {error}", "`cuatro backfill --help` names the columns.") from error
        known = fill(connection, filled, file.stem, tell)
    out.print(
        f"[green]{len(filled.decisions):,} decisions and {len(filled.labels):,} labels are in the lake[/], "
        f"{len(filled.cards):,} cards and {len(filled.terminals):,} terminals are known ({known:,} were before)."
    )
    out.print("Next: [bold]cuatro retrain fraud[/] trains on it.")
