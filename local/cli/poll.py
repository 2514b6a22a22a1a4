"""`cuatro poll`: the deployed pollers look at the networks now, instead of at their next minute."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

import typer
from rich.markup import escape

from local.cli.console import err, out
from local.cli.options import StateDir, TargetName
from local.platform.client import Connection
from local.platform.errors import PlatformError
from local.platform.pipelines import STACKS
from local.platform.process import STATE

FUNCTIONS = {
    "mastodon": "PollMastodonFunction",
    "bluesky": "PollBlueskyFunction",
    "reddit": "PollRedditFunction",
    "x": "PollXFunction",
    "rss": "PollRssFunction",
}
"""Network -> the output that names its poller."""


def poll(
    pipeline: Annotated[str, typer.Argument(help="Only sentiment has pollers.")] = "sentiment",
    network: Annotated[str | None, typer.Option(help=f"One of {', '.join(FUNCTIONS)}. Default: all.")] = None,
    brand: Annotated[str | None, typer.Option(help="One brand only.")] = None,
    target: TargetName = None,
    state: StateDir = STATE,
) -> None:
    """Look for new posts on the networks at once.

    Tells how many posts each poller sent on, and which places failed. Places
    that failed before are asked again at once, with the credentials that are in
    the secrets now; those that a network wants left alone still wait. `cuatro
    brand sources` shows more.
    """
    from local.platform.client import connect  # noqa: PLC0415 - boto3 takes long to import

    if pipeline != "sentiment":
        raise PlatformError(f"The pipeline {pipeline} polls nothing.", "`cuatro poll sentiment` is the only one.")
    if network and network not in FUNCTIONS:
        raise PlatformError(f"There is no network {network}.", f"Take one of {', '.join(FUNCTIONS)}.")
    connection = connect(target, state)
    outputs = connection.outputs(STACKS["sentiment"])
    wanted = [network] if network else list(FUNCTIONS)
    with ThreadPoolExecutor(len(wanted)) as threads:
        answers = list(threads.map(lambda each: _polled(connection, outputs[FUNCTIONS[each]], brand), wanted))
    failed = False
    for each, answer in zip(wanted, answers, strict=True):
        if "errorMessage" in answer:
            failed = True
            err.print(f"[red]{each}[/]: {escape(str(answer['errorMessage']))}")
            continue
        waiting = f", {answer['waiting']} places wait" if answer["waiting"] else ""
        out.print(f"[green]{each}[/]: {answer['posts']:,} new posts of {answer['polled']} places{waiting}")
        for place, why in answer["failed"].items():
            failed = True
            err.print(f"  [yellow]{escape(place)}[/]: {escape(why)}")
    if failed:
        raise typer.Exit(1)


def _polled(connection: Connection, function: str, brand: str | None) -> dict[str, Any]:
    """What the poller answered; its error if it failed."""
    from botocore.config import Config  # noqa: PLC0415

    client = connection.client("lambda", config=Config(read_timeout=90, retries={"total_max_attempts": 1}))
    answer = client.invoke(FunctionName=function, Payload=json.dumps({"brand": brand} if brand else {}))
    return dict(json.loads(answer["Payload"].read()))
