"""A search domain of OpenSearch Service -> a server of its own that speaks OpenSearch's REST API, at its endpoint.

MiniStack makes the domain and runs OpenSearch in Docker, or nothing. Here osmem (from PyPI, MIT) answers: mappings,
bulk, queries and aggregations. It holds documents in memory: after a restart the domain is there and empty, and it
does not look at signatures; `cuatro search fill` writes the posts again.
"""

# ruff: noqa: SLF001 - the names of MiniStack's inside are the touch points; tests/search shows that they hold
import contextlib
import os
import socket
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path

from ministack.core.responses import get_account_id, get_region
from ministack.services import opensearch

from local.platform.account import HOST

START_S = 10
Domain = tuple[str, str, str]

_servers: dict[Domain, subprocess.Popen[bytes]] = {}


def install() -> None:
    """Take the place of MiniStack's containers."""
    opensearch._spawn_dataplane = _started
    opensearch._teardown_dataplane = lambda domain: _ended(domain["DomainName"])
    opensearch._teardown_named_dataplane = _ended


def end() -> None:
    """Ends every server."""
    for server in _servers.values():
        server.terminate()


def _started(name: str, _: str) -> tuple[str, int, None, None, None]:
    """(host, port, ...) as MiniStack wants it. A domain that was there before keeps its address."""
    known = opensearch._domains.get(name) or {}
    port = int(str(known.get("_Endpoint", "")).rpartition(":")[2] or 0) or _free()
    _ended(name)
    # It ends with this process, however that ends.
    command = [_program(), "-addr", f"{HOST}:{port}", "-no-stdin-watch", "-parent-pid", str(os.getpid())]
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    _servers[get_account_id(), get_region(), name] = server
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection((HOST, port), 1):
            return HOST, port, None, None, None
        time.sleep(0.02)
    raise RuntimeError(f"The search server of {name} does not answer at {HOST}:{port}.")


def _ended(name: str) -> None:
    server = _servers.pop((get_account_id(), get_region(), name), None)
    if server:
        server.terminate()
        server.wait()


def _program() -> Path:
    found = find_spec("osmem_server")
    if found is None or not found.submodule_search_locations:
        raise RuntimeError("osmem-server is missing from .venv/platform: run `make setup`.")
    return Path(found.submodule_search_locations[0], "bin", "osmem-server")


def _free() -> int:
    """A port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        port: int = taken.getsockname()[1]
    return port
