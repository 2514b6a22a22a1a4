"""Campaigns: a solution version that answers, in a process of its own; updated without a gap, started when asked."""

import json
import logging
import threading
import time
import uuid
from collections import deque
from collections.abc import Mapping
from typing import Any

from local.aws import containers
from local.aws.errors import AwsError
from local.aws.logs import Log
from local.aws.servers import LINES_TOLD, Gone, NotServed, Server, Slow, free_port
from local.aws.service import Input, Operation, Output, Service
from local.aws.store import Record
from local.personalize import datasets, resources, solutions
from local.personalize.errors import CreationFailedError, InUse, InvalidInput
from local.personalize.programs import program
from local.personalize.resources import ACTIVE, CAMPAIGN, IN_PROGRESS, PENDING, VERSION

LOG = logging.getLogger(__name__)

LOG_GROUP = "/aws/personalize/campaigns"
ANSWERS = "local.personalize.answering.main"
ANSWER_S = 30.0
LATEST = "$LATEST"
# Answered, and of no effect here: the model explores nothing by itself.
_KEPT = ("name", "minProvisionedTPS", "campaignConfig")


class Running:
    """Processes that answer, by the solution version; one each, whoever asks for it."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._servers: dict[str, Server] = {}
        self._lock = threading.Lock()

    def server(self, version: Record) -> Server:
        """The process of a version, started and waited for if there is none. Raises NotServed."""
        arn = version["solutionVersionArn"]
        with self._lock:
            found = self._servers.get(arn)
            if found is None or not found.alive:
                found = self._servers[arn] = self._started(version)
            return found

    def end(self, keep: set[str]) -> None:
        """Ends the processes of all other versions."""
        with self._lock:
            gone = [self._servers.pop(arn) for arn in self._servers.keys() - keep]
        for server in gone:
            server.end()

    def _started(self, version: Record) -> Server:
        service, arn = self._service, version["solutionVersionArn"]
        group = version["datasetGroupArn"]
        base = solutions.folder(service, arn)
        files = {kind: [str(path) for path in datasets.files(service, datasets.of(service, group, kind))]
                 for kind in (datasets.INTERACTIONS, datasets.ITEMS, datasets.USERS)}  # fmt: skip
        spec = base / "answering.json"
        spec.write_text(json.dumps({"model": str(base / "model.onnx"), "files": files}), encoding="utf-8")
        port = free_port()
        lines: deque[str] = deque(maxlen=LINES_TOLD)
        log = Log(service, LOG_GROUP, f"{arn.rpartition(':')[2]}/{uuid.uuid4().hex[:8]}", seen=lines.append)
        command = program(ANSWERS, str(spec), str(port))
        process = containers.Container(service, command, base, environment={}, credentials={}, log=log)
        server = Server(process, port, log, lines)
        server.wait()
        return server


def create(service: Service, given: Input) -> Output:
    """CreateCampaign."""
    version = _version(service, given)
    arn = service.arn("campaign", given["name"])
    record = {**{name: given[name] for name in _KEPT if name in given}, "solutionArn": version["solutionArn"],
              "solutionVersionArn": version["solutionVersionArn"]}  # fmt: skip
    record.setdefault("minProvisionedTPS", 1)
    resources.create(service, CAMPAIGN, arn, record, given)
    resources.make(service, CAMPAIGN, arn, lambda: _deployed(service, version))
    return {"campaignArn": arn}


def update(service: Service, given: Input) -> Output:
    """UpdateCampaign: the version before answers until the new one does."""
    arn = given["campaignArn"]
    campaign = resources.ready(service, CAMPAIGN, arn)
    if campaign.get("latestCampaignUpdate", {}).get("status") in (PENDING, IN_PROGRESS):
        raise InUse(f"Campaign {arn} is being updated.")
    asked = {"solutionVersionArn": campaign["solutionVersionArn"], **given}
    version = _version(service, asked)
    if (
        version["datasetGroupArn"]
        != resources.find(service, VERSION, campaign["solutionVersionArn"])["datasetGroupArn"]
    ):
        raise InvalidInput("A campaign cannot change to a version of another dataset group.")
    now = time.time()
    changes = {name: given[name] for name in _KEPT if name in given}
    changes |= {"solutionVersionArn": version["solutionVersionArn"], "solutionArn": version["solutionArn"]}
    latest = {**changes, "status": IN_PROGRESS, "creationDateTime": now, "lastUpdatedDateTime": now}
    resources.settle(service, CAMPAIGN, arn, ACTIVE, latestCampaignUpdate=latest)
    changing = (service, arn, version, changes, latest)
    threading.Thread(target=_updated, args=changing, name=f"update-{arn}", daemon=True).start()
    return {"campaignArn": arn}


def delete(service: Service, given: Input) -> Output:
    """DeleteCampaign."""
    resources.remove(service, CAMPAIGN, given["campaignArn"])
    _retire(service)
    return {}


def ask(service: Service, version: Record, query: Mapping[str, Any]) -> dict[str, Any]:
    """What a version's process answers. Raises InvalidInputException with its words for a question that it refuses."""
    body = json.dumps(query).encode()
    for attempt in range(2):
        try:
            reply = service.part(Running).server(version).invoke(body, {"Content-Type": "application/json"}, ANSWER_S)
            break
        except (Gone, Slow, NotServed) as error:
            if attempt:
                raise AwsError("InternalServerError", f"The campaign does not answer: {error}", 500) from error
    told: dict[str, Any] = json.loads(reply.body)
    if reply.status == 400:
        raise InvalidInput(told["error"])
    if reply.status != 200:
        raise AwsError("InternalServerError", f"The campaign failed at this: {told.get('error')}", 500)
    return told


