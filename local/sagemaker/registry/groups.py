"""Model package groups: a name under which the versions of one model are numbered."""

import time
from typing import Any

from local.aws.errors import ConflictException, ValidationException
from local.aws.paging import page
from local.aws.service import Input, Operation, Output, Service
from local.aws.store import Record, Table
from local.sagemaker import tags

KIND = "model-package-group"
SUMMARY = (
    "ModelPackageGroupName", "ModelPackageGroupArn", "ModelPackageGroupDescription", "CreationTime",
    "ModelPackageGroupStatus", "ManagedConfiguration",
)  # fmt: skip


def create(service: Service, request: Input) -> Output:
    """CreateModelPackageGroup."""
    name = request["ModelPackageGroupName"]
    arn = service.arn(KIND, name)
    record = {
        "ModelPackageGroupName": name,
        "ModelPackageGroupArn": arn,
        "ModelPackageGroupDescription": request.get("ModelPackageGroupDescription"),
        "ManagedConfiguration": request.get("ManagedConfiguration"),
        "CreationTime": time.time(),
        "CreatedBy": {},
        "ModelPackageGroupStatus": "Completed",
        "_versions": 0,
    }
    if not _table(service).create(arn, record):
        raise ValidationException(f"Model Package Group already exists: {arn}")
    tags.given(service, arn, request.get("Tags"))
    return {"ModelPackageGroupArn": arn}


def describe(service: Service, request: Input) -> Output:
    """DescribeModelPackageGroup."""
    return get(service, request["ModelPackageGroupName"])


def listing(service: Service, request: Input) -> Output:
    """ListModelPackageGroups."""
    records = [] if request.get("CrossAccountFilterOption") == "CrossAccount" else _table(service).all()
    shown, token = page(records, request, name="ModelPackageGroupName", descending=False)
    summaries = [{member: record.get(member) for member in SUMMARY} for record in shown]
    return {"ModelPackageGroupSummaryList": summaries, "NextToken": token}


def delete(service: Service, request: Input) -> Output:
    """DeleteModelPackageGroup: only when it is empty."""
    arn = get(service, request["ModelPackageGroupName"])["ModelPackageGroupArn"]
    if any(package.get("_group") == arn for package in service.store.table("model-package").all()):
        raise ConflictException("Model Package Group cannot be deleted because it still contains Model Packages.")
    _table(service).delete(arn)
    tags.forget(service, arn)
    return {}


def get(service: Service, name: str) -> Record:
    """The group by its name or ARN. Raises ValidationException."""
    arn = name if name.startswith("arn:") else service.arn(KIND, name)
    found = _table(service).find(arn)
    if found is None:
        raise ValidationException(f"ModelPackageGroup {arn} does not exist.")
    return found


def next_version(service: Service, group: Record) -> int:
    """Number of a new version: never given twice, also after a version was deleted."""

    def count(record: dict[str, Any]) -> None:
        record["_versions"] += 1

    return int(_table(service).change(group["ModelPackageGroupArn"], count)["_versions"])


def _table(service: Service) -> Table:
    return service.store.table(KIND)


OPERATIONS: dict[str, Operation] = {
    "CreateModelPackageGroup": create,
    "DescribeModelPackageGroup": describe,
    "ListModelPackageGroups": listing,
    "DeleteModelPackageGroup": delete,
}
