"""`cuatro send post|posts`, `cuatro label`: a person's words of a brand -> the API; what was wrongly classified."""

import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from local.cli.console import out
from local.cli.lines import counted, readable, tell_problems
from local.cli.options import StateDir, TargetName
from local.platform.client import Target
from local.platform.errors import PlatformError
from local.platform.pipelines import STACKS
from local.platform.process import STATE

if TYPE_CHECKING:
    from local.feed.api import Api

LABELS = ("negative", "neutral", "positive")
Brand = Annotated[str, typer.Option(help="Whom it is about. Default: every brand whose terms it has.")]
Network = Annotated[str, typer.Option(help="mastodon, bluesky, reddit, x, rss or web.")]
Language = Annotated[str, typer.Option(help="A hint, such as en or pt-BR; it is detected anyhow.")]
File = Annotated[str, typer.Argument(metavar="FILE|-", help="JSON Lines, CSV or Parquet; - reads standard input.")]


def post(  # noqa: PLR0913, PLR0917 - one parameter for each option of the command
    text: Annotated[str, typer.Argument(help="What is said.")],
    brand: Brand = "",
    network: Network = "web",
    language: Language = "",
    identity: Annotated[str, typer.Option("--id", help="The network's own id; one id counts once.")] = "",
    target: TargetName = None,
    state: StateDir = STATE,
) -> None:
    """Send one post, as if somebody had just written it.

    It goes the way of all posts: cleaned, personal data removed, classified, kept, counted. `cuatro logs sentiment
    classify` shows that it was, and `cuatro label` corrects what was made of it.
    """
    from local.feed.posts import Feed, one  # noqa: PLC0415 - the command's help need not wait for these
    from local.feed.posts import post as sent  # noqa: PLC0415

    identity = identity or f"cuatro-{uuid.uuid4().hex}"
    fields = one(text, identity, datetime.now(UTC), brand=brand, network=network, language=language)
    taken = sent(_api(target, state), [Feed(1, b"", fields)])
    if taken.refused:
        raise PlatformError(f"Not taken: {taken.refused[0][1]}", "`cuatro brand list` shows the brands there are.")
    if not taken.matched:
        out.print("Taken, but it has no brand's terms: nothing counts it. `cuatro brand list` shows the terms.")
        return
    where = f" Its row is [bold]{brand}#{network}#{identity}[/]." if brand else ""
    out.print(f"[green]Sent[/], for {taken.matched} brand{'s' if taken.matched > 1 else ''}.{where}", soft_wrap=True)


def posts(  # noqa: PLR0913, PLR0917 - as above
    file: File,
    brand: Brand = "",
    network: Network = "web",
    language: Language = "",
    to_now: Annotated[
        bool, typer.Option("--to-now", help="Move all times by whole weeks, so that the last one is this week.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check every line, send nothing.")] = False,
    target: TargetName = None,
    state: StateDir = STATE,
) -> None:
    """Send the posts of a file, 500 a call.

    Two shapes are understood. A post, as JSON Lines, or as columns of a CSV
    or Parquet file (without a brand: every brand whose terms it has):

      {"version":1, "id":"p-1", "network":"web", "brand":"northwind-coffee",
       "text":"Best espresso in town!", "time":"2026-11-23T10:00:00.000Z"}

    Or what exports have: text (content, body, tweet, ...), and perhaps id,
    created_at, username, lang, url, likes and so on. Rows without an id get
    one that is the same each time.

    Posts that the API refuses are told with their line and why; the others
    are on their way. Sending a file twice is safe: a post counts once.
    """
    from local.feed.events import moved, weeks_to  # noqa: PLC0415 - as above
    from local.feed.posts import batches, feed, judged  # noqa: PLC0415
    from local.feed.posts import post as sent  # noqa: PLC0415
    from local.feed.rows import rows  # noqa: PLC0415

    defaults = {"brand": brand, "network": network, "language": language}
    accepted, matched = 0, 0
    bad: list[tuple[int, str]] = []
    with readable():
        feeds = (feed(row, defaults) for row in rows(file))
        if to_now:
            kept = list(feeds)
            feeds = moved(kept, weeks_to(datetime.now(UTC), kept))  # type: ignore[assignment]
        api = None if dry_run else _api(target, state)
        with counted("posts") as count:
            for batch in batches(feeds):
                if api is None:
                    found = [(item.number, item.problem) for item in map(judged, batch) if item.problem is not None]
                    accepted, bad = accepted + len(batch) - len(found), bad + found
                else:
                    taken = sent(api, batch)
                    accepted, matched, bad = accepted + taken.accepted, matched + taken.matched, bad + taken.refused
                count(len(batch))
    tell_problems(bad)
    what = "checked" if dry_run else f"sent[/], with {matched:,} mentions of brands"
    out.print(f"[green]{accepted:,} posts {what}{'[/]' if dry_run else ''}; {len(bad):,} bad.")
    if bad:
        raise typer.Exit(1)


def label(  # noqa: PLR0913, PLR0917 - as above
    key: Annotated[str, typer.Argument(metavar="POST", help="Its row: brand#network#id, in quotes.")],
    label: Annotated[str, typer.Argument(metavar="LABEL", help="negative, neutral or positive.")],
    by: Annotated[str, typer.Option(help="Who says so.")] = "",
    note: Annotated[str, typer.Option(help="Why, for whoever trains the model.")] = "",
    target: TargetName = None,
    state: StateDir = STATE,
) -> None:
    """Correct the class of a post: counts move at once, and the model learns from it when it is trained again.

    The newest label of a post stands; saying the same twice changes nothing.
    """
    from local.feed.posts import path_of, why  # noqa: PLC0415 - as above

    if label not in LABELS:
        raise typer.BadParameter(f"{label!r} is no label; choose from: {', '.join(LABELS)}")
    given = {name: value for name, value in {"label": label, "by": by, "note": note}.items() if value}
    answer = _api(target, state).post(f"{path_of(key)}/label", given)
    if not answer.ok:
        advice = "`GET /brands/{brand}/posts` and the console list posts with their rows."
        raise PlatformError(f"Not labelled: {why(answer.body, answer.status)}", advice)
    out.print(f"[green]{key} is {label} now.[/]", soft_wrap=True)


def _api(target: Target | None, state: Path) -> "Api":
    from local.feed.api import Api  # noqa: PLC0415 - as above
    from local.platform.client import connect  # noqa: PLC0415

    connection = connect(target, state)
    return Api(connection, connection.outputs(STACKS["sentiment"])["ApiUrl"])
