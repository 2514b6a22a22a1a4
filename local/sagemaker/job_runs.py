"""CreateXJob -> a thread that does the job in its turn, and brings it to an end with a status and a reason, always.

Two jobs run at a time, the others wait for a place. What runs when the platform ends gets its stated end when the
platform starts again.
"""

import logging
import shutil
import threading
import time
from collections.abc import Callable

from local.aws import containers
from local.aws.errors import AwsError, ResourceInUse
from local.aws.service import Service
from local.aws.storage import StorageError
from local.aws.store import Record
from local.sagemaker import tags
from local.sagemaker.images import UnknownImageError
from local.sagemaker.jobs import (
    POLL_S,
    Job,
    JobFailedError,
    JobStoppedError,
    Kind,
    PlatformEndedError,
    ending,
    running,
    told,
)

LOG = logging.getLogger(__name__)

PLACES = 2
REASON = 1024  # characters of a FailureReason
INTERRUPTED = "The platform was restarted while the job ran. Start it again."

_places = threading.Semaphore(PLACES)

# (record, its status, reason): what a kind adds to the record of a job that ends
Finish = Callable[[Record, str, str], None]


def create(service: Service, kind: Kind, record: Record, work: Callable[[Job], None], finish: Finish) -> None:
    """Stores a new job and starts it. `work` returns when the job is done, or raises JobFailedError,
    JobStoppedError or StorageError.

    Raises ResourceInUse when there is a job of that name.
    """
    name = record[kind.name]
    arn = service.arn(kind.resource, name)
    now = time.time()
    own = {kind.arn: arn, kind.status: "InProgress", "CreationTime": now, "LastModifiedTime": now}
    if not service.store.table(kind.resource).create(name, {**record, **own}):
        raise ResourceInUse(
            f"Job name must be unique within an AWS account and region, and a job with this name already exists ({arn})"
        )
    tags.given(service, arn, record.get("Tags"))
    job = Job(service, kind, name)
    running[kind.resource, name] = job
    if job.record[kind.status] == "Stopping":  # asked for before the job could be told
        job.stopping.set()
    told(service, kind, job.record)
    threading.Thread(target=_live, args=(job, work, finish), name=f"{kind.resource}-{name}", daemon=True).start()


def recover(service: Service, kind: Kind, finish: Finish) -> None:
    """What ran when the platform ended is Failed, or Stopped if it was to stop, with the reason."""
    table = service.store.table(kind.resource)
    for record in table.all():
        status = {"InProgress": "Failed", "Stopping": "Stopped"}.get(record[kind.status])
        if status:
            reason = f"InternalServerError: {INTERRUPTED}" if status == "Failed" else ""
            _finish(Job(service, kind, record[kind.name]), status, reason, finish)
        shutil.rmtree(Job(service, kind, record[kind.name]).base, ignore_errors=True)


def end(service: Service) -> None:
    """The platform ends: processes end, records stay for `recover`."""
    ending.set()
    containers.end(service)


def _live(job: Job, work: Callable[[Job], None], finish: Finish) -> None:
    try:
        status, reason = _ended(job, work)
    except PlatformEndedError:
        LOG.info("%s %s is left as it is: the platform ends", job.kind.resource, job.name)
        return
    finally:
        del running[job.kind.resource, job.name]
    shutil.rmtree(job.base, ignore_errors=True)
    _finish(job, status, reason, finish)  # last: from then on there may be another job of the name


def _ended(job: Job, work: Callable[[Job], None]) -> tuple[str, str]:
    """Status and reason of a job that has its turn."""
    while not _places.acquire(timeout=POLL_S):
        job.go_on()
        if job.stopping.is_set():
            return "Stopped", ""
    try:
        if not job.stopping.is_set():
            work(job)
        job.go_on()
    except PlatformEndedError:
        raise
    except Exception as error:  # noqa: BLE001 - every job ends with a status and a reason
        job.go_on()  # whatever fails while the platform ends fails because of that
        return _failed(job, error)
    finally:
        _places.release()
    return ("Stopped" if job.stopping.is_set() else "Completed"), ""


def _failed(job: Job, error: Exception) -> tuple[str, str]:
    """Status and reason of a job whose work raised."""
    if isinstance(error, JobStoppedError):
        return "Stopped", str(error)
    if isinstance(error, JobFailedError):
        return "Failed", str(error)
    if isinstance(error, StorageError | UnknownImageError):
        return "Failed", f"ClientError: {error}"
    if isinstance(error, AwsError):  # the role was deleted meanwhile, say
        return "Failed", f"ClientError: {error.message}"
    LOG.error("%s %s failed inside the platform", job.kind.resource, job.name, exc_info=error)
    return "Failed", f"InternalServerError: The local platform failed at this job: {error!r}; its log tells more."


def _finish(job: Job, status: str, reason: str, finish: Finish) -> None:
    def ended(record: Record) -> None:
        now = time.time()
        # Asked to stop while it failed or finished by itself: AWS calls it stopped.
        last = "Stopped" if record[job.kind.status] == "Stopping" else status
        record.update({job.kind.status: last, "LastModifiedTime": now})
        if f"{job.kind.word}StartTime" in record:
            record[f"{job.kind.word}EndTime"] = now
        if last == "Failed":
            record["FailureReason"] = reason[:REASON]
        finish(record, last, reason)

    told(job.service, job.kind, job.table.change(job.name, ended))
