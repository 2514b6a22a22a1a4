"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from local.platform.client import Target

StateDir = Annotated[
    Path,
    typer.Option("--state", help="Directory of the local platform's files; CUATRO_STATE sets it for all commands."),
]
TargetName = Annotated[
    Target | None,
    typer.Option("--target", "-t", help="Where the suite runs. Default: the platform that runs here, else AWS."),
]
