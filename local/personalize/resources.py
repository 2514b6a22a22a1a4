"""Records of Personalize's resources by their ARNs: made with a status that a thread brings to its end, told, removed.

CREATE PENDING -> CREATE IN_PROGRESS -> ACTIVE, CREATE FAILED or CREATE STOPPED. What is being made when the platform
ends has failed when it starts again.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from local.aws import paging
from local.aws.errors import AwsError, ValidationException
from local.aws.service import Input, Operation, Output, Service
from local.aws.storage import StorageError
from local.aws.store import Record, Table
from local.personalize import tags
from local.personalize.errors import (
    AlreadyExists,
    CreationFailedError,
    CreationStoppedError,
    InUse,
    InvalidNextToken,
    NotFound,
)

LOG = logging.getLogger(__name__)

ACTIVE, PENDING, IN_PROGRESS, FAILED = "ACTIVE", "CREATE PENDING", "CREATE IN_PROGRESS", "CREATE FAILED"
STOPPED = "CREATE STOPPED"
PAGE = 100
PLACES = 2
REASON = 1024
INTERRUPTED = "The platform was restarted meanwhile. Create it again."

# Set when the platform ends.
ending = threading.Event()
_places = threading.Semaphore(PLACES)


@dataclass(frozen=True)
class Kind:
    """A sort of resource. word: as members spell it (datasetGroup); of: member that a List operation selects by."""

    word: str
    of: str = ""
    listed: str = ""

    @property
    def arn(self) -> str:
        """Member that holds the ARN."""
        return f"{self.word}Arn"

    @property
    def place(self) -> str:
        """Part of the ARN, and the store's table: dataset-group."""
        return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in self.word)

    @property
    def title(self) -> str:
        """As operations spell it: DatasetGroup."""
        return self.word[0].upper() + self.word[1:]

    @property
    def plural(self) -> str:
        """Member of the List operation's answer."""
        return self.listed or f"{self.word}s"

    def table(self, service: Service) -> Table:
        """Its records."""
        return service.store.table(self.place)


GROUP = Kind("datasetGroup")
SCHEMA = Kind("schema")
DATASET = Kind("dataset", "datasetGroupArn")
IMPORT = Kind("datasetImportJob", "datasetArn")
SOLUTION = Kind("solution", "datasetGroupArn")
VERSION = Kind("solutionVersion", "solutionArn")
CAMPAIGN = Kind("campaign", "solutionArn")
TRACKER = Kind("eventTracker", "datasetGroupArn")
FILTER = Kind("filter", "datasetGroupArn", "Filters")
BATCH = Kind("batchInferenceJob", "solutionVersionArn")
KINDS = (GROUP, SCHEMA, DATASET, IMPORT, SOLUTION, VERSION, CAMPAIGN, TRACKER, FILTER, BATCH)


def create(service: Service, kind: Kind, arn: str, record: Record, given: Input) -> None:
    """Stores a new resource. Raises ResourceAlreadyExistsException."""
    now = time.time()
    own = {kind.arn: arn, "creationDateTime": now, "lastUpdatedDateTime": now}
    if kind is not SCHEMA:
        own["status"] = PENDING
    if not kind.table(service).create(arn, {**record, **own}):
        raise AlreadyExists(f"Another resource with Arn {arn} already exists.")
    tags.given(service, arn, given.get("tags"))


def find(service: Service, kind: Kind, arn: str) -> Record:
    """The record. Raises ResourceNotFoundException."""
    found = kind.table(service).find(arn)
    if found is None:
        raise NotFound(f"Resource Arn {arn} does not exist.")
    return found


def ready(service: Service, kind: Kind, arn: str) -> Record:
    """The record, when it is ACTIVE. Raises ResourceNotFoundException, ResourceInUseException."""
    found = find(service, kind, arn)
    if found["status"] != ACTIVE:
        raise InUse(f"{kind.title} {arn} must be ACTIVE; its status is {found['status']}.")
    return found


