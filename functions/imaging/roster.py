"""ARN of the senders' secret -> the senders, read anew when one is missing: whoever was just added need not wait.

A secret is kept for minutes (cuatro.adapters.secrets). Somebody unknown makes it be read again, but not more often than
every few seconds, so that strangers who knock cost next to nothing.
"""

import time
from collections.abc import Callable

from cuatro.adapters import secrets
from functions.imaging.senders import Sender, senders

PATIENCE_S = 5.0
_renewed: dict[str, float] = {}


def known(arn: str, enough: Callable[[dict[str, Sender]], bool]) -> dict[str, Sender]:
    """enough: is whoever is asked for among them? Raises Unavailable or Refused."""
    found = senders(secrets.document(arn))
    now = time.monotonic()
    if enough(found) or now - _renewed.get(arn, float("-inf")) < PATIENCE_S:
        return found
    _renewed[arn] = now
    secrets.forget()
    return senders(secrets.document(arn))


def forget() -> None:
    """The next stranger makes it be read again."""
    _renewed.clear()
