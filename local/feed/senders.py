"""Senders of the imaging pipeline: entries of its secret; on a laptop also their tokens, in the platform's directory.

The secret holds a token's SHA-256 only: whoever loses a token gets a new one.
"""

import hashlib
import json
import os
import secrets
from pathlib import Path
from typing import Any

from local.platform.client import Connection
from local.platform.errors import PlatformError
from local.platform.pipelines import STACKS

_KEPT = "senders.json"
TOKEN = "CUATRO_SENDER_TOKEN"  # noqa: S105 - the variable's name
_BITS = 256


def add(connection: Connection, name: str, *, destination: str = "", header: str = "", issuer: str = "") -> str:
    """A new token of a sender, which there may be already: the token before it is good no more.

    destination: DICOMweb root that takes results; header: "Name: value" to send there. Raises PlatformError.
    """
    client = connection.client("secretsmanager")
    arn = _secret(connection)
    entries = _entries(client, arn)
    token = secrets.token_urlsafe(_BITS // 8)
    before = entries.get(name, {})
    entries[name] = {
        "sha256": hashlib.sha256(token.encode()).hexdigest(),
        "destination": {"url": destination, "header": header} if destination else before.get("destination"),
        "issuer": issuer or before.get("issuer"),
    }
    client.put_secret_value(SecretId=arn, SecretString=json.dumps(entries))
    return token


def listed(connection: Connection) -> dict[str, dict[str, Any]]:
    """Entries by name, without what is secret in them."""
    entries = _entries(connection.client("secretsmanager"), _secret(connection))
    return {
        name: {"destination": (each.get("destination") or {}).get("url", ""), "issuer": each.get("issuer") or ""}
        for name, each in entries.items()
    }


def remove(connection: Connection, name: str) -> bool:
    """From now on nothing of it is taken; what it sent stays. Was there one?"""
    client = connection.client("secretsmanager")
    arn = _secret(connection)
    entries = _entries(client, arn)
    if entries.pop(name, None) is None:
        return False
    client.put_secret_value(SecretId=arn, SecretString=json.dumps(entries))
    return True


def token_of(connection: Connection, name: str, state: Path) -> str:
    """Of the environment, or the one that was kept here; on the local platform one is made for a new sender.

    Raises PlatformError where none is known.
    """
    given = os.environ.get(TOKEN)
    if given:
        return given
    if connection.target != "local":
        raise PlatformError(f"The token of {name} is not known here.", f"Set {TOKEN}; `cuatro sender add` makes one.")
    kept = _kept(state)
    if name in kept and name in listed(connection):
        return kept[name]
    token = add(connection, name)
    keep(state, name, token)
    return token


def keep(state: Path, name: str, token: str) -> None:
    """In the local platform's directory, for its user only."""
    kept = {**_kept(state), name: token}
    state.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(state / _KEPT, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(kept, file)


def _kept(state: Path) -> dict[str, str]:
    try:
        return dict(json.loads((state / _KEPT).read_text()))
    except (OSError, ValueError):
        return {}


def _secret(connection: Connection) -> str:
    return connection.outputs(STACKS["imaging"])["SendersSecret"]


def _entries(client: Any, arn: str) -> dict[str, Any]:
    """{} for a secret that nobody has written to yet: CloudFormation made it with a word of its own."""
    try:
        found = json.loads(client.get_secret_value(SecretId=arn)["SecretString"])
    except (ValueError, client.exceptions.ResourceNotFoundException):
        return {}
    return {name: each for name, each in found.items() if isinstance(each, dict)} if isinstance(found, dict) else {}
