"""`cuatro drop`: a folder of DICOM files -> the drop prefix, as DataSync or Storage Gateway fills it."""

import time
from pathlib import Path
from typing import Annotated

import typer

from local.cli.console import out
from local.cli.options import StateDir, TargetName
from local.platform.errors import PlatformError
from local.platform.pipelines import STACKS
from local.platform.process import STATE

MEMORY = "dropped.json"


def drop(
    folder: Annotated[Path, typer.Argument(help="What the hospital's programs write to, with its folders.")],
    sender: Annotated[str, typer.Option(help="Whose files they are: one of `cuatro sender list`.")] = "demo",
    every: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="Look again so often, until Ctrl-C; 0 looks once.")
    ] = 0,
    target: TargetName = None,
    state: StateDir = STATE,
) -> None:
    """Copy what is new in a folder to the pipeline, as DataSync does from a hospital's file server.

    It stands in for a DataSync agent, or a Storage Gateway, of the hospital: files come without
    STOW-RS, under the names that they have there. What was copied before is not copied again
    unless it has changed. `cuatro studies` shows what became of them.
    """
    from local.feed import drops, senders  # noqa: PLC0415 - the command's help need not wait for these
    from local.platform.client import connect  # noqa: PLC0415

    connection = connect(target, state)
    bucket = connection.outputs(STACKS["imaging"])["IdentifiedBucket"]
    if sender not in senders.listed(connection):  # a folder of nobody's is refused on arrival
        if connection.target != "local":
            raise PlatformError(f"There is no sender {sender}.", "`cuatro sender add` makes one.")
        senders.token_of(connection, sender, state)
    while True:
        found = drops.drop(connection.client("s3"), bucket, sender, folder, state / MEMORY)
        if found.copied or not every:
            before = f", {found.unchanged} were there before" if found.unchanged else ""
            out.print(f"[green]{found.copied} files copied[/]{before}. Next: [bold]cuatro studies[/]")
        if not every:
            return
        time.sleep(every)
