"""A question that is asked until it has an answer: every wait of a test has a deadline and says for what."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

DEADLINE_S = 60
POLL_S = 0.05


def eventually(probe: Callable[[], T | None], what: str, deadline_s: float = DEADLINE_S) -> T:
    """The first answer of `probe` that is neither None nor False; fails with `what` after the deadline."""
    end = time.monotonic() + deadline_s
    while True:
        found = probe()
        if found is not None and found is not False:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"not seen within {deadline_s:.0f} s: {what}")
        time.sleep(POLL_S)
