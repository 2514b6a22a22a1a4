"""Options that several commands share."""

from typing import Annotated

import typer

from local.platform.client import Target

TargetName = Annotated[
    Target | None,
    typer.Option("--target", "-t", help="Where the suite runs. Default: the platform that runs here, else AWS."),
]
