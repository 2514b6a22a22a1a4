"""ARN of the senders' secret -> the senders, read anew when one is missing: whoever was just added need not wait.

A secret is kept for minutes (cuatro.adapters.secrets). Somebody unknown makes it be read again, but only a few times in
a while, so that strangers who knock cost next to nothing.
"""

import time
from collections.abc import Callable

from cuatro.adapters import secrets
from functions.imaging.senders import Sender, senders

RENEWALS, WHILE_S = 5, 30.0
_renewed: dict[str, list[float]] = {}


def known(arn: str, enough: Callable[[dict[str, Sender]], bool]) -> dict[str, Sender]:
    """enough: is whoever is asked for among them? Raises Unavailable or Refused."""
    found = senders(secrets.document(arn))
    now = time.monotonic()
    recent = [each for each in _renewed.get(arn, []) if now - each < WHILE_S]
    if enough(found) or len(recent) >= RENEWALS:
        return found
    _renewed[arn] = [*recent, now]
    secrets.forget()
    return senders(secrets.document(arn))


def forget() -> None:
    """The next stranger makes it be read again."""
    _renewed.clear()
