"""`cuatro brand`: which brands are watched, by which words, and where -> the sentiment pipeline's API."""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer
from rich.markup import escape
from rich.table import Table

from local.cli.console import out
from local.cli.options import StateDir, TargetName
from local.platform.client import Target
from local.platform.errors import PlatformError
from local.platform.pipelines import STACKS
from local.platform.process import STATE

if TYPE_CHECKING:
    from local.feed.api import Answer, Api


KEYLESS = "bluesky"
"""What is watched when nothing is said: it is open to all, and wants no credentials."""
_COLOURS = {"ok": "green", "new": "dim", "limited": "yellow"}

Name = Annotated[str, typer.Argument(help="The brand: lower case letters, digits and -.")]
app = typer.Typer(no_args_is_help=True, help="Watch brands on social networks.")


@app.command()
def add(  # noqa: PLR0913, PLR0917 - a parameter is an option of the command
    name: Annotated[str, typer.Argument(help='As people write it: "Northwind Coffee".')],
    terms: Annotated[str, typer.Option(help="Words and names to look for, with commas between. Default: NAME.")] = "",
    languages: Annotated[str, typer.Option(help="Of the posts: en,es. Default: all.")] = "",
    exclude: Annotated[str, typer.Option(help="A post with one of these is about something else.")] = "",
    networks: Annotated[
        str, typer.Option(help="Of mastodon, bluesky, reddit, x, rss. Default: bluesky, and what the options name.")
    ] = "",
    instances: Annotated[str, typer.Option(help="Mastodon's servers: mastodon.example,https://...")] = "",
    hashtags: Annotated[str, typer.Option(help="Of Mastodon, besides the terms.")] = "",
    subreddits: Annotated[str, typer.Option(help="Of Reddit, without r/; their comments are read too.")] = "",
    feeds: Annotated[str, typer.Option(help="Addresses of RSS or Atom feeds.")] = "",
    handles: Annotated[str, typer.Option(help="What becomes of @names: mask, pseudonym or keep.")] = "mask",
    slug: Annotated[str, typer.Option("--id", help="Its name in addresses and folders. Default: made of NAME.")] = "",
    target: TargetName = None,
    state: StateDir = STATE,
) -> None:
    """Watch a brand from now on; one that is there already is replaced.

      cuatro brand add "Northwind Coffee" --terms "northwind coffee,northwindcoffee" \\
        --languages en,es --instances mastodon.example --feeds https://news.example/rss

    A post counts when it has one of the terms as whole words, whatever their
    case and accents; #NorthwindCoffee counts for "northwind coffee". The first
    poll goes back an hour. Reddit and X want credentials: put them into the
    secrets that the stack made (docs/sentiment.md says which).
    """
    wanted = dict.fromkeys([*_words(networks), *_implied(instances, hashtags, subreddits, feeds)]) or {KEYLESS: None}
    settings: dict[str, dict[str, Any]] = {
        "mastodon": {"instances": _words(instances), "hashtags": [tag.lstrip("#") for tag in _words(hashtags)]},
        "bluesky": {},
        "reddit": {"subreddits": [each.removeprefix("r/") for each in _words(subreddits)]},
        "x": {},
        "rss": {"feeds": _words(feeds)},
    }
    if unknown := set(wanted) - set(settings):
        raise PlatformError(f"There is no network {', '.join(sorted(unknown))}.", f"Take of {', '.join(settings)}.")
    body = {
        "name": name,
        "terms": _words(terms) or [name],
        "exclude": _words(exclude),
        "languages": _words(languages),
        "networks": {network: settings[network] for network in wanted},
        "handles": handles,
    }
    slug = slug or re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:63]
    answer = _done(_api(target, state).put(f"/brands/{quote(slug, safe='')}", body))
    out.print(f"[green]{escape(answer['brand'])}[/] is watched on {', '.join(wanted)}: {', '.join(answer['terms'])}")
    out.print(
        "[bold]Next:[/] `cuatro poll sentiment` looks at once, `cuatro brand sources` shows how each place fares."
    )


@app.command("list")
def list_(target: TargetName = None, state: StateDir = STATE) -> None:
    """Show which brands are watched, and where."""
    brands = _done(_api(target, state).get("/brands"))["brands"]
    if not brands:
        out.print('No brand is watched. [bold]Next:[/] `cuatro brand add "Northwind Coffee"`')
        return
    table = Table("brand", "name", "terms", "languages", "networks", "handles")
    for each in brands:
        networks = ", ".join(each["networks"]) if each["enabled"] else "[dim]switched off[/]"
        languages = ", ".join(each["languages"]) or "all"
        row = (each["brand"], each["name"], ", ".join(each["terms"]), languages)
        table.add_row(*map(escape, row), networks, each["handles"])
    out.print(table)


@app.command()
def show(name: Name, target: TargetName = None, state: StateDir = STATE) -> None:
    """Show a brand as JSON, as the API takes it."""
    out.print_json(json.dumps(_done(_api(target, state).get(f"/brands/{quote(name, safe='')}")), ensure_ascii=False))


@app.command()
def remove(name: Name, target: TargetName = None, state: StateDir = STATE) -> None:
    """Watch a brand no more. What was collected stays."""
    _done(_api(target, state).delete(f"/brands/{quote(name, safe='')}"))
    out.print(f"[green]{escape(name)}[/] is watched no more.")


@app.command()
def sources(
    name: Annotated[str | None, typer.Argument(help="Of one brand only.")] = None,
    target: TargetName = None,
    state: StateDir = STATE,
) -> None:
    """Show every place where brands are looked for: how it fares, and what it said last."""
    found = _done(_api(target, state).get("/sources"))["sources"]
    table = Table("network", "brand", "place", "status", "posts", "last good poll", "what it said")
    for each in found:
        if name in {None, each["brand"]}:
            colour = _COLOURS.get(each["status"], "red")
            said = each["last_error"] or ""
            if each["backoff_until"]:
                said += f" (asked again at {each['backoff_until'][11:19]} UTC)"
            table.add_row(
                each["network"], each["brand"], escape(each["name"]), f"[{colour}]{each['status']}[/]",
                f"{each['posts']:,}", (each["last_ok"] or "never")[:19].replace("T", " "), escape(said),
            )  # fmt: skip
    out.print(table)


def _implied(instances: str, hashtags: str, subreddits: str, feeds: str) -> list[str]:
    """Networks that an option is about."""
    named = {"mastodon": instances or hashtags, "reddit": subreddits, "rss": feeds}
    return [network for network, value in named.items() if value]


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _api(target: Target | None, state: Path) -> "Api":
    from local.feed.api import Api  # noqa: PLC0415 - boto3 takes long to import
    from local.platform.client import connect  # noqa: PLC0415

    connection = connect(target, state)
    return Api(connection, connection.outputs(STACKS["sentiment"])["ApiUrl"])


def _done(answer: "Answer") -> Any:
    """The body. Raises PlatformError with what the API has against it."""
    if answer.ok:
        return answer.body
    error = answer.body.get("error", {}) if isinstance(answer.body, dict) else {}
    field = f"{error['field']}: " if error.get("field") else ""
    words = f"{field}{error.get('message') or answer.body}"
    raise PlatformError(f"The API refused it: {words}", "`cuatro brand --help` shows what it takes.")
