"""A job's record, and what the requests about it have in common: training, processing and transform jobs alike.

A job that is asked to stop, or that exceeds its time, gets SIGTERM and, GRACE_S later, SIGKILL: AWS waits 120 s.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.aws import paging
from local.aws.containers import Container
from local.aws.errors import ResourceInUse, ValidationException
from local.aws.logs import Log
from local.aws.service import Input, Output, Service
from local.aws.store import Record, Table
from local.sagemaker import tags

GRACE_S = 5.0
POLL_S = 0.1

# Set when the platform ends.
ending = threading.Event()
# Jobs that wait or run, by their kind and name.
running: dict[tuple[str, str], "Job"] = {}


class JobFailedError(Exception):
    """str() is the job's FailureReason."""


class JobStoppedError(Exception):
    """The job ends as Stopped though nobody asked for it; str() says why."""


class PlatformEndedError(Exception):
    """The platform ends: the job's record stays as it is, and gets its end at the next start."""


@dataclass(frozen=True)
class Kind:
    """What the three sorts of jobs call the same things: `Training` of TrainingJobName, TrainingStartTime, ..."""

    word: str
    missing: str = 'Could not find requested job with name: "{name}"'

    @property
    def resource(self) -> str:
        """Part of the ARN, and the store's table."""
        return f"{self.word.lower()}-job"

    @property
    def name(self) -> str:
        """Member that holds the name."""
        return f"{self.word}JobName"

    @property
    def arn(self) -> str:
        """Member that holds the ARN."""
        return f"{self.word}JobArn"

    @property
    def status(self) -> str:
        """Member that holds the status."""
        return f"{self.word}JobStatus"

    @property
    def log_group(self) -> str:
        """Log group of all jobs of the kind."""
        return f"/aws/sagemaker/{self.word}Jobs"


@dataclass
class Job:
    """A job that waits or runs."""

    service: Service
    kind: Kind
    name: str
    stopping: threading.Event = field(default_factory=threading.Event)
    # What is to be done at once when the job is asked to stop.
    at_stop: list[Callable[[], None]] = field(default_factory=list)

    @property
    def table(self) -> Table:
        """Records of its kind."""
        return self.service.store.table(self.kind.resource)

    @property
    def record(self) -> Record:
        """The job as it is described now."""
        return self.table.get(self.name)

    @property
    def base(self) -> Path:
        """Its /opt/ml; gone when the job has ended."""
        return self.service.state / self.kind.resource / self.name

    def log(self, seen: Callable[[str], None] | None = None) -> Log:
        """Log stream of its one instance, kept as a file too."""
        file = self.service.state / "logs" / f"{self.kind.resource}-{self.name}.log"
        stream = f"{self.name}/algo-1-{int(time.time())}"
        return Log(self.service, self.kind.log_group, stream, file, seen)

    def change(self, **members: Any) -> Record:
        """Sets members of the record and tells it on the bus."""

        def altered(record: Record) -> None:
            record.update(members, LastModifiedTime=time.time())

        return told(self.service, self.kind, self.table.change(self.name, altered))

    def attend(self, container: Container, limit_s: float) -> int | None:
        """Exit code of the container, None when `limit_s` seconds were not enough. A job to be stopped ends sooner.

        Raises PlatformEndedError.
        """
        end = time.monotonic() + limit_s
        while (code := container.wait(POLL_S)) is None:
            if self.stopping.is_set():
                container.end(GRACE_S)
            elif time.monotonic() > end:
                container.end(GRACE_S)
                self.go_on()
                return None
        self.go_on()
        return code

    def go_on(self) -> None:
        """Raises PlatformEndedError when there is no going on."""
        if ending.is_set():
            raise PlatformEndedError


def found(service: Service, kind: Kind, name: str) -> Record:
    """The job's record. Raises ValidationException, as AWS does."""
    record = service.store.table(kind.resource).find(name)
    if record is None:
        raise ValidationException(kind.missing.format(name=name))
    return record


def stop(service: Service, kind: Kind, name: str, alter: Callable[[Record], None] | None = None) -> Output:
    """StopXJob: the job is Stopping; its thread sees to the rest. `alter` adds what the kind tells besides."""
    found(service, kind, name)

    def stopping(record: Record) -> None:
        if record[kind.status] != "InProgress":
            raise ValidationException(
                f"The request was rejected because the {kind.word.lower()} job is in status {record[kind.status]}."
            )
        record.update({kind.status: "Stopping", "LastModifiedTime": time.time()})
        if alter:
            alter(record)

    record = service.store.table(kind.resource).change(name, stopping)
    told(service, kind, record)
    job = running.get((kind.resource, name))
    if job:
        job.stopping.set()
        for act in job.at_stop:
            act()
    return {}


def delete(service: Service, kind: Kind, name: str) -> Output:
    """DeleteXJob, of a job that has ended."""
    record = found(service, kind, name)
    if record[kind.status] in ("InProgress", "Stopping"):
        raise ResourceInUse(f"The {kind.word.lower()} job {name} is in status {record[kind.status]}. Stop it first.")
    service.store.table(kind.resource).delete(name)
    tags.forget(service, record[kind.arn])
    return {}


def listed(service: Service, kind: Kind, given: Input) -> Output:
    """ListXJobs."""
    records = service.store.table(kind.resource).all()
    return paging.answer(records, given, f"{kind.word}JobSummaries", kind.name, status=kind.status)


def told(service: Service, kind: Kind, record: Record) -> Record:
    """The record, told on the default bus: what Describe answers, times as milliseconds, as AWS does it."""
    detail = {member: value for member, value in record.items() if not member.startswith("_")}
    service.event(f"SageMaker {kind.word} Job State Change", _milliseconds(detail), [record[kind.arn]])
    return record


def _milliseconds(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _milliseconds(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [_milliseconds(inner, name) for inner in value]
    if isinstance(value, float) and name.endswith(("Time", "Timestamp")):
        return round(value * 1000)
    return value
