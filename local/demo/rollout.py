"""A registered version on its way: live traffic goes on, each stage is told, until it decides or was taken back."""

import time
from collections.abc import Callable

from rich.console import Console

from local.lifecycle.control import Control
from local.lifecycle.versions import Version, versions
from local.platform.errors import PlatformError

PATIENCE_S = 240.0
PHASES = {
    "Shadow": "shadow: both models answer live traffic, the old one decides",
    "Canary": "canary: the alias gives the new version a part of the traffic",
    "Production": "production: the new version decides",
    "RolledBack": "rolled back",
}


def follow(console: Console, control: Control, newest: Version, traffic: Callable[[], bool]) -> None:
    """traffic: makes some, and says whether it did. Raises PlatformError when the roll-out fails or does not end."""
    told = ""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        now = next(each for each in versions(control) if each.arn == newest.arn)
        if now.stage != told:
            told = now.stage
            console.print(f"  {PHASES.get(told, told)}")
        if told == "Production":
            return
        if told == "RolledBack":
            raise PlatformError(
                f"The new version was rolled back: {now.note}",
                f"`cuatro models {control.pipeline}` lists the versions.",
            )
        if time.monotonic() > deadline:
            raise PlatformError(
                f"The roll-out did not end within {PATIENCE_S:.0f} s.",
                f"`cuatro models {control.pipeline}`, `cuatro logs {control.pipeline} rollout`.",
            )
        if not traffic():
            time.sleep(control.pause)
