"""`cuatro send`: a person's file of transactions or labels -> the suite, with what is wrong told line by line."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from local.cli.console import err, out
from local.cli.options import StateDir, TargetName
from local.platform.errors import PlatformError
from local.platform.process import STATE

if TYPE_CHECKING:
    from local.feed.rows import Row

PROBLEMS_SHOWN = 20

File = Annotated[str, typer.Argument(metavar="FILE|-", help="JSON Lines, CSV or Parquet; - reads standard input.")]
app = typer.Typer(no_args_is_help=True, help="Send transactions to the stream, or fraud labels to the API.")


@app.command()
def transactions(  # noqa: PLR0913, PLR0917 - one parameter for each option of the command
    file: File,
    currency: Annotated[str, typer.Option(help="Of rows that name none.")] = "EUR",
    to_now: Annotated[
        bool, typer.Option("--to-now", help="Move all times by whole weeks, so that the last one is this week.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Send nothing if any line is bad; tell which.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check every line, send nothing.")] = False,
    target: TargetName = None,
    state: StateDir = STATE,
) -> None:
    """Put the transactions of a file on the fraud stream, 500 a call.

    Two shapes are understood. Transaction v1, as JSON Lines, or as columns of
    a CSV or Parquet file (amount in minor units, time with zone):

      {"version":1, "transaction_id":"t-1", "card_id":"c-7",
       "terminal_id":"shop-3", "amount":1250, "currency":"EUR",
       "time":"2026-11-23T10:00:00.000Z"}

    Or the columns TRANSACTION_ID, TX_DATETIME (UTC), CUSTOMER_ID,
    TERMINAL_ID, TX_AMOUNT (major units: 12.50).

    A bad line is told with its number and why, and sent all the same: the
    platform rejects it and keeps it with the reason, and `cuatro replay` lets
    you correct it and send it again. With --strict nothing is sent if a line
    is bad. Sending a file twice is safe: what was decided is not decided
    again.
    """
    from local.feed.rows import rows  # noqa: PLC0415 - the command's help need not wait for these
    from local.feed.sending import send  # noqa: PLC0415
    from local.feed.transactions import Feed, feed, judged, moved, weeks_to  # noqa: PLC0415
    from local.platform.client import connect  # noqa: PLC0415

    now = datetime.now(UTC)
    with _readable():
        feeds: Iterator[Feed] = (feed(row, currency) for row in rows(file))
        if to_now or strict:  # both must have seen the last line before the first one leaves
            kept = list(feeds)
            feeds = iter(kept if not to_now else moved(kept, weeks_to(now, kept)))
        feeds = (judged(item, now) for item in feeds)
        if strict:
            checked = list(feeds)
            bad = [(item.number, item.problem) for item in checked if item.problem is not None]
            if bad:
                _tell_problems(bad)
                err.print(f"[bold red]Nothing was sent:[/] {len(bad):,} of {len(checked):,} lines are bad.")
                raise typer.Exit(1)
            feeds = iter(checked)
        connection = None if dry_run else connect(target, state)
        with _counted("transactions") as count:
            sent, bad = send(connection, feeds, count)
    _tell_problems(bad)
    out.print(f"[green]{sent:,} transactions {'checked' if dry_run else 'sent'}[/], {len(bad):,} of them bad.")
    if bad and not dry_run:
        out.print("Next: [bold]cuatro replay --dry-run[/] shows what was rejected and why.")
    elif not dry_run:
        out.print("Next: [bold]cuatro logs fraud score[/] shows them decided.")


@app.command()
def labels(file: File, target: TargetName = None, state: StateDir = STATE) -> None:
    """Post what became known of past transactions: fraud or not, since when.

    Two shapes are understood. Label v1, as JSON Lines, or as columns of a CSV
    or Parquet file (source: chargeback, analyst or customer):

      {"version":1, "transaction_id":"t-1", "fraud":true,
       "time":"2026-11-23T10:00:00.000Z", "source":"chargeback"}

    Or the columns TRANSACTION_ID, TX_FRAUD, LABEL_TIME; rows without a
    LABEL_TIME say nothing and are passed over.

    Labels that the API refuses are told with their line and why; the others
    are in effect. Posting a label twice is safe.
    """
    from local.feed import labels as posting  # noqa: PLC0415 - the command's help need not wait for these
    from local.feed.api import Api  # noqa: PLC0415
    from local.feed.batch import batched  # noqa: PLC0415
    from local.feed.rows import rows  # noqa: PLC0415
    from local.platform.client import connect  # noqa: PLC0415

    connection = connect(target, state)
    api = Api(connection, connection.outputs()["ApiUrl"])
    taken, silent = 0, 0
    bad: list[tuple[int, str]] = []

    def readable(found: "Iterator[Row]") -> Iterator[tuple[int, dict[str, object]]]:
        nonlocal silent
        for row in found:
            try:
                label = posting.label(row)
            except posting.LabelError as error:
                bad.append((row.number, str(error)))
                continue
            if label is None:
                silent += 1
            else:
                yield row.number, label

    with _readable(), _counted("labels") as count:
        for batch in batched(readable(rows(file)), posting.LABELS_A_CALL):
            ok, refused = posting.post(api, batch)
            taken += ok
            bad += refused
            count(len(batch))
    _tell_problems(bad)
    out.print(f"[green]{taken:,} labels posted[/], {len(bad):,} refused, {silent:,} rows without a label passed over.")
    if bad:
        raise typer.Exit(1)


@contextmanager
def _readable() -> Iterator[None]:
    from local.feed.rows import UnreadableError  # noqa: PLC0415

    try:
        yield
    except UnreadableError as error:
        raise PlatformError(str(error), "Give a JSON Lines, CSV or Parquet file, or - for standard input.") from error


@contextmanager
def _counted(what: str) -> Iterator[Callable[[int], None]]:
    """A line that counts up while a file is read; nothing in a log, where the result is enough."""
    columns = (SpinnerColumn(), TextColumn("{task.completed:,.0f} {task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task(what, total=None)
        yield lambda more: progress.advance(task, more)


def _tell_problems(bad: list[tuple[int, str]]) -> None:
    for number, problem in bad[:PROBLEMS_SHOWN]:
        err.print(f"[yellow]line {number}:[/] {escape(problem)}", soft_wrap=True)
    if len(bad) > PROBLEMS_SHOWN:
        err.print(f"... and {len(bad) - PROBLEMS_SHOWN:,} more.")
