"""GET /ping, POST /invocations: a question as JSON -> its answer: the server of a process beside the platform.

It runs in the suite's own Python; the platform asks it by local.aws.servers.
"""

import json
import logging
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

import waitress  # type: ignore[import-untyped]

from local.platform.account import HOST

log = logging.getLogger(__name__)

THREADS = 4
Start = Callable[[str, list[tuple[str, str]]], Any]
Answer = Callable[[Any], dict[str, Any]]


class Refused(Exception):  # noqa: N818 - a verdict, not a fault
    """The question cannot be answered, and the one who asked should know: str() is the reason, the status 400."""


class Application:
    """The WSGI application. answer: question -> answer, both JSON values; called from many threads."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        status, told = HTTPStatus.OK, dict[str, Any]()
        if environ["PATH_INFO"] != "/ping":
            status, told = self._answered(environ["wsgi.input"].read())
        body = json.dumps(told).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start(f"{status.value} {status.phrase}", headers)
        return [body]

    def _answered(self, question: bytes) -> tuple[HTTPStatus, dict[str, Any]]:
        try:
            return HTTPStatus.OK, self._answer(json.loads(question))
        except Refused as refused:
            return HTTPStatus.BAD_REQUEST, {"error": str(refused)}
        except Exception as error:
            log.exception("a question was not answered")
            return HTTPStatus.INTERNAL_SERVER_ERROR, {"error": repr(error)}


def serve(answer: Answer, port: int) -> None:
    """Answers until the process is ended."""
    waitress.serve(Application(answer), host=HOST, port=port, threads=THREADS, ident=None)
