"""`cuatro replay`: what was refused or failed -> shown, edited, sent again; nothing is decided twice."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from local.cli.replay_imaging import replay_imaging
from local.platform.client import Connection, Target, connect
from local.platform.errors import PlatformError
from local.platform.pipelines import STACKS
from local.replay import delivery, failures, rejected
from local.replay.failures import ExpiredError, FailedAgainError, Failure
from local.replay.rejected import EditedFileError, Rejection
from local.replay.stream import NotAcceptedError, put

KINDS_SHOWN = 12


def replay(  # noqa: PLR0913, PLR0917 - one parameter for each option of the command
    pipeline: Annotated[str, typer.Argument(help="Whose records: " + ", ".join(STACKS))] = "fraud",
    reason: Annotated[str, typer.Option(help="Only records rejected with this code, as --dry-run lists it.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List what waits, send nothing.")] = False,
    limit: Annotated[int, typer.Option(min=0, help="At most so many records and failed batches; 0 = all.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Write the rejected records to this file for editing.")] = None,
    edited: Annotated[
        Path | None,
        typer.Option("--from", help="Send the records of an edited --out file.", exists=True, dir_okay=False),
    ] = None,
    target: Annotated[Target | None, typer.Option(help="Where the suite runs; found by itself if left out.")] = None,
) -> None:
    """Send rejected records, and batches that failed for good, to their pipeline again.

    Records that a function refused wait in the rejected bucket with the reason. Look at them with --dry-run, correct
    them with --out FILE, your editor and --from FILE, or send them as they are (after a new limit, say). What was sent
    moves under replayed/ there.

    Batches that failed until Lambda gave up wait in the failures queue: they are read from their stream again, as long
    as it keeps them. Records that Firehose could not have processed wait in the lake, and are put to it again.
    --reason and --from leave both alone.

    Of imaging: dead letters return to their queues, and studies whose reading failed are read again, as are, with
    --reason CODE, those of which an image was rejected with that code.

    Running it twice is safe: a known transaction is not decided again, a known interaction or post counts once.
    """
    if pipeline not in STACKS:
        raise typer.BadParameter(f"{pipeline!r} has no replay; choose from: {', '.join(STACKS)}")
    if pipeline == "imaging" and (out or edited):
        raise typer.BadParameter("images are not edited: a sender sends them anew; --reason CODE reads as they are")
    if out and edited:
        raise typer.BadParameter("--out writes a file and --from reads one: give one of them")
    console = Console()
    try:
        connection = connect(target)
        if pipeline == "imaging":
            outputs = connection.outputs(STACKS[pipeline])
            replay_imaging(console, connection, outputs, reason=reason, dry_run=dry_run, limit=limit)
            return
        run = _Run(console, connection, pipeline, connection.outputs(STACKS[pipeline]), dry_run)
        bucket = run.outputs["RejectedBucket"]
        if edited:
            ok = run.send(run.waiting(edited))
        else:
            found = list(rejected.rejections(connection.client("s3"), bucket, pipeline, reason, limit))
            ok = run.write(found, out) if out else run.send(found) and (bool(reason) or run.rest(limit))
    except PlatformError as error:
        console.print(f"[red]{escape(str(error))}[/red]\n{escape(error.advice)}")
        raise typer.Exit(1) from error
    except (EditedFileError, NotAcceptedError) as error:
        console.print(f"[red]{escape(str(error))}[/red]")
        raise typer.Exit(1) from error
    if not ok:
        raise typer.Exit(1)


@dataclass(frozen=True)
class _Run:
    """One call of the command; the methods answer whether all went well."""

    console: Console
    connection: Connection
    pipeline: str
    outputs: dict[str, str]
    dry_run: bool

    def waiting(self, edited: Path) -> list[Rejection]:
        """The edited file's records that no earlier run has sent."""
        rows = rejected.read_edited(edited)
        found, gone = rejected.with_edits(self.connection.client("s3"), self.outputs["RejectedBucket"], rows)
        if gone:
            self.console.print(f"{gone} of the file's records wait no longer: an earlier run sent them.")
        return found

    def write(self, found: list[Rejection], path: Path) -> bool:
        self.console.print(f"{rejected.write(path, found)} rejected records written to {path}.")
        self.console.print("Correct what stands in `record`, delete the lines you give up, then send them:")
        self.console.print(f"  cuatro replay {self.pipeline} --from {path}")
        return True

    def send(self, found: list[Rejection]) -> bool:
        self._show(found)
        if found and not self.dry_run:
            sent = self._put(found)
            bucket = self.outputs["RejectedBucket"]
            rejected.settle(self.connection.client("s3"), bucket, found)
            self.console.print(f"[green]{sent} records sent again[/green]; now under {rejected.REPLAYED} in {bucket}.")
        return True

    def _put(self, found: list[Rejection]) -> int:
        """To the door of the pipeline: its stream, or where there is none its delivery stream."""
        if "StreamName" in self.outputs:
            records = ((rejection.partition_key, rejection.data) for rejection in found)
            return put(self.connection.client("kinesis"), self.outputs["StreamName"], records)
        firehose = self.connection.client("firehose")
        return delivery.put(firehose, self.outputs["PostsDelivery"], (rejection.data for rejection in found))

    def rest(self, limit: int) -> bool:
        """What failed for good: of Firehose, then of the functions."""
        if "PostsDelivery" in self.outputs:
            self._process_again(limit)
        return self.redeliver(limit)

    def _process_again(self, limit: int) -> None:
        s3, bucket = self.connection.client("s3"), self.outputs["LakeBucket"]
        count = 0
        for failed in delivery.failures(s3, bucket, self.pipeline, limit):
            count += len(failed.records)
            self.console.print(f"{len(failed.records)} records for {failed.name}/: {escape(failed.why)}")
            if not self.dry_run:
                stream = self.outputs[delivery.STREAMS[failed.name]]
                delivery.put(self.connection.client("firehose"), stream, failed.records)
                delivery.settle(s3, bucket, self.pipeline, failed)
        waits = "wait in the lake" if self.dry_run else "that Firehose could not have processed sent again"
        self.console.print(f"{count or 'No'} records {waits}.")

    def redeliver(self, limit: int) -> bool:
        sqs, queue = self.connection.client("sqs"), self.outputs["FailuresQueueUrl"]
        if self.dry_run:
            self.console.print(f"{failures.waiting(sqs, queue) or 'No'} failed batches wait.")
            return True
        table = Table("function", "source", "records", "why", "result", title="Failed batches", title_justify="left")
        left = []
        for failure in failures.received(sqs, queue, limit):
            done, result = self._delivered(failure)
            if done:
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=failure.receipt)
            else:
                left.append(failure.receipt)
            function = failure.function.rpartition(":")[2]
            table.add_row(escape(function), failure.source, str(failure.size), escape(failure.condition), result)
        self.console.print(table if table.row_count else "No failed batches wait.")
        for receipt in left:  # only now: before, this run would have received them again
            failures.release(sqs, queue, receipt)
        if left:
            self.console.print(f"[red]{len(left)} failed batches stay in the queue.[/red] Their logs: cuatro logs")
        return not left

    def _delivered(self, failure: Failure) -> tuple[bool, str]:
        try:
            return True, f"[green]{failures.deliver(self.connection.client, failure)} delivered again[/green]"
        except (ExpiredError, FailedAgainError, NotAcceptedError) as error:
            return False, f"[red]{escape(str(error))}[/red]"

    def _show(self, found: list[Rejection]) -> None:
        if not found:
            self.console.print("No rejected records wait.")
            return
        kinds = Counter((rejection.code, rejection.field) for rejection in found)
        table = Table("code", "field", "records", "for example", title=f"{len(found)} rejected records")
        for (code, field), count in kinds.most_common(KINDS_SHOWN):
            example = next(rejection for rejection in found if (rejection.code, rejection.field) == (code, field))
            table.add_row(escape(code), escape(field or "-"), str(count), escape(example.reason))
        self.console.print(table)
        if len(kinds) > KINDS_SHOWN:
            self.console.print(f"... and {len(kinds) - KINDS_SHOWN} more kinds.")
