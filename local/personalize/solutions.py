"""Solutions and their versions: a recipe and its settings, and each training of the suite's model with what is there.

A version trains for real: `python -m models.recommendations.train` with the rows that the dataset of interactions has
at that moment. Its files lie under the platform's state, for whoever answers with it.
"""

import csv
import json
import shutil
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from pathlib import Path

from local.aws import containers
from local.aws.logs import Log
from local.aws.service import Input, Operation, Output, Service
from local.aws.store import Record
from local.personalize import datasets, recipes, resources
from local.personalize.errors import CreationFailedError, CreationStoppedError, InUse, InvalidInput
from local.personalize.programs import program
from local.personalize.resources import BATCH, CAMPAIGN, GROUP, SOLUTION, VERSION

LOG_GROUP = "/aws/personalize/solution-versions"
LEAST_ROWS, LEAST_USERS = 1000, 25
WAIT_S = 0.2
# AWS's name of a metric -> what of metrics.json it is, and by what it is divided: of one held-back item a user.
METRICS = {
    "coverage": ("coverage_10", 1), "normalized_discounted_cumulative_gain_at_10": ("ndcg_10", 1),
    "precision_at_10": ("recall_10", 10),
}  # fmt: skip
_KEPT = ("name", "performHPO", "performAutoML", "performAutoTraining", "performIncrementalUpdate", "recipeArn",
         "datasetGroupArn", "eventType", "solutionConfig")  # fmt: skip
_OF_VERSION = tuple(name for name in _KEPT if name not in ("name", "performAutoTraining"))
_stopping: dict[str, threading.Event] = {}


def create(service: Service, given: Input) -> Output:
    """CreateSolution. performAutoTraining is kept and told, but nothing trains by itself here."""
    if given.get("performAutoML") or given.get("performHPO"):
        raise InvalidInput("performAutoML and performHPO are not served by the local platform, only by AWS.")
    recipes.kind(given.get("recipeArn", ""))
    group = resources.ready(service, GROUP, given["datasetGroupArn"])["datasetGroupArn"]
    if datasets.of(service, group, datasets.INTERACTIONS) is None:
        raise InvalidInput(f"Dataset group {group} has no dataset of the type INTERACTIONS.")
    arn = service.arn("solution", given["name"])
    record = {name: given[name] for name in _KEPT if name in given}
    defaults = {"performHPO": False, "performAutoML": False, "performAutoTraining": True}
    resources.create(service, SOLUTION, arn, defaults | record, given)
    resources.settle(service, SOLUTION, arn, resources.ACTIVE)
    return {"solutionArn": arn}


def describe(service: Service, given: Input) -> Output:
    """DescribeSolution, with its newest version."""
    solution = resources.find(service, SOLUTION, given["solutionArn"])
    newest = [each for each in VERSION.table(service).all() if each["solutionArn"] == solution["solutionArn"]][-1:]
    return {"solution": solution | ({"latestSolutionVersion": newest[0]} if newest else {})}


def delete(service: Service, given: Input) -> Output:
    """DeleteSolution, with its versions. Raises ResourceInUseException while one trains or a campaign has one."""
    arn = given["solutionArn"]
    resources.find(service, SOLUTION, arn)
    own = [version for version in VERSION.table(service).all() if version["solutionArn"] == arn]
    moving = (resources.PENDING, resources.IN_PROGRESS)
    used = [
        each
        for kind in (CAMPAIGN, BATCH)
        for each in kind.table(service).all()
        if each["solutionVersionArn"].startswith(f"{arn}/") and (kind is CAMPAIGN or each["status"] in moving)
    ]
    if used or any(version["status"] in moving for version in own):
        raise InUse(f"Solution {arn} is in use: one of its versions is being created, or serves.")
    for version in own:
        resources.remove(service, VERSION, version["solutionVersionArn"])
        shutil.rmtree(folder(service, version["solutionVersionArn"]), ignore_errors=True)
    resources.remove(service, SOLUTION, arn)
    return {}


def create_version(service: Service, given: Input) -> Output:
    """CreateSolutionVersion: trains. UPDATE is what FULL is: a whole training takes minutes at most."""
    solution = resources.ready(service, SOLUTION, given["solutionArn"])
    arn = f"{solution['solutionArn']}/{time.time_ns():x}"
    record = {**{name: solution[name] for name in _OF_VERSION if name in solution},
              "solutionArn": solution["solutionArn"], "trainingMode": given.get("trainingMode", "FULL"),
              "trainingType": "MANUAL", **({"name": given["name"]} if "name" in given else {})}  # fmt: skip
    resources.create(service, VERSION, arn, record, given)
    _stopping[arn] = threading.Event()
    resources.make(service, VERSION, arn, lambda: _trained(service, arn, record))
    return {"solutionVersionArn": arn}


