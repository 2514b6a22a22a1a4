"""`cuatro replay imaging`: dead letters -> their queues; studies whose reading failed -> their next revision."""

from collections import Counter

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from local.platform.client import Connection
from local.replay import messages, studies

QUEUES = {
    "ArrivalsQueueUrl": "arrived files", "QuietQueueUrl": "studies that may be complete",
    "AuditQueueUrl": "entries of the ledger",
}  # fmt: skip
SHOWN = 20


def replay_imaging(  # noqa: PLR0913 - the command's options
    console: Console, connection: Connection, outputs: dict[str, str], *, reason: str, dry_run: bool, limit: int
) -> None:
    """What the command does for this pipeline; its options mean the same as for the others."""
    if not reason:
        _queues(console, connection, outputs, dry_run, limit)
    found = studies.stuck(connection, outputs, reason, limit)
    if not found:
        console.print("No study waits to be read again.")
        return
    table = Table("study", "state", "why", title=f"{len(found)} studies", title_justify="left")
    for each in found[:SHOWN]:
        table.add_row(each.study, each.state, escape(each.why))
    console.print(table)
    if len(found) > SHOWN:
        console.print(f"... and {len(found) - SHOWN} more: {_kinds(found)}")
    if dry_run:
        return
    actor = studies.operator(connection)
    for each in found:
        studies.read_again(connection, outputs, each.study, actor)
    console.print(f"[green]{len(found)} studies are read again[/green]: cuatro studies")


def _queues(console: Console, connection: Connection, outputs: dict[str, str], dry_run: bool, limit: int) -> None:
    sqs = connection.client("sqs")
    for output, what in QUEUES.items():
        dead, count = messages.dead_letters(sqs, outputs[output])
        if count and not dry_run:
            count = messages.move(sqs, dead, outputs[output], limit)
        waits = "wait among the dead letters" if dry_run or not count else "sent again"
        console.print(f"{count or 'No'} {what} {waits}.")


def _kinds(found: list[studies.Stuck]) -> str:
    return ", ".join(f"{count} {escape(why)}" for why, count in Counter(each.why for each in found).most_common())
