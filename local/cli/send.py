"""`cuatro send`: a person's file of events or labels -> the suite, with what is wrong told line by line."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from local.cli import posts
from local.cli.console import err, out
from local.cli.lines import counted, readable, tell_problems
from local.cli.options import StateDir, TargetName
from local.platform.client import Target
from local.platform.pipelines import STACKS
from local.platform.process import STATE

if TYPE_CHECKING:
    from local.feed.rows import Row

File = Annotated[str, typer.Argument(metavar="FILE|-", help="JSON Lines, CSV or Parquet; - reads standard input.")]
app = typer.Typer(
    no_args_is_help=True,
    help="Send transactions or interactions to their stream, posts or fraud labels to the API.",
)
app.command()(posts.post)
app.command()(posts.posts)


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
    from local.feed.transactions import feed, judged  # noqa: PLC0415

    shape = _Shape("transactions", "fraud", judged, "score")
    with readable():
        _send(shape, (feed(row, currency) for row in rows(file)), _How(to_now, strict, dry_run), target, state)


@app.command()
def interactions(  # noqa: PLR0913, PLR0917 - one parameter for each option of the command
    file: File,
    kind: Annotated[
        str, typer.Option(help="Of rows that name none: view, click, cart, purchase or rating. Default: see below.")
    ] = "",
    to_now: Annotated[
        bool, typer.Option("--to-now", help="Move all times by whole weeks, so that the last one is this week.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Send nothing if any line is bad; tell which.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check every line, send nothing.")] = False,
    target: TargetName = None,
    state: StateDir = STATE,
) -> None:
    """Put the interactions of a file on the recommendations stream, 500 a call.

    Two shapes are understood. Interaction v1, as JSON Lines, or as columns of
    a CSV or Parquet file (context.country and so on for pairs of the context):

      {"version":1, "event_id":"e-1", "user_id":"u-7", "item_id":"i-3",
       "kind":"view", "time":"2026-11-23T10:00:00.000Z"}

    Or what data sets have, separated by commas or tabs, with a header or
    without: user, item, rating (optional), timestamp (seconds, milliseconds or
    a date), under their usual names, RecBole's .inter files too. Without a
    kind a row with a rating is a rating, any other a view. Rows without an
    event_id get one that is the same each time.

    A bad line is told with its number and why, and sent all the same: the
    platform rejects it and keeps it with the reason, and `cuatro replay
    recommendations` lets you correct it. Old data sets need --to-now: what is
    older than the platform's limit is rejected. Sending a file twice is safe.
    """
    from local.feed.interactions import feed, headless, judged  # noqa: PLC0415 - as above
    from local.feed.rows import rows  # noqa: PLC0415

    shape = _Shape("interactions", "recommendations", judged, "record")
    with readable():
        found = (feed(row, kind) for row in rows(file, headless=headless))
        _send(shape, found, _How(to_now, strict, dry_run), target, state)


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

    def known(found: "Iterator[Row]") -> Iterator[tuple[int, dict[str, object]]]:
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

    with readable(), counted("labels") as count:
        for batch in batched(known(rows(file)), posting.LABELS_A_CALL):
            ok, refused = posting.post(api, batch)
            taken += ok
            bad += refused
            count(len(batch))
    tell_problems(bad)
    out.print(f"[green]{taken:,} labels posted[/], {len(bad):,} refused, {silent:,} rows without a label passed over.")
    if bad:
        raise typer.Exit(1)


class _Shape(NamedTuple):
    """What is sent where. judge: event, now -> the event with what speaks against it; taken_by: the first function."""

    name: str
    pipeline: str
    judge: Callable[[Any, datetime], Any]
    taken_by: str


class _How(NamedTuple):
    """The options."""

    to_now: bool
    strict: bool
    dry_run: bool


def _send(shape: _Shape, feeds: Iterator[Any], how: _How, target: Target | None, state: Path) -> None:
    """Sends what the file holds, tells what is bad, and the next step."""
    from local.feed.events import moved, weeks_to  # noqa: PLC0415 - the command's help need not wait for these
    from local.feed.sending import send  # noqa: PLC0415
    from local.platform.client import connect  # noqa: PLC0415

    now = datetime.now(UTC)
    if how.to_now or how.strict:  # both must have seen the last line before the first one leaves
        kept = list(feeds)
        feeds = iter(kept if not how.to_now else moved(kept, weeks_to(now, kept)))
    feeds = (shape.judge(item, now) for item in feeds)
    if how.strict:
        checked = list(feeds)
        bad = [(item.number, item.problem) for item in checked if item.problem is not None]
        if bad:
            tell_problems(bad)
            err.print(f"[bold red]Nothing was sent:[/] {len(bad):,} of {len(checked):,} lines are bad.")
            raise typer.Exit(1)
        feeds = iter(checked)
    connection = None if how.dry_run else connect(target, state)
    with counted(shape.name) as count:
        sent, bad = send(connection, feeds, count, STACKS[shape.pipeline])
    tell_problems(bad)
    out.print(f"[green]{sent:,} {shape.name} {'checked' if how.dry_run else 'sent'}[/], {len(bad):,} of them bad.")
    if bad and not how.dry_run:
        out.print(f"Next: [bold]cuatro replay {shape.pipeline} --dry-run[/] shows what was rejected and why.")
    elif not how.dry_run:
        out.print(f"Next: [bold]cuatro logs {shape.pipeline} {shape.taken_by}[/] shows what became of them.")
