"""`cuatro audit`: who did what to which object, and whether the ledger that says so is what was written."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from local.cli.console import out
from local.cli.options import StateDir, TargetName
from local.platform.client import Target
from local.platform.errors import PlatformError
from local.platform.process import STATE

if TYPE_CHECKING:
    from local.audit.ledger import Ledger

app = typer.Typer(no_args_is_help=True, help="Show and check what was done to patients' data.")
_COLOURS = {"success": "green", "denied": "red", "failed": "yellow"}


@app.command()
def verify(target: TargetName = None, directory: StateDir = STATE) -> None:
    """Check the ledger: every entry's hash, the chain, and the anchors.

    Ends with status 1 where an entry was changed, removed, added or moved,
    or where the chain is not what the locked bucket holds.
    """
    found = _ledger(target, directory).verified()
    if not found.intact:
        raise PlatformError(
            str(found), "Keep the table and the bucket as they are, and compare them: docs/imaging.md, the ledger."
        )
    out.print(f"[green]{found}[/]")


@app.command()
def show(
    about: Annotated[str, typer.Option("--object", help="A patient's, study's or instance's pseudonym.")] = "",
    actor: Annotated[str, typer.Option(help="function:infer, sender:north, or a reviewer.")] = "",
    limit: Annotated[int, typer.Option(help="So many of the newest.", min=1)] = 50,
    target: TargetName = None,
    directory: StateDir = STATE,
) -> None:
    """Show what was done, to which object and by whom; the newest last."""
    entries = list(_ledger(target, directory).entries(about, actor))
    if not entries:
        out.print("Nothing was recorded.")
        return
    table = Table("entry", "time", "actor", "action", "object", "outcome", "details")
    for each in entries[-limit:]:
        details = " ".join(f"{name}={value}" for name, value in each.details.items())
        outcome = f"[{_COLOURS.get(each.outcome, 'dim')}]{each.outcome}[/]"
        words = (str(each.seq), each.time, each.actor, each.action, each.object)
        table.add_row(*map(escape, words), outcome, escape(details))
    out.print(table)
    if len(entries) > limit:
        out.print(f"{len(entries) - limit:,} older ones: --limit.")


def _ledger(target: Target | None, directory: "StateDir") -> "Ledger":
    from local.audit.ledger import Ledger  # noqa: PLC0415 - boto3 takes long to import
    from local.platform.client import connect  # noqa: PLC0415

    return Ledger(connect(target, directory))
