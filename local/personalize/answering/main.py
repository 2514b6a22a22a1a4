"""GET /ping, POST /invocations with a question as JSON -> a list: the server behind a campaign.

python -m local.personalize.answering.main SPEC PORT     # SPEC: JSON with `model` and `files`
"""

import json
import logging
import sys
from collections.abc import Callable, Iterable
from http import HTTPStatus
from pathlib import Path
from typing import Any

import waitress  # type: ignore[import-untyped]

from local.personalize.answering.lists import Lists
from local.personalize.expressions import ExpressionError
from local.platform.account import HOST

log = logging.getLogger(__name__)

THREADS = 4
Start = Callable[[str, list[tuple[str, str]]], Any]


class Application:
    """The WSGI application."""

    def __init__(self, lists: Lists) -> None:
        self._lists = lists

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
            return HTTPStatus.OK, {"items": self._lists.answer(json.loads(question))}
        except ExpressionError as error:
            return HTTPStatus.BAD_REQUEST, {"error": f"Filter expression is invalid: {error}."}
        except Exception as error:
            log.exception("a question was not answered")
            return HTTPStatus.INTERNAL_SERVER_ERROR, {"error": repr(error)}


def main() -> None:
    """Entry point."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    spec = json.loads(Path(sys.argv[1]).read_bytes())
    files = {kind: [Path(path) for path in paths] for kind, paths in spec["files"].items()}
    lists = Lists(Path(spec["model"]), files)
    waitress.serve(Application(lists), host=HOST, port=int(sys.argv[2]), threads=THREADS, ident=None)


if __name__ == "__main__":
    main()
