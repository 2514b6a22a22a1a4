"""A WSGI app -> a port of this machine, served in the background by waitress; big bodies wait on disk until whole."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from waitress import create_server

from local.platform.errors import PlatformError

_THREADS = 8


@contextmanager
def serving(app: Any, bind: str, port: int, max_body: int) -> Iterator[int]:
    """The port that is listened on (0 asks for any). Raises PlatformError where it is taken."""
    try:
        server = create_server(app, host=bind, port=port, threads=_THREADS, max_request_body_size=max_body, ident=None)
    except OSError as error:
        raise PlatformError(f"Port {port} cannot be listened on: {error}", "Take another by --port.") from error
    thread = threading.Thread(target=server.run, name="relay", daemon=True)
    thread.start()
    try:
        yield int(server.effective_port)
    finally:
        server.close()
        thread.join(timeout=10)
