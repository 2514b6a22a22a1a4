"""A WSGI app -> a port of this machine, served in the background by waitress; big bodies wait on disk until whole."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from waitress import create_server, wasyncore

from local.platform.errors import PlatformError

_THREADS = 8
_LOOK_S = 0.2
"""How often it is looked whether the end has come."""


@contextmanager
def serving(app: Any, bind: str, port: int, max_body: int) -> Iterator[int]:
    """The port that is listened on (0 asks for any). Raises PlatformError where it is taken."""
    sockets: dict[int, Any] = {}
    listen = f"{bind}:{port}"
    try:
        server = create_server(
            app, listen=listen, threads=_THREADS, max_request_body_size=max_body, ident=None, map=sockets
        )
    except (OSError, ValueError) as error:
        raise PlatformError(f"{listen} cannot be listened on: {error}", "Take another by --port or --bind.") from error
    ended = threading.Event()

    def run() -> None:
        while not ended.is_set():
            wasyncore.loop(timeout=_LOOK_S, map=sockets, count=1)
        # In the thread that waits on the sockets: closed by another one, they would be waited on still.
        server.task_dispatcher.shutdown()
        wasyncore.close_all(sockets, ignore_all=True)

    thread = threading.Thread(target=run, name="relay", daemon=True)
    thread.start()
    try:
        yield int(_port(server))
    finally:
        ended.set()
        thread.join(timeout=30)


def _port(server: Any) -> Any:
    """A name may stand for several addresses: then it is the first one's."""
    return server.effective_port if hasattr(server, "effective_port") else server.effective_listen[0][1]
