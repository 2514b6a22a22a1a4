"""GET /ping, POST /invocations {"what", "texts", "language"} -> {"found": [a text's each]}: reads for the platform.

python -m local.comprehend.answering.main PORT
"""

import json
import logging
import sys
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

import waitress  # type: ignore[import-untyped]

from local.comprehend.answering.reader import Reader
from local.platform.account import HOST

log = logging.getLogger(__name__)

THREADS = 4
Start = Callable[[str, list[tuple[str, str]]], Any]


class Application:
    """The WSGI application."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

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
            return HTTPStatus.OK, {"found": self._reader.read(**json.loads(question))}
        except Exception as error:
            log.exception("a question was not answered")
            return HTTPStatus.INTERNAL_SERVER_ERROR, {"error": repr(error)}


def main() -> None:
    """Entry point."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    waitress.serve(Application(Reader()), host=HOST, port=int(sys.argv[1]), threads=THREADS, ident=None)


if __name__ == "__main__":
    main()
