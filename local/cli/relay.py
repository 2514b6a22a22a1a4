"""`cuatro relay`: on the hospital's side, DICOM and STOW-RS come in -> a spool on disk -> the imaging pipeline."""

import os
import signal
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from local.cli.console import out
from local.cli.options import StateDir, TargetName
from local.platform.errors import PlatformError
from local.platform.process import STATE

if TYPE_CHECKING:
    from local.feed.studies import SenderApi

_MB = 1 << 20


def relay(  # noqa: PLR0913, PLR0917 - a parameter is an option of the command
    spool: Annotated[Path, typer.Option(help="Directory for what waits, on an encrypted disk.")] = Path("cuatro-spool"),
    port: Annotated[int, typer.Option(help="Of STOW-RS (HTTP); 0 takes any that is free.")] = 8043,
    dicom_port: Annotated[int, typer.Option(help="Of C-STORE; 0 for none. Needs pynetdicom.")] = 0,
    title: Annotated[str, typer.Option(help="AE title of C-STORE.")] = "CUATRO",
    callers: Annotated[str, typer.Option(help="AE titles that may call, with commas between. Default: all.")] = "",
    bind: Annotated[
        str, typer.Option(help="Address to listen on: of the hospital's network, never the internet.")
    ] = "127.0.0.1",
    limit_mb: Annotated[int, typer.Option(help="How much may wait, in megabytes.")] = 20_000,
    sender: Annotated[str, typer.Option(help="As whom it sends.")] = "demo",
    url: Annotated[
        str, typer.Option(help="ApiUrl of the stack. Default: of the stack that the AWS credentials see.")
    ] = "",
    target: TargetName = None,
    state: StateDir = STATE,
) -> None:
    """Take images from what speaks DICOM only, and send them on by TLS, until Ctrl-C.

      CUATRO_SENDER_TOKEN=... cuatro relay --url https://.../v1/ --sender north-clinic --dicom-port 11112

    An image is on disk before its sender is told that it was taken, and goes when the pipeline
    has it. Images of any size: those too big for a request go by a pre-signed link. What the pipeline
    refuses is kept in the spool's refused/ with the reason. The token comes from CUATRO_SENDER_TOKEN.
    """
    from local.relay.dicomweb import MAX_BODY, Receiver  # noqa: PLC0415 - the command's help need not wait for these
    from local.relay.forwarding import forward  # noqa: PLC0415
    from local.relay.serving import serving  # noqa: PLC0415
    from local.relay.spool import Spool  # noqa: PLC0415

    api = _api(url, sender, target, state)
    kept = Spool(spool, limit_mb * _MB)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with ExitStack() as stack:
        web = stack.enter_context(serving(Receiver(kept), bind, port, MAX_BODY))
        out.print(f"[green]STOW-RS[/] at http://{bind}:{web}/studies", soft_wrap=True)
        if dicom_port:
            from local.relay.association import listening  # noqa: PLC0415 - needs pynetdicom

            known = [each.strip() for each in callers.split(",") if each.strip()]
            heard = stack.enter_context(listening(kept, bind, dicom_port, title, known))
            out.print(f"[green]C-STORE[/] at {bind}:{heard}, AE title {title}")
        forward(kept, api, ended.wait, lambda words: out.print(escape(words), soft_wrap=True))
    left = sum(1 for _ in kept.waiting())
    out.print(f"Ended. {left:,} images wait in {spool}." if left else "Ended. Nothing waits.")


def _api(url: str, sender: str, target: TargetName, state: Path) -> "SenderApi":
    """A hospital has the URL and the token; a laptop finds both."""
    from local.feed import senders  # noqa: PLC0415 - boto3 takes long to import
    from local.feed.studies import SenderApi  # noqa: PLC0415
    from local.platform.client import connect  # noqa: PLC0415
    from local.platform.pipelines import STACKS  # noqa: PLC0415

    if url:
        token = os.environ.get(senders.TOKEN)
        if not token:
            raise PlatformError(
                "The sender's token is not known.", f"Set {senders.TOKEN}; `cuatro sender add` makes one."
            )
        return SenderApi(url, None, sender, token)
    connection = connect(target, state)
    found, authority = connection.secure_api_url(connection.outputs(STACKS["imaging"])["ApiUrl"])
    return SenderApi(found, authority, sender, senders.token_of(connection, sender, state))