def stop_version(service: Service, given: Input) -> Output:
    """StopSolutionVersionCreation."""
    version = resources.find(service, VERSION, given["solutionVersionArn"])
    asked = _stopping.get(version["solutionVersionArn"])
    if version["status"] not in (resources.PENDING, resources.IN_PROGRESS) or asked is None:
        raise InvalidInput("Only a solution version that is being created can be stopped.")
    asked.set()
    return {}


def metrics(service: Service, given: Input) -> Output:
    """GetSolutionMetrics: measured on each user's last item, all items ranked."""
    version = resources.ready(service, VERSION, given["solutionVersionArn"])
    return {"solutionVersionArn": version["solutionVersionArn"], "metrics": version["_metrics"]}


def folder(service: Service, version_arn: str) -> Path:
    """Where a version's model.onnx is."""
    return service.state / "versions" / version_arn.rpartition("/")[2]


def _trained(service: Service, arn: str, version: Record) -> Record:
    asked = _stopping[arn]
    base = folder(service, arn)
    base.mkdir(parents=True, exist_ok=True)
    rows = base / "interactions.tsv"
    began = time.monotonic()
    _training_rows(service, version, rows)
    lines: deque[str] = deque(maxlen=3)
    log = Log(service, LOG_GROUP, arn.rpartition(":")[2], seen=lines.append)
    arguments = ["--interactions", str(rows), "--out", str(base)]
    command = program("models.recommendations.train", *arguments)
    container = containers.Container(service, command, base, environment={}, credentials={}, log=log)
    try:
        while (code := container.wait(WAIT_S)) is None:
            if resources.ending.is_set():
                container.end(WAIT_S)
                raise CreationFailedError(resources.INTERRUPTED)
            if asked.is_set():
                container.end(WAIT_S)
                raise CreationStoppedError
    finally:
        log.close()
        rows.unlink(missing_ok=True)
        del _stopping[arn]
    if code:
        raise CreationFailedError(f"The training ended with exit code {code}: {' / '.join(lines)}")
    told = json.loads((base / "metrics.json").read_bytes())
    return {"trainingHours": (time.monotonic() - began) / 3600, "_metrics": measured(told)}


def measured(told: Record) -> dict[str, float]:
    """metrics.json of a training -> AWS's names: each user's last item held back, all items ranked."""
    return {name: told[own] / by for name, (own, by) in METRICS.items() if own in told}


def _training_rows(service: Service, version: Record, path: Path) -> None:
    """What the solution trains on -> user, item, time. Raises CreationFailedError for too little of it, as AWS."""
    wanted = version.get("eventType")
    least = version.get("solutionConfig", {}).get("eventValueThreshold")
    dataset = datasets.of(service, version["datasetGroupArn"], datasets.INTERACTIONS)
    users: Counter[str] = Counter()
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(("user_id", "item_id", "timestamp"))
        for row in _rows(datasets.files(service, dataset)):
            if wanted and row.get("EVENT_TYPE") != wanted:
                continue
            if least and float(row.get("EVENT_VALUE") or 0) < float(least):
                continue
            users[row["USER_ID"]] += 1
            writer.writerow((row["USER_ID"], row["ITEM_ID"], row["TIMESTAMP"]))
    several = sum(count > 1 for count in users.values())
    if users.total() < LEAST_ROWS or several < LEAST_USERS:
        raise CreationFailedError(
            f"There are {users.total()} interactions, and {several} users with at least two: {LEAST_ROWS} and "
            f"{LEAST_USERS} are needed."
        )


def _rows(paths: list[Path]) -> Iterator[dict[str, str]]:
    for path in paths:
        if path.exists():
            with path.open(encoding="utf-8", newline="") as file:
                yield from csv.DictReader(file)


OPERATIONS: dict[str, Operation] = {
    **resources.operations(SOLUTION, VERSION), "CreateSolution": create, "DescribeSolution": describe,
    "DeleteSolution": delete, "CreateSolutionVersion": create_version, "StopSolutionVersionCreation": stop_version,
    "GetSolutionMetrics": metrics,
}  # fmt: skip
