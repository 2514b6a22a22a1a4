"""ARN of a secret -> its text or its JSON document, kept for five minutes: a rotated one is in use soon after."""

import time
from typing import Any

import msgspec

from cuatro.adapters.aws import called

KEPT_S = 300
_kept: dict[str, tuple[float, str]] = {}


def text(arn: str) -> str:
    """The secret's string; "" for no ARN. Raises Unavailable or Refused."""
    if not arn:
        return ""
    now = time.monotonic()
    since, value = _kept.get(arn, (float("-inf"), ""))
    if now - since > KEPT_S:
        value = str(called("secretsmanager", "get_secret_value", SecretId=arn).get("SecretString", ""))
        _kept[arn] = (now, value)
    return value


def document(arn: str) -> dict[str, Any]:
    """The secret's JSON object; {} for no ARN, and for what is none (yet). Raises Unavailable or Refused."""
    try:
        return msgspec.json.decode(text(arn) or "{}", type=dict[str, Any])
    except msgspec.MsgspecError:
        return {}


def forget() -> None:
    """The next call asks again: a credential in the secret was refused, so there may be a newer one."""
    _kept.clear()
