"""GET /ping, POST /invocations -> one model in one process, several rows a call, several calls side by side.

By SageMaker's contract: port SAGEMAKER_BIND_TO_PORT (default 8080), the model from model/. A model that cannot be
served ends the process at once with the reason, so that nobody waits for /ping.
"""

import logging
import os
import signal
from collections.abc import Callable, Iterable
from http import HTTPStatus
from types import FrameType
from typing import Any

import msgspec
import waitress  # type: ignore[import-untyped]

from cuatro.errors import ModelMismatch, Rejected
from models.container import paths
from models.container.shapes import JSON, Served, chosen, plain, served

log = logging.getLogger(__name__)

PORT, THREADS = 8080, 8
MAX_BODY = 25 * 1024 * 1024
"""As much as InvokeEndpoint takes; a batch transform says with SAGEMAKER_MAX_PAYLOAD_IN_MB that it sends more."""

Start = Callable[[str, list[tuple[str, str]]], Any]
Reply = tuple[HTTPStatus, str, bytes]


class Application:
    """The WSGI application."""

    def __init__(self, model: Served) -> None:
        self.model = model

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        """Waitress has read the whole body, and turned away one that is too big (413)."""
        status, kind, body = self._reply(environ)
        headers = [("Content-Type", kind), ("Content-Length", str(len(body)))]
        if status is HTTPStatus.METHOD_NOT_ALLOWED:
            headers.append(("Allow", "GET" if environ["PATH_INFO"] == "/ping" else "POST"))
        start(f"{status.value} {status.phrase}", headers)
        return [body]

    def _reply(self, environ: dict[str, Any]) -> Reply:
        match environ["PATH_INFO"], environ["REQUEST_METHOD"]:
            case "/ping", "GET" | "HEAD":
                return HTTPStatus.OK, JSON, b""
            case "/invocations", "POST":
                return self._invoked(environ)
            case "/ping" | "/invocations" as path, method:
                return _refused(HTTPStatus.METHOD_NOT_ALLOWED, f"{path} does not take {method}")
            case path, _:
                return _refused(HTTPStatus.NOT_FOUND, f"{path}: there are /ping and /invocations")

    def _invoked(self, environ: dict[str, Any]) -> Reply:
        given = plain(environ.get("CONTENT_TYPE", ""))
        if given not in self.model.takes:
            return _refused(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Content-Type {given!r}: send one of {', '.join(self.model.takes)}"
            )
        wanted = chosen(environ.get("HTTP_ACCEPT", ""), self.model.gives)
        if wanted is None:
            return _refused(
                HTTPStatus.NOT_ACCEPTABLE,
                f"Accept {environ['HTTP_ACCEPT']!r:.100}: there is {', '.join(self.model.gives)}",
            )
        body = environ["wsgi.input"].read()
        try:
            return HTTPStatus.OK, wanted, self.model.reply(body, given, wanted)
        except Rejected as rejected:
            return _refused(HTTPStatus.BAD_REQUEST, rejected.reason)
        except Exception as error:
            log.exception("a body of %d bytes could not be answered", len(body))
            return _refused(HTTPStatus.INTERNAL_SERVER_ERROR, f"the model failed: {error}")


def serve() -> int:
    """The exit status, after SIGTERM 0; 1 when the model cannot be served or the port is taken."""
    signal.signal(signal.SIGTERM, _end)
    port = int(os.environ.get("SAGEMAKER_BIND_TO_PORT") or PORT)
    megabytes = int(os.environ.get("SAGEMAKER_MAX_PAYLOAD_IN_MB") or 0)
    # Outside a container, only this machine may ask.
    host = "127.0.0.1" if os.environ.get("SAGEMAKER_BASE_DIR") else "0.0.0.0"  # noqa: S104
    try:
        model = served(os.environ.get("CUATRO_MODEL", ""), paths.directory() / "model")
        server = waitress.create_server(
            Application(model),
            host=host,
            port=port,
            threads=THREADS,
            # A body of exactly so many bytes is one too many for waitress.
            max_request_body_size=max(MAX_BODY, megabytes * 1024 * 1024) + 1,
            ident=None,
        )
    except ModelMismatch as error:
        log.error("the model cannot be served: %s", error)  # noqa: TRY400 - the reason, not where it was found
        return 1
    except OSError as error:
        log.error("cannot listen on port %d: %s", port, error.strerror)  # noqa: TRY400
        return 1
    log.info("serving %s on port %d", model.version or "a model without a version", port)
    server.run()
    return 0


def _end(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit  # waitress lets the requests that it has begun finish


def _refused(status: HTTPStatus, why: str) -> Reply:
    return status, JSON, msgspec.json.encode({"error": why})
