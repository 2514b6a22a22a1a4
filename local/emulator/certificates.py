"""State directory -> the platform's own certificate authority, and the certificate of its TLS port, made once.

A client is given the authority's certificate (ca.pem) and verifies the platform by it, as it verifies AWS by a public
one. They are kept when the platform's state is forgotten: whoever was told to trust the authority goes on doing so.
"""

import os
from pathlib import Path
from typing import NamedTuple

# Names by which the TLS port is reached from this machine.
NAMES = ("localhost", "127.0.0.1")


class Certificates(NamedTuple):
    """PEM files: the authority's certificate for clients, the platform's own key with its certificate."""

    authority: Path
    own: Path


def files(state: Path) -> Certificates:
    """Where the certificates of the platform of this state directory are, or will be."""
    folder = state / "tls"
    return Certificates(folder / "ca.pem", folder / "platform.pem")


def certificates(state: Path) -> Certificates:
    """The certificates of the platform of this state directory; made where there are none."""
    found = files(state)
    if not all(path.exists() for path in found):
        found.authority.parent.mkdir(parents=True, exist_ok=True)
        _make(found)
    return found


def _make(wanted: Certificates) -> None:
    """The authority's key is forgotten with this call: nobody can have another certificate of it."""
    import trustme  # noqa: PLC0415 - takes long to import, and is needed once

    authority = trustme.CA(organization_name="Cuatro's local platform")
    own = authority.issue_cert(*NAMES, organization_name="Cuatro's local platform")
    _write(wanted.own, own.private_key_and_cert_chain_pem.bytes())
    _write(wanted.authority, authority.cert_pem.bytes())  # last: what is there is whole


def _write(path: Path, text: bytes) -> None:
    """A file that only its owner reads."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(text)
