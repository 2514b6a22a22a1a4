"""Texts -> a process in the suite's own Python, started when it is first needed -> what it reads in them.

The platform's Python has no ONNX Runtime. The process ends with the platform; one that ended is started again.
"""

import json
import threading
import uuid
from collections import deque
from collections.abc import Sequence
from typing import Any

from local.aws import containers
from local.aws.containers import Program
from local.aws.errors import AwsError
from local.aws.logs import Log
from local.aws.servers import LINES_TOLD, Gone, NotServed, Server, Slow, free_port
from local.aws.service import Service
from local.platform.process import ROOT

LOG_GROUP = "/aws/comprehend/local"
MODULE = "local.comprehend.answering.main"
PYTHON = ROOT / ".venv" / "bin" / "python"
ANSWER_S = 30.0


class Reader:
    """The process. Used from many threads."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._server: Server | None = None
        self._lock = threading.Lock()

    def server(self) -> Server:
        """Started and waited for if it does not run. Raises NotServed."""
        with self._lock:
            if self._server is None or not self._server.alive:
                self._server = self._started()
            return self._server

    def end(self) -> None:
        """Ends it."""
        with self._lock:
            server, self._server = self._server, None
        if server:
            server.end()

    def _started(self) -> Server:
        service = self._service
        port = free_port()
        lines: deque[str] = deque(maxlen=LINES_TOLD)
        log = Log(service, LOG_GROUP, uuid.uuid4().hex[:8], seen=lines.append)
        command = Program([str(PYTHON), "-m", MODULE, str(port)], ROOT)
        base = service.state / "reading"
        base.mkdir(parents=True, exist_ok=True)
        process = containers.Container(service, command, base, environment={}, credentials={}, log=log)
        server = Server(process, port, log, lines)
        server.wait()
        return server


def asked(service: Service, what: str, texts: Sequence[str], language: str = "") -> list[Any]:
    """What is read in each text; what: sentiment, languages or personal (see answering.reader).

    Raises InternalServerException, with the process's words.
    """
    body = json.dumps({"what": what, "texts": list(texts), "language": language}).encode()
    for attempt in range(2):
        try:
            reply = service.part(Reader).server().invoke(body, {"Content-Type": "application/json"}, ANSWER_S)
            break
        except (Gone, Slow, NotServed) as error:
            if attempt:
                raise _failed(f"nobody reads: {error}") from error
    if reply.status != 200:
        raise _failed(json.loads(reply.body)["error"])
    found: list[Any] = json.loads(reply.body)["found"]
    return found


def end(service: Service) -> None:
    """Ends the process."""
    reader = service.made(Reader)
    if reader:
        reader.end()


def _failed(words: str) -> AwsError:
    return AwsError("InternalServerException", f"The local platform's reader failed: {words}", 500)
