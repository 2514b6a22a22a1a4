"""`cuatro send study`, `cuatro studies`: a person's DICOM files -> the imaging pipeline; what became of them."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Column, Table

from local.cli.console import err, out
from local.cli.lines import counted
from local.cli.options import StateDir, TargetName
from local.platform.pipelines import STACKS
from local.platform.process import STATE

if TYPE_CHECKING:
    from local.feed.studies import Sent

REFUSED_SHOWN = 20
_COLOURS = {"read": "green", "review": "yellow", "failed": "red", "rejected": "red", "expired": "red"}


def study(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="DICOM files, or folders of them.")],
    sender: Annotated[str, typer.Option(help="Who sends. On a laptop it is made if it is not there.")] = "demo",
    target: TargetName = None,
    state: StateDir = STATE,
) -> None:
    """Send DICOM files as a hospital's program does: by STOW-RS with TLS and a token.

    What is too big for one request goes to S3 by a pre-signed link. A study is
    read when nothing of it has come for a while. Sending a file twice is safe;
    another image under the same UID is refused. Research use only.

    The token is the one that `cuatro sender add` printed, in CUATRO_SENDER_TOKEN;
    on the local platform it is found by itself.
    """
    from local.feed import senders  # noqa: PLC0415 - the command's help need not wait for these
    from local.feed.studies import SenderApi, Sent, files, send  # noqa: PLC0415
    from local.platform.client import connect  # noqa: PLC0415

    connection = connect(target, state)
    url, authority = connection.secure_api_url(connection.outputs(STACKS["imaging"])["ApiUrl"])
    api = SenderApi(url, authority, sender, senders.token_of(connection, sender, state))
    total = Sent()
    with counted("images") as count:
        for sent in send(api, files(paths)):
            total.add(sent)
            count(len(sent.instances) + sent.by_link)
    _tell(total)
    if total.refused:
        raise typer.Exit(1)


def studies(
    study: Annotated[
        str | None, typer.Argument(metavar="STUDY", help="Of one only: its pseudonym, or the UID as it was sent.")
    ] = None,
    target: TargetName = None,
    state: StateDir = STATE,
) -> None:
    """Show what became of the studies that came: state, reading, outcome. Nothing here names a patient."""
    from local.platform.client import connect  # noqa: PLC0415 - as above
    from local.studies.rows import newest, one  # noqa: PLC0415

    connection = connect(target, state)
    if study is not None:
        out.print_json(json.dumps(one(connection, study), ensure_ascii=False))
        return
    found = newest(connection)
    if not found:
        out.print("No study has come yet. [bold]Next:[/] `cuatro send study FOLDER`, or `cuatro demo imaging`")
        return
    table = Table(Column("study", no_wrap=True), Column("state", no_wrap=True), "n", "sender", "arrived", "outcome")
    for each in found:
        colour = _COLOURS.get(each["state"], "dim")
        table.add_row(
            each["study"], f"[{colour}]{each['state']}[/]", str(each["instances"]), escape(each["sender"]),
            each["last_arrival"][5:19].replace("T", " "), _outcome(each["outcome"]),
        )  # fmt: skip
    out.print(table)


def _outcome(outcome: dict[str, Any] | None) -> str:
    if not outcome:
        return ""
    words = [str(outcome.get("verdict") or "no verdict"), f"by {outcome.get('by', 'nobody')}"]
    if outcome.get("probability") is not None:
        words.append(f"p {outcome['probability']:.2f}")
    return escape(", ".join(words))


def _tell(total: "Sent") -> None:
    for name, why in total.refused[:REFUSED_SHOWN]:
        err.print(f"[yellow]{escape(name)}:[/] {escape(why)}", soft_wrap=True)
    if len(total.refused) > REFUSED_SHOWN:
        err.print(f"... and {len(total.refused) - REFUSED_SHOWN:,} more.")
    links = f", {total.by_link:,} by link" if total.by_link else ""
    out.print(f"[green]{len(total.instances) + total.by_link:,} images sent[/]{links}; {len(total.refused):,} refused.")
    if total.instances or total.by_link:
        out.print("Next: [bold]cuatro studies[/] shows what becomes of them.")
