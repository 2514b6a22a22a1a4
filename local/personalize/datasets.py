"""Dataset groups and datasets: what belongs together, and the files of each dataset's rows.

Rows are CSV with the schema's columns: `imported.csv` is what import jobs brought, `added.csv` what PutEvents, PutItems
and PutUsers brought. Whoever answers reads both, and of the second what is new.
"""

import csv
import hashlib
import io
import shutil
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path

from local.aws.service import Input, Operation, Output, Service
from local.aws.store import Record
from local.personalize import resources, schemas
from local.personalize.errors import InUse, InvalidInput
from local.personalize.resources import ACTIVE, DATASET, FILTER, GROUP, IMPORT, SOLUTION, TRACKER

INTERACTIONS, ITEMS, USERS = "INTERACTIONS", "ITEMS", "USERS"
IMPORTED, ADDED = "imported.csv", "added.csv"
_writing = threading.Lock()


def create_group(service: Service, given: Input) -> Output:
    """CreateDatasetGroup: a custom one."""
    if "domain" in given:
        raise InvalidInput("Domain dataset groups are not served by the local platform, only by AWS.")
    arn = service.arn("dataset-group", given["name"])
    record: Record = {member: given[member] for member in ("name", "roleArn", "kmsKeyArn") if member in given}
    resources.create(service, GROUP, arn, record, given)
    resources.settle(service, GROUP, arn, ACTIVE)
    return {"datasetGroupArn": arn}


def delete_group(service: Service, given: Input) -> Output:
    """DeleteDatasetGroup."""
    needed_by = dict.fromkeys((DATASET, SOLUTION, TRACKER, FILTER), "datasetGroupArn")
    resources.remove(service, GROUP, given["datasetGroupArn"], needed_by)
    return {}


def create(service: Service, given: Input) -> Output:
    """CreateDataset: one of each type in a group."""
    group = resources.ready(service, GROUP, given["datasetGroupArn"])
    kind = given["datasetType"].upper()
    if kind not in schemas.REQUIRED:
        served = ", ".join(schemas.REQUIRED)
        raise InvalidInput(f"Dataset type {given['datasetType']} is not served here: there are {served}.")
    schemas.suited(schemas.of(service, given["schemaArn"]), kind)
    arn = service.arn("dataset", f"{group['name']}/{kind}")
    record = {"name": given["name"], "datasetGroupArn": group["datasetGroupArn"], "datasetType": kind,
              "schemaArn": given["schemaArn"]}  # fmt: skip
    resources.create(service, DATASET, arn, record, given)
    resources.settle(service, DATASET, arn, ACTIVE)
    return {"datasetArn": arn}


def delete(service: Service, given: Input) -> Output:
    """DeleteDataset, with its rows."""
    arn = given["datasetArn"]
    record = resources.find(service, DATASET, arn)
    moving = (resources.PENDING, resources.IN_PROGRESS)
    jobs = [job for job in IMPORT.table(service).all() if job["datasetArn"] == arn and job["status"] in moving]
    used = {each["datasetGroupArn"] for kind in (SOLUTION, TRACKER) for each in kind.table(service).all()}
    if jobs or (record["datasetType"] == INTERACTIONS and record["datasetGroupArn"] in used):
        raise InUse(f"Dataset {arn} is in use by an import job, a solution or an event tracker.")
    resources.remove(service, DATASET, arn)
    shutil.rmtree(folder(service, arn), ignore_errors=True)
    return {}


def folder(service: Service, arn: str) -> Path:
    """Where a dataset's files are."""
    return service.state / "datasets" / hashlib.sha256(arn.encode()).hexdigest()[:24]


def of(service: Service, group: str, kind: str) -> str | None:
    """ARN of a group's dataset of that type, None when it has none."""
    arn = service.arn("dataset", f"{group.rpartition('/')[2]}/{kind}")
    return arn if DATASET.table(service).find(arn) else None


def columns(service: Service, arn: str) -> schemas.Fields:
    """Columns of a dataset, as its schema has them."""
    return schemas.of(service, resources.find(service, DATASET, arn)["schemaArn"])


def files(service: Service, arn: str | None) -> list[Path]:
    """The dataset's files, the imported one first, whether or not they are there; none without a dataset."""
    return [folder(service, arn) / name for name in (IMPORTED, ADDED)] if arn else []


def add(service: Service, arn: str, rows: Iterable[Mapping[str, str]]) -> None:
    """Appends rows, whole lines at a time: whoever reads meanwhile sees all or nothing of a call."""
    names = list(columns(service, arn))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, extrasaction="ignore", restval="", lineterminator="\n")
    with _writing:
        path = folder(service, arn) / ADDED
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            writer.writeheader()
        writer.writerows(rows)
        with path.open("ab") as file:
            file.write(text.getvalue().encode())


OPERATIONS: dict[str, Operation] = {
    "CreateDatasetGroup": create_group, "DeleteDatasetGroup": delete_group, "CreateDataset": create,
    "DeleteDataset": delete, **resources.operations(GROUP, DATASET),
}  # fmt: skip