def end(service: Service) -> None:
    """Ends every process that answers."""
    running = service.made(Running)
    if running:
        running.end(keep=set())


def _version(service: Service, given: Input) -> Record:
    """The version that a campaign is to have: one, or by the solution's ARN and $LATEST the newest that is ACTIVE."""
    arn = given["solutionVersionArn"]
    if arn.endswith(f"/{LATEST}"):
        own = [each for each in VERSION.table(service).all()
               if each["solutionArn"] == arn.removesuffix(f"/{LATEST}") and each["status"] == ACTIVE]  # fmt: skip
        if not own:
            raise InvalidInput(f"{arn}: the solution has no ACTIVE version.")
        return own[-1]
    return resources.ready(service, VERSION, arn)


def _deployed(service: Service, version: Record) -> dict[str, Any]:
    try:
        service.part(Running).server(version)
    except NotServed as error:
        raise CreationFailedError(f"The solution version does not answer: {error}") from error
    return {}


def _updated(service: Service, arn: str, version: Record, changes: Record, latest: Record) -> None:
    ended = {"status": ACTIVE, "lastUpdatedDateTime": time.time()}
    try:
        _deployed(service, version)
    except Exception as error:  # noqa: BLE001 - every update ends with a status
        LOG.warning("%s was not updated: %s", arn, error)
        changes, ended = {}, {**ended, "status": resources.FAILED, "failureReason": str(error)[: resources.REASON]}
    if resources.ending.is_set() or CAMPAIGN.table(service).find(arn) is None:
        return
    resources.settle(service, CAMPAIGN, arn, ACTIVE, **changes, latestCampaignUpdate={**latest, **ended})
    _retire(service)


def _retire(service: Service) -> None:
    """Ends what no campaign answers with any more."""
    service.part(Running).end({record["solutionVersionArn"] for record in CAMPAIGN.table(service).all()})


def recover(service: Service) -> None:
    """An update that the platform's end cut off has failed; what answered before answers still, when it is asked."""
    for record in CAMPAIGN.table(service).all():
        latest = record.get("latestCampaignUpdate", {})
        if latest.get("status") == IN_PROGRESS:
            failed = {**latest, "status": resources.FAILED, "failureReason": resources.INTERRUPTED}
            resources.settle(service, CAMPAIGN, record["campaignArn"], record["status"], latestCampaignUpdate=failed)


OPERATIONS: dict[str, Operation] = {
    "CreateCampaign": create, "UpdateCampaign": update, "DeleteCampaign": delete, **resources.operations(CAMPAIGN),
}  # fmt: skip
