"""`cuatro personalize FILE`: the deployed suite's Amazon Personalize gets data, a trained version and a campaign."""

from pathlib import Path
from typing import Annotated

import typer

from local.cli.console import out, steps
from local.cli.options import StateDir, TargetName
from local.platform.errors import PlatformError
from local.platform.process import STATE


def personalize(
    interactions: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="Interactions: JSON Lines, Parquet, CSV, TSV.")
    ] = None,
    catalogue: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The items, as `cuatro catalog import`.")
    ] = None,
    remove: Annotated[bool, typer.Option(help="Delete the campaign and the tracker, which the stack cannot.")] = False,
    target: TargetName = None,
    state: StateDir = STATE,
) -> None:
    """Import data into Amazon Personalize, train, and let its campaign answer.

    For a suite that was deployed with `-c ranking=personalize`. Run it again to
    bring the data up to date and to retrain: lists go on meanwhile. On AWS this
    takes from half an hour to some hours, and the campaign costs money from then on.
    """
    from local.managed.recommender import Managed  # noqa: PLC0415 - boto3 takes long to import
    from local.platform.client import connect  # noqa: PLC0415

    if remove == (interactions is not None):
        raise PlatformError("A file is imported, or all is removed.", "Give either FILE or --remove.")
    connection = connect(target, state)
    with steps() as tell:
        if interactions is None:
            Managed(connection, tell).remove()
            return
        made = Managed(connection, tell).make(interactions, catalogue)
    counts = ", ".join(f"{count:,} {kind.lower()}" for kind, count in made.rows.items())
    figures = ", ".join(f"{name} {value:.3f}" for name, value in sorted(made.metrics.items()))
    out.print(f"\nImported {counts}.\n[bold]{made.campaign}[/] answers with {made.version.rpartition('/')[2]}.")
    out.print(f"Measured by Personalize: {figures}", style="dim")
