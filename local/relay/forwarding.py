"""What waits in the spool -> the imaging pipeline, oldest first; away or closed, it is tried again, later and later."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from functions.imaging.stow import MAX_BODY
from local.feed.studies import FAILURES, Sent
from local.platform.errors import PlatformError
from local.relay.spool import Spool

FIRST_WAIT_S, LAST_WAIT_S, IDLE_S = 1.0, 60.0, 1.0
_AROUND = 2_000
_AGAIN = FAILURES[0xA700]
Tell = Callable[[str], None]
Wait = Callable[[float], bool]
"""Waits so many seconds, or less when the relay is to end; is it?"""


class Api(Protocol):
    """What it needs of local.feed.studies.SenderApi."""

    def store(self, files: list[tuple[str, bytes]]) -> Sent: ...
    def upload(self, name: str, content: bytes) -> Sent: ...


def forward(spool: Spool, api: Api, wait: Wait, tell: Tell) -> None:
    """Until `wait` says that it is over. One image a request: what becomes of each is known by itself."""
    pause = FIRST_WAIT_S
    while True:
        problem = _round(spool, api, wait, tell)
        if problem:
            tell(f"{problem} Tried again in {pause:g} s.")
        if wait(pause if problem else IDLE_S):
            return
        pause = min(LAST_WAIT_S, 2 * pause) if problem else FIRST_WAIT_S


def _round(spool: Spool, api: Api, wait: Wait, tell: Tell) -> str:
    """Everything that waits, once; what holds it up, if anything does."""
    for path in spool.waiting():
        try:
            sent = _sent(api, path)
        except PlatformError as error:
            return f"{error}"
        if any(why == _AGAIN for _, why in sent.refused):
            return "The pipeline could not keep an image."
        name = path.name.partition("-")[2][:12]
        if sent.refused:
            why = sent.refused[0][1]
            spool.refuse(path, why)
            tell(f"{name} refused: {why}")
        else:
            spool.sent(path)
            tell(f"{name} sent")
        if wait(0):
            return ""
    return ""


def _sent(api: Api, path: Path) -> Sent:
    content = path.read_bytes()
    if len(content) + _AROUND > MAX_BODY:
        return api.upload(path.name, content)
    return api.store([(path.name, content)])