def settle(service: Service, kind: Kind, arn: str, status: str, reason: str = "", **members: Any) -> None:
    """Sets the status, with other members."""

    def change(record: Record) -> None:
        record.update(members, status=status, lastUpdatedDateTime=time.time())
        if reason:
            record["failureReason"] = reason[:REASON]

    kind.table(service).change(arn, change)


def make(service: Service, kind: Kind, arn: str, work: Callable[[], Mapping[str, Any]]) -> None:
    """Runs `work` in a thread, in its turn: what it returns are members of the record, CreationFailedError ends it."""
    threading.Thread(target=_made, args=(service, kind, arn, work), name=arn, daemon=True).start()


def remove(service: Service, kind: Kind, arn: str, needed_by: Mapping[Kind, str] | None = None) -> Record:
    """Removes the record. needed_by: kind -> member that names this resource.

    Raises ResourceNotFoundException, ResourceInUseException while it is being made or another one needs it.
    """
    record = find(service, kind, arn)
    if record.get("status") in (PENDING, IN_PROGRESS):
        raise InUse(f"{kind.title} {arn} cannot be deleted while its status is {record['status']}.")
    for other, member in (needed_by or {}).items():
        users = [each[other.arn] for each in other.table(service).all() if each.get(member) == arn]
        if users:
            raise InUse(f"{kind.title} {arn} is in use by {users[0]}: delete that first.")
    kind.table(service).delete(arn)
    tags.forget(service, arn)
    return record


def describing(kind: Kind) -> Operation:
    """The Describe operation."""

    def describe(service: Service, given: Input) -> Output:
        return {kind.word: find(service, kind, given[kind.arn])}

    return describe


def listing(kind: Kind) -> Operation:
    """The List operation: of everything, or of what belongs to the one that is named."""

    def list_all(service: Service, given: Input) -> Output:
        wanted = given.get(kind.of)
        found = [record for record in kind.table(service).all() if wanted is None or record.get(kind.of) == wanted]
        return page(found, given, kind.plural)

    return list_all


def page(found: list[Any], given: Input, member: str) -> Output:
    """One page of a List operation's answer. Raises InvalidNextTokenException."""
    asked = {{"nextToken": "NextToken", "maxResults": "MaxResults"}[k]: given[k] for k in ("nextToken", "maxResults")
             if k in given}  # fmt: skip
    try:
        shown, token = paging.slice_of(found, asked, PAGE)
    except ValidationException as error:
        raise InvalidNextToken from error
    return {member: shown, "nextToken": token}


def operations(*kinds: Kind) -> dict[str, Operation]:
    """Describe and List of these kinds."""
    found = {f"Describe{kind.title}": describing(kind) for kind in kinds}
    return found | {f"List{kind.plural[0].upper()}{kind.plural[1:]}": listing(kind) for kind in kinds}


def recover(service: Service) -> None:
    """What was being made when the platform ended has failed."""
    for kind in KINDS:
        for record in kind.table(service).all():
            if record.get("status") in (PENDING, IN_PROGRESS):
                settle(service, kind, record[kind.arn], FAILED, INTERRUPTED)


def end(_service: Service) -> None:
    """The platform ends: what fails from now on fails because of that, and is left for `recover`."""
    ending.set()


def _made(service: Service, kind: Kind, arn: str, work: Callable[[], Mapping[str, Any]]) -> None:
    with _places:
        try:
            settle(service, kind, arn, IN_PROGRESS)
            settle(service, kind, arn, ACTIVE, **work())
        except CreationStoppedError:
            settle(service, kind, arn, STOPPED)
        except Exception as error:  # noqa: BLE001 - everything that is made ends with a status
            if ending.is_set() or kind.table(service).find(arn) is None:
                LOG.info("%s is left as it is: %s", arn, error)
                return
            settle(service, kind, arn, FAILED, _reason(arn, error))


def _reason(arn: str, error: Exception) -> str:
    if isinstance(error, CreationFailedError | StorageError):
        return str(error)
    if isinstance(error, AwsError):
        return error.message
    LOG.error("%s failed inside the platform", arn, exc_info=error)
    return f"The local platform failed at this: {error!r}; its log tells more."
