"""`cuatro catalog`: a file of items -> the catalogue that lists are checked against; one item, as it is there."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from local.cli.console import err, out
from local.cli.lines import counted, readable, tell_problems
from local.cli.options import StateDir, TargetName
from local.platform.errors import PlatformError
from local.platform.pipelines import STACKS
from local.platform.process import STATE

if TYPE_CHECKING:
    from local.feed.catalogue import Item
    from local.feed.rows import Row

File = Annotated[str, typer.Argument(metavar="FILE|-", help="JSON Lines, CSV or Parquet; - reads standard input.")]
app = typer.Typer(no_args_is_help=True, help="Fill the catalogue of items, or look into it.")


@app.command("import")
def import_(
    file: File,
    strict: Annotated[bool, typer.Option("--strict", help="Import nothing if any line is bad; tell which.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check every line, import nothing.")] = False,
    target: TargetName = None,
    state: StateDir = STATE,
) -> None:
    """Put the items of a file into the catalogue; an item that is there is replaced.

      {"item_id":"i-3", "title":"Ultralight tent", "category":"camping",
       "tags":["tent","ultralight"], "available":true, "price":303.95,
       "added":"2026-11-10T11:49:18Z", "image_url":"https://...", "url":"..."}

    Only item_id is needed. The same names are columns of a CSV or Parquet file;
    a CSV has bars between tags (tent|ultralight). available is true and added
    is now unless said otherwise: an item that is not available is in no list,
    a new one is tried out. A bad line is told with its number and why, and left
    out. Importing a file twice is safe.
    """
    from local.feed import catalogue  # noqa: PLC0415 - the command's help need not wait for these
    from local.feed.rows import rows  # noqa: PLC0415
    from local.platform.client import connect  # noqa: PLC0415

    now, bad, strange = datetime.now(UTC), [], set()

    def items(found: "Iterator[Row]") -> "Iterator[Item]":
        for row in found:
            try:
                yield catalogue.item(row, now)
            except catalogue.ItemError as error:
                bad.append((row.number, str(error)))
            strange.update(catalogue.unknown(row))

    with readable(), counted("items") as count:
        found = items(rows(file))
        kept = list(found) if strict or dry_run else found
        if isinstance(kept, list) and (dry_run or bad):
            written = len(kept)
        else:
            connection = connect(target, state)
            table = connection.outputs(STACKS["recommendations"])["ItemsTable"]
            written = catalogue.put_items(connection, table, kept, count)
    tell_problems(bad)
    if strange:
        err.print(f"[yellow]Left out, since an item has no such column:[/] {escape(', '.join(sorted(strange)))}")
    if bad and strict:
        err.print(f"[bold red]Nothing was imported:[/] {len(bad):,} of {written + len(bad):,} lines are bad.")
        raise typer.Exit(1)
    out.print(f"[green]{written:,} items {'checked' if dry_run else 'imported'}[/], {len(bad):,} lines bad.")
    if bad:
        raise typer.Exit(1)


@app.command()
def show(
    item: Annotated[str, typer.Argument(help="Its item_id.")], target: TargetName = None, state: StateDir = STATE
) -> None:
    """Show an item as it is in the catalogue, as JSON."""
    from local.feed.catalogue import get_item  # noqa: PLC0415 - the command's help need not wait for these
    from local.platform.client import connect  # noqa: PLC0415

    connection = connect(target, state)
    found = get_item(connection, connection.outputs(STACKS["recommendations"])["ItemsTable"], item)
    if found is None:
        raise PlatformError(f"The catalogue has no item {item}.", "`cuatro catalog import FILE` puts items into it.")
    out.print_json(json.dumps(found, default=float, sort_keys=True, ensure_ascii=False))
