"""A started process that answers HTTP on a port of its own: /ping, and requests over connections that stay open."""

import http.client
import logging
import os
import select
import socket
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from local.aws.containers import Container
from local.aws.logs import Log
from local.platform.account import HOST

LOG = logging.getLogger(__name__)

PING_TIMEOUT_S = 60.0  # AWS waits 8 minutes; whoever waits here sits in front of it. CUATRO_PING_TIMEOUT_S changes it
PING_ANSWER_S = 2.0  # as on AWS
GRACE_S = 2.0
CONNECT_S = 5.0
LINES_TOLD = 3
BLOCK = 1 << 16


class Gone(Exception):  # noqa: N818 - what became of it, not a fault
    """The process ended before it answered; str() says how."""


class Unreached(Gone):
    """The process had ended before the request: another may be asked."""


class Slow(Exception):  # noqa: N818 - what became of it, not a fault
    """It did not answer in time."""


class NotServed(Exception):  # noqa: N818 - what became of it, not a fault
    """It cannot serve; str() is the reason."""


@dataclass(frozen=True)
class Reply:
    """What the container answered; names of headers in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def ping_timeout() -> float:
    """Seconds that `serve` may take until /ping answers."""
    return float(os.environ.get("CUATRO_PING_TIMEOUT_S", PING_TIMEOUT_S))


class Server:
    """One process. `wait` for it before the first request. Used from many threads."""

    def __init__(self, container: Container, port: int, log: Log, lines: deque[str]) -> None:
        """lines: the last ones that it wrote, for whoever asks why it ended."""
        self.port = port
        self.url = f"http://{HOST}:{port}"
        self.busy = 0
        self._container = container
        self._log = log
        self._lines = lines
        self._idle: deque[http.client.HTTPConnection] = deque()

    @property
    def alive(self) -> bool:
        """Whether its process runs."""
        return self._container.poll() is None

    def wait(self, timeout_s: float | None = None) -> None:
        """Returns once /ping answers 200. Raises NotServed, and ends the process, when it never does."""
        began = time.monotonic()
        limit = ping_timeout() if timeout_s is None else timeout_s
        pause = 0.02
        while not self._answers_ping():
            code = self._container.poll()
            if code is not None:
                self.end()
                raise NotServed(f"did not pass the ping health check: {self.ending()}")
            if time.monotonic() - began > limit:
                self.end()
                raise NotServed(f"did not pass the ping health check within {limit:g} s.{self._told()}")
            time.sleep(pause)
            pause = min(2 * pause, 0.25)

    def invoke(self, body: bytes, headers: Mapping[str, str], timeout_s: float) -> Reply:
        """POST /invocations. Raises Unreached when it never got the request, Gone when it ended before it answered.

        Raises Slow when time was up.
        """
        deadline = time.monotonic() + timeout_s
        kept = self._kept()
        if kept is not None:
            try:
                return self._exchange(kept, body, headers, deadline)
            except (ConnectionError, http.client.HTTPException) as error:
                # It died at this request; or it is alive, and closed the connection because nobody used it.
                LOG.debug("a kept connection broke: %r", error)
        try:
            fresh = http.client.HTTPConnection(HOST, self.port, timeout=CONNECT_S)
            fresh.connect()
        except OSError as error:
            self._container.wait(1)
            raise (Unreached if kept is None else Gone)(self.ending()) from error
        try:
            return self._exchange(fresh, body, headers, deadline)
        except (ConnectionError, http.client.HTTPException) as error:
            self._container.wait(1)
            raise Gone(self.ending()) from error

    def ending(self) -> str:
        """How the process ended, in words, with its last lines."""
        code = self._container.poll()
        if code is None:
            return f"the container broke off the connection.{self._told()}"
        killed = f" (signal {code - 128})" if code > 128 else ""
        reason = f", {self._container.reason}" if self._container.reason else ""
        return f"the container ended with exit code {code}{killed}{reason.rstrip('.')}.{self._told()}"

    def end(self) -> None:
        """Ends the process: asked first, then made to."""
        while self._idle:
            self._idle.pop().close()
        self._container.end(GRACE_S)
        self._log.close()

    def _told(self) -> str:
        lines = " / ".join(line.strip() for line in self._lines if line.strip())
        return f" Its last lines: {lines[:400]}" if lines else ""

    def _answers_ping(self) -> bool:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=PING_ANSWER_S)
        try:
            connection.request("GET", "/ping")
            return connection.getresponse().status == http.client.OK and self.alive
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _kept(self) -> http.client.HTTPConnection | None:
        """A connection that is open still: one that can be read from has been closed, or answers what nobody asked."""
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return None
            if connection.sock is not None and not select.select([connection.sock], [], [], 0)[0]:
                return connection
            connection.close()

    def _exchange(
        self, connection: http.client.HTTPConnection, body: bytes, headers: Mapping[str, str], deadline: float
    ) -> Reply:
        try:
            connection.timeout = _left(deadline)
            if connection.sock is not None:
                connection.sock.settimeout(connection.timeout)
            connection.request("POST", "/invocations", body, dict(headers))
            answer = connection.getresponse()
            parts = []
            while part := answer.read(BLOCK):
                parts.append(part)
                if connection.sock is not None:  # none once the answer is whole and the server closes
                    connection.sock.settimeout(_left(deadline))
        except BaseException as error:
            connection.close()
            if isinstance(error, TimeoutError):
                raise Slow from error
            raise
        if answer.will_close:
            connection.close()
        else:
            self._idle.append(connection)
        return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, b"".join(parts))


def _left(deadline: float) -> float:
    """Seconds until the deadline. Raises TimeoutError when there are none."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
