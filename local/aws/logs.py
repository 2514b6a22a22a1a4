"""Lines of a container -> CloudWatch Logs, in batches and in order, and a file; whoever writes never waits.

SageMaker names the groups /aws/sagemaker/{TrainingJobs,ProcessingJobs,TransformJobs,Endpoints/<name>}.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from local.aws.service import Service

LOG = logging.getLogger(__name__)

LONGEST = 256 * 1024 - 100  # bytes of a log event
BATCH = 1000
PAUSE_S = 0.2  # between two calls: lines that come close together travel together
RETRIES = 5


class Log:
    """A log stream. `seen` is called with every line as it comes, before it is stored.

    Lines that CloudWatch Logs does not take are told in the platform's log, and are in the file.
    """

    def __init__(
        self,
        service: "Service",
        group: str,
        stream: str,
        file: Path | None = None,
        seen: Callable[[str], None] | None = None,
    ) -> None:
        self.group = group
        self.stream = stream
        self._service = service
        self._seen = seen
        self._lines: queue.SimpleQueue[tuple[float, str] | None] = queue.SimpleQueue()
        self._closed = threading.Event()
        if file:
            file.parent.mkdir(parents=True, exist_ok=True)
        self._file = file.open("a", encoding="utf-8", buffering=1) if file else None
        self._writer = threading.Thread(target=self._write, name=f"log-{stream}", daemon=True)
        self._writer.start()

    def line(self, text: str) -> None:
        """One line, without its end."""
        if self._closed.is_set():
            return
        if self._seen:
            self._seen(text)
        self._lines.put((time.time(), text))

    def close(self) -> None:
        """Returns when every line is stored."""
        if not self._closed.is_set():
            self._closed.set()
            self._lines.put(None)
        self._writer.join(timeout=30)

    def _write(self) -> None:
        made = False
        more = True
        while more:
            lines, more = self._batch()
            for _, text in lines if self._file else ():
                self._file.write(f"{text}\n")  # type: ignore[union-attr]
            if not lines:
                continue
            for attempt in range(RETRIES):
                try:
                    client = self._service.client("logs")
                    made = made or self._make(client)
                    client.put_log_events(logGroupName=self.group, logStreamName=self.stream, logEvents=_events(lines))
                    break
                except Exception:  # whatever it is, the program goes on, and its next lines are stored
                    if attempt == RETRIES - 1 or self._closed.is_set():
                        LOG.exception("%d lines were not stored in %s/%s", len(lines), self.group, self.stream)
                        break
                    time.sleep(PAUSE_S)
        if self._file:
            self._file.close()

    def _batch(self) -> tuple[list[tuple[float, str]], bool]:
        """The lines that are there, at least one unless the log was closed; whether more can come."""
        first = self._lines.get()
        if first is None:
            return [], False
        lines = [first]
        self._closed.wait(PAUSE_S)
        while len(lines) < BATCH:
            try:
                following = self._lines.get_nowait()
            except queue.Empty:
                break
            if following is None:
                return lines, False
            lines.append(following)
        return lines, True

    def _make(self, client: Any) -> bool:
        exists = client.exceptions.ResourceAlreadyExistsException
        for make, given in (
            (client.create_log_group, {"logGroupName": self.group}),
            (client.create_log_stream, {"logGroupName": self.group, "logStreamName": self.stream}),
        ):
            try:
                make(**given)
            except exists:
                LOG.debug("%s is there", given)
        return True


def _events(lines: list[tuple[float, str]]) -> list[dict[str, Any]]:
    """Log events; an empty message is none, and a long one is cut, as CloudWatch Logs wants it."""
    return [
        {"timestamp": round(at * 1000), "message": text.encode()[:LONGEST].decode(errors="ignore") or " "}
        for at, text in lines
    ]
