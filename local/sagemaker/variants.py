"""A production variant at work: requests -> its workers, started when needed, ended when idle, replaced when they die.

Nothing loops: a worker that died is replaced once at once, later ones only when a request comes; after three deaths
without one good answer between them the variant is broken, and says why.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from local.aws import containers
from local.aws.servers import Gone, NotServed, Reply, Unreached
from local.aws.service import Service
from local.sagemaker import artefacts, workers
from local.sagemaker.workers import Worker

DEATHS = 3
MEGABYTE = 1 << 20
MINUTE_S = 60.0
SERVERLESS_MEMORY_A_CPU = 1769 * MEGABYTE  # as Lambda, under it, gives one


class Throttled(Exception):  # noqa: N818 - what became of it, not a fault
    """More requests at a time than the serverless variant may take."""


class Variant:
    """Workers of one variant in one deployment. `spec` is what the endpoint's record holds of it."""

    def __init__(
        self, service: Service, endpoint: str, spec: Mapping[str, Any], base: Path, failed: Callable[[str], None]
    ) -> None:
        self.name: str = spec["VariantName"]
        self.weight: float = spec["weight"]
        self.capacity: int = spec["count"]
        self.model: dict[str, Any] = spec["model"]
        self.serverless: dict[str, int] | None = spec.get("ServerlessConfig")
        self.group = f"/aws/sagemaker/Endpoints/{endpoint}"
        self.broken = ""
        self._service, self._base, self._failed = service, base, failed
        self._startup_s: float | None = spec.get("ContainerStartupHealthCheckTimeoutInSeconds")
        self._resources = self._limits(spec)
        self._changed = threading.Condition()
        self._workers: list[Worker] = []
        self._starting: Future[Worker] | None = None
        self._requests = 0
        self._entered: deque[float] = deque()
        self._deaths = 0
        self._used = time.monotonic()
        self._closed = False

    def prepare(self, start: bool) -> None:
        """Has the model at hand, and a worker that answers if asked to. Raises NotServed, worded as by SageMaker."""
        artefacts.fetch(self._service, self.model, self._base)
        if start:
            self._start().result()

    def enter(self) -> None:
        """Counts a request in: until it leaves, the variant is not closed under it. Raises Throttled."""
        with self._changed:
            if self.serverless and self._requests >= self.serverless["MaxConcurrency"]:
                raise Throttled
            self._requests += 1
            now = time.monotonic()
            self._entered.append(now)
            while self._entered[0] < now - MINUTE_S:
                self._entered.popleft()

    def leave(self) -> None:
        """Counts a request out."""
        with self._changed:
            self._requests -= 1
            self._used = time.monotonic()
            self._changed.notify_all()

    def invoke(self, body: bytes, headers: Mapping[str, str], timeout_s: float) -> Reply:
        """The container's answer. Raises NotServed when none can be started, Gone, Slow."""
        try:
            return self._ask(body, headers, timeout_s)
        except Unreached:  # it had died before; one that died at this request is not given to another
            return self._ask(body, headers, timeout_s)

    def change(self, spec: Mapping[str, Any]) -> None:
        """Takes over another weight, capacity or concurrency; workers too many end when they have answered."""
        with self._changed:
            self.weight, self.capacity, self.serverless = spec["weight"], spec["count"], spec.get("ServerlessConfig")

    def rest(self, idle_s: float) -> None:
        """Ends the workers after `idle_s` seconds without a request, and those above the capacity."""
        with self._changed:
            idle = not self._requests and time.monotonic() - self._used > idle_s
            spare = [worker for worker in self._workers if not worker.busy]
            ended = spare if idle else spare[: max(0, len(self._workers) - max(1, self.capacity))]
            self._workers = [worker for worker in self._workers if worker not in ended]
        for worker in ended:
            worker.end()

    def entered(self) -> int:
        """How many requests came within the last minute."""
        with self._changed:
            return sum(at > time.monotonic() - MINUTE_S for at in self._entered)

    def close(self, drain_s: float) -> None:
        """Lets the requests that are in finish, then ends all workers."""
        with self._changed:
            self._changed.wait_for(lambda: not self._requests, drain_s)
            self._closed = True
            ended, self._workers = self._workers, []
            starting = self._starting
        if starting is not None:  # it sees that the variant is closed, and ends its worker itself
            starting.exception()
        for worker in ended:
            worker.end()

    def _ask(self, body: bytes, headers: Mapping[str, str], timeout_s: float) -> Reply:
        worker = self._acquire()
        try:
            reply = worker.invoke(body, headers, timeout_s)
        except Gone as error:
            self._lost(worker, str(error))
            raise
        finally:
            with self._changed:
                worker.busy -= 1
        self._deaths = 0
        return reply

    def _acquire(self) -> Worker:
        """The worker with the fewest requests, one more request on it; starts one when there is none."""
        while True:
            with self._changed:
                if self.broken or self._closed:  # a closed one would start workers only to end them
                    raise NotServed(self.broken or "ended with the endpoint's update or deletion.")
                dead = next((worker for worker in self._workers if not worker.alive), None)
                if dead is None and self._workers:
                    worker = min(self._workers, key=lambda worker: worker.busy)
                    if worker.busy and len(self._workers) < self.capacity:
                        self._start()  # it helps the requests after this one
                    worker.busy += 1
                    return worker
                starting = None if dead else self._start()
            if dead is not None:
                self._lost(dead, dead.ending())
            if starting is not None:
                starting.result()

    def _start(self) -> Future[Worker]:
        """The worker that is being started, by somebody else already or from now on."""
        with self._changed:
            if self._starting is None:
                self._starting = Future()
                threading.Thread(
                    target=self._begin, args=(self._starting,), name=f"start-{self.name}", daemon=True
                ).start()
            return self._starting

    def _begin(self, starting: "Future[Worker]") -> None:
        try:
            artefacts.fetch(self._service, self.model, self._base)
            stream = workers.Stream(self.group, self.name)
            worker = Worker(self._service, self.model, self._base, stream, self._resources)
            worker.wait(self._startup_s)
        except Exception as error:  # noqa: BLE001 - it goes to whoever waits for the worker
            with self._changed:
                self._starting = None
                self._used = time.monotonic()
            reason = self._worded(error)
            self._count(reason)
            starting.set_exception(NotServed(reason))
            return
        with self._changed:
            self._starting = None
            self._used = time.monotonic()
            closed = self._closed
            if not closed:
                self._workers.append(worker)
        if closed:
            worker.end()
        starting.set_result(worker)

    def _lost(self, worker: Worker, how: str) -> None:
        """A worker died: it is taken out and counted, by whoever sees it first, and a new one is started."""
        with self._changed:
            if worker not in self._workers:
                return
            self._workers.remove(worker)
        worker.end()
        self._count(
            f"The primary container for production variant {self.name} ended {DEATHS} times without one good answer "
            f"between. Please check CloudWatch logs for this endpoint ({self.group}). The last time: {how}"
        )
        with self._changed:
            if not self.broken and not self._closed:
                self._start()

    def _count(self, reason: str) -> None:
        with self._changed:
            self._deaths += 1
            breaks = self._deaths >= DEATHS and not self.broken
            if breaks:
                self.broken = reason
        if breaks:
            self._failed(reason)

    def _worded(self, error: Exception) -> str:
        if not isinstance(error, NotServed):
            return f"The platform could not start the container of production variant {self.name}: {error!r}"
        text = str(error)
        if not text.startswith("did not pass"):
            return text
        return (
            f"The primary container for production variant {self.name} {text.rstrip('.')}. "
            f"Please check CloudWatch logs for this endpoint ({self.group})."
        )

    def _limits(self, spec: Mapping[str, Any]) -> containers.Resources:
        if self.serverless is None:
            return containers.resources(spec["InstanceType"])
        memory = self.serverless["MemorySizeInMB"] * MEGABYTE
        return containers.Resources(memory=memory, cpus=max(1, round(memory / SERVERLESS_MEMORY_A_CPU)))
