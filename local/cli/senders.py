"""`cuatro sender`: which hospitals' programs may send studies, and where their results go -> the senders' secret."""

import re
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from local.cli.console import out
from local.cli.options import StateDir, TargetName
from local.platform.errors import PlatformError
from local.platform.process import STATE

Name = Annotated[str, typer.Argument(help="Lower case letters, digits and -.")]
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z")
app = typer.Typer(no_args_is_help=True, help="Say who may send studies to the imaging pipeline.")


@app.command()
def add(  # noqa: PLR0913, PLR0917 - a parameter is an option of the command
    name: Name,
    destination: Annotated[
        str, typer.Option(help="DICOMweb root that takes results: https://pacs.example/dicom-web")
    ] = "",
    header: Annotated[str, typer.Option(help='Sent there with each result: "Authorization: Bearer ..."')] = "",
    issuer: Annotated[str, typer.Option(help="Within what its patients' ids count. Default: NAME.")] = "",
    target: TargetName = None,
    state: StateDir = STATE,
) -> None:
    """Let a program send studies, and print its token: once, since only the token's hash is kept.

      cuatro sender add north-clinic --destination https://pacs.example/dicom-web

    The program sends to the stack's ApiUrl with "Authorization: Bearer <token>", or by
    HTTP Basic with NAME as the user. Done again for the same name, the old token is good no more.
    """
    from local.feed import senders  # noqa: PLC0415 - boto3 takes long to import
    from local.platform.client import connect  # noqa: PLC0415

    if not _SLUG.match(name) or len(name) > 63:
        raise PlatformError(f"{name!r} is no name of a sender.", "Take lower case letters, digits and -.")
    connection = connect(target, state)
    token = senders.add(connection, name, destination=destination, header=header, issuer=issuer)
    if connection.target == "local":
        senders.keep(state, name, token)
    out.print(f"[green]{name}[/] may send from now on. Its token, which is shown this once:")
    out.print(token, soft_wrap=True)


@app.command("list")
def list_(target: TargetName = None, state: StateDir = STATE) -> None:
    """Show who may send, and where their results go."""
    from local.feed import senders  # noqa: PLC0415 - as above
    from local.platform.client import connect  # noqa: PLC0415

    found = senders.listed(connect(target, state))
    if not found:
        out.print("Nobody may send yet. [bold]Next:[/] `cuatro sender add north-clinic`")
        return
    table = Table("sender", "results go to", "issuer of its patients' ids")
    for name, each in sorted(found.items()):
        table.add_row(
            name, escape(each["destination"]) or "[dim]nowhere: they are fetched[/]", escape(each["issuer"] or name)
        )
    out.print(table)


@app.command()
def remove(name: Name, target: TargetName = None, state: StateDir = STATE) -> None:
    """Take nothing more of a sender, within minutes. What it sent stays."""
    from local.feed import senders  # noqa: PLC0415 - as above
    from local.platform.client import connect  # noqa: PLC0415

    if not senders.remove(connect(target, state), name):
        raise PlatformError(f"There is no sender {name}.", "`cuatro sender list` shows them.")
    out.print(f"[green]{name}[/] may send no more.")
