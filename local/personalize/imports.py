"""CreateDatasetImportJob: CSV files in S3 -> the dataset's rows, read as the job's role; broken files fail the job."""

import csv
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from local.aws import roles, storage
from local.aws.errors import ValidationException
from local.aws.service import Input, Operation, Output, Service
from local.aws.store import Record
from local.personalize import datasets, resources, schemas
from local.personalize.errors import CreationFailedError, InvalidInput
from local.personalize.resources import DATASET, IMPORT

Row = dict[str, str]


def create(service: Service, given: Input) -> Output:
    """CreateDatasetImportJob. importMode FULL (default) replaces what was imported before, INCREMENTAL adds to it."""
    dataset = resources.ready(service, DATASET, given["datasetArn"])
    location = given["dataSource"].get("dataLocation", "")
    if not location.startswith("s3://"):
        raise InvalidInput("dataSource.dataLocation must be an S3 path, as s3://bucket/folder/.")
    if "roleArn" not in given:
        raise InvalidInput("roleArn is required to import from S3.")
    assumable(service, given["roleArn"])
    arn = service.arn("dataset-import-job", given["jobName"])
    record = {"importMode": "FULL", "jobName": given["jobName"], "datasetArn": dataset["datasetArn"],
              "dataSource": given["dataSource"], "roleArn": given["roleArn"],
              **({"importMode": given["importMode"]} if "importMode" in given else {})}  # fmt: skip
    resources.create(service, IMPORT, arn, record, given)
    resources.make(service, IMPORT, arn, lambda: _imported(service, record))
    return {"datasetImportJobArn": arn}


def assumable(service: Service, role_arn: str) -> None:
    """Raises InvalidInputException unless the role exists and trusts Personalize."""
    try:
        roles.check(service, role_arn)
    except ValidationException as error:
        raise InvalidInput(error.message) from error


def _imported(service: Service, job: Record) -> dict[str, str]:
    columns = datasets.columns(service, job["datasetArn"])
    s3 = storage.client(service, job["roleArn"])
    target = datasets.folder(service, job["datasetArn"]) / datasets.IMPORTED
    target.parent.mkdir(parents=True, exist_ok=True)
    # Side by side, so that rename is whole and whoever reads has the old rows or the new ones.
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        folder, partial = Path(scratch) / "source", Path(scratch) / datasets.IMPORTED
        paths = storage.fetch_prefix(s3, job["dataSource"]["dataLocation"], folder)
        if job["importMode"] == "INCREMENTAL" and target.exists():
            shutil.copyfile(target, partial)
        else:
            partial.write_text(",".join(columns) + "\n", encoding="utf-8")
        with partial.open("a", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(columns), extrasaction="ignore", restval="", lineterminator="\n")
            count = 0
            for path in paths:
                for row in _rows(path, columns):
                    writer.writerow(row)
                    count += 1
        if not count:
            raise CreationFailedError("There are no rows in the files of the data location.")
        partial.replace(target)
    return {}


def _rows(path: Path, columns: schemas.Fields) -> Iterator[Row]:
    """Rows of a CSV file. Raises CreationFailedError for missing columns or a row that does not fit."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name, field in columns.items()
                       if name not in (reader.fieldnames or ()) and not field.optional]  # fmt: skip
            if missing:
                raise CreationFailedError(f"Input csv is missing the following columns: [{', '.join(missing)}]")
            for row in reader:
                broken = schemas.wrong(columns, row)
                if broken or None in row:
                    raise CreationFailedError(
                        "Input csv has rows that do not conform to the dataset schema. Please ensure all required data "
                        f"fields are present and that they are of the type specified in the schema. ({path.name}, line "
                        f"{reader.line_num}{f', {broken}' if broken else ': too many values'})"
                    )
                yield row
    except (UnicodeDecodeError, csv.Error) as error:
        raise CreationFailedError(f"Input csv cannot be read: {path.name}: {error}") from error


OPERATIONS: dict[str, Operation] = {"CreateDatasetImportJob": create, **resources.operations(IMPORT)}
