"""`cuatro search`: the domain's template and dashboards set up, the posts written to it again."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from local.cli.console import err, out
from local.cli.lines import counted
from local.cli.options import StateDir, TargetName
from local.platform.client import Target
from local.platform.errors import PlatformError
from local.platform.pipelines import STACKS
from local.platform.process import STATE

if TYPE_CHECKING:
    from local.platform.client import Connection
    from local.search.setup import Domain

PROBLEMS_SHOWN = 10
app = typer.Typer(
    no_args_is_help=True, help="Set up and fill the search of posts (deployed with -c search=opensearch)."
)


@app.command()
def setup(
    file: Annotated[
        Path | None, typer.Option("--out", help="Only write the dashboards' saved objects (NDJSON) to this file.")
    ] = None,
    target: TargetName = None,
    state: StateDir = STATE,
) -> None:
    """Put the index template and the dashboards to the search domain; what is there of them is replaced.

    Where the domain has no OpenSearch Dashboards, as on the local platform,
    only the template is put: --out writes the dashboards to a file, which
    Dashboards imports under Management > Saved objects.
    """
    from local.search.dashboards import ndjson, objects  # noqa: PLC0415 - the command's help need not wait for these
    from local.search.setup import NoDashboardsError  # noqa: PLC0415

    saved = objects()
    if file:
        file.write_bytes(ndjson(saved))
        out.print(f"{len(saved)} saved objects written to {file}.", soft_wrap=True)
        return
    _, _, domain = _domain(target, state)
    domain.prepare()
    out.print("[green]The index template is in effect[/] for indices that are made from now on.")
    try:
        out.print(f"[green]{domain.show(ndjson(saved))} saved objects imported[/]: Dashboards > Sentiment of brands.")
    except NoDashboardsError:
        out.print("The domain has no Dashboards; `cuatro search setup --out FILE` writes what one imports.")


@app.command()
def fill(target: TargetName = None, state: StateDir = STATE) -> None:
    """Write every post of the table to the search domain: after it was made anew, or was away for long.

    Safe at any time: a post replaces itself.
    """
    from local.search.setup import rows  # noqa: PLC0415 - as above

    connection, outputs, domain = _domain(target, state)
    domain.prepare()
    sent = 0
    with counted("posts") as count:

        def counting(more: int) -> None:
            nonlocal sent
            sent += more
            count(more)

        bad = domain.fill(rows(connection.client("dynamodb"), outputs["PostsTable"]), counting)
    for key, why in bad[:PROBLEMS_SHOWN]:
        err.print(f"[yellow]{escape(key)}:[/] {escape(why)}", soft_wrap=True)
    out.print(f"[green]{sent:,} posts written[/], {len(bad):,} refused.")
    if bad:
        raise typer.Exit(1)


def _domain(target: Target | None, state: Path) -> "tuple[Connection, dict[str, str], Domain]":
    from local.platform.client import connect  # noqa: PLC0415 - as above
    from local.search.setup import Domain  # noqa: PLC0415

    connection = connect(target, state)
    outputs = connection.outputs(STACKS["sentiment"])
    if "SearchEndpoint" not in outputs:
        raise PlatformError("No search is deployed.", "Deploy it: `cuatro up -c search=opensearch`.")
    return connection, outputs, Domain(connection, outputs["SearchEndpoint"])
