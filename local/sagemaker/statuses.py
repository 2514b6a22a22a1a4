"""Endpoint's record: its status, how it came to it, and the event that tells of it."""

import time
from typing import Any

from local.aws.errors import ValidationException
from local.aws.service import Service
from local.aws.store import Record
from local.sagemaker import plans, tags
from local.sagemaker.plans import Plan

TABLE = "endpoint"
EVENT = "SageMaker Endpoint State Change"
LONGEST_REASON = 1024
# As the event spells them.
_SPELLED = {
    "Creating": "CREATING", "Updating": "UPDATING", "RollingBack": "ROLLING_BACK", "InService": "IN_SERVICE",
    "Failed": "FAILED", "Deleting": "DELETING", "Deleted": "DELETED",
}  # fmt: skip


def found(service: Service, name: str) -> Record:
    """The endpoint's record. Raises ValidationException, as AWS does."""
    record = service.store.table(TABLE).find(name)
    if record is None:
        raise ValidationException(f'Could not find endpoint "{service.arn(TABLE, name)}".')
    return record


def settle(service: Service, name: str, status: str, reason: str = "", plan: Plan | None = None) -> None:
    """Sets the status with its reason, and the plan that serves from now on; tells it on the bus."""

    def change(record: Record) -> None:
        record["EndpointStatus"] = status
        record["LastModifiedTime"] = time.time()
        record["FailureReason"] = reason[:LONGEST_REASON] or None
        if plan is not None:
            record.update(plans.described(plan), _plan=plan)

    tell(service, service.store.table(TABLE).change(name, change))


def take(service: Service, name: str, status: str, allowed: tuple[str, ...], **members: Any) -> Record:
    """Sets a status that leads to another, if the endpoint has one of the allowed statuses; nobody else can meanwhile.

    Raises ValidationException. Returns the record as it was.
    """
    before: Record = {}

    def change(record: Record) -> None:
        before.update(record)
        now = record["EndpointStatus"]
        if now not in allowed:
            raise ValidationException(f'Cannot update in-progress endpoint "{record["EndpointArn"]}".')
        if now == "Failed" and status == "Updating" and "_plan" not in record:
            raise ValidationException(
                f'Cannot update endpoint "{record["EndpointArn"]}": it has never been in service. Delete it.'
            )
        record.update(EndpointStatus=status, LastModifiedTime=time.time(), **members)

    found(service, name)
    tell(service, service.store.table(TABLE).change(name, change))
    return before


def tell(service: Service, record: Record, status: str = "") -> None:
    """The event of a change of status."""
    detail = {
        "EndpointName": record["EndpointName"],
        "EndpointArn": record["EndpointArn"],
        "EndpointConfigName": record["EndpointConfigName"],
        "ProductionVariants": [
            {key: value for key, value in variant.items() if key != "DeployedImages"}
            for variant in record.get("ProductionVariants") or ()
        ],
        "EndpointStatus": _SPELLED[status or record["EndpointStatus"]],
        "FailureReason": record.get("FailureReason"),
        "CreationTime": round(1000 * record["CreationTime"]),
        "LastModifiedTime": round(1000 * record["LastModifiedTime"]),
        "Tags": {tag["Key"]: tag["Value"] for tag in tags.listed(service, record["EndpointArn"])},
    }
    service.event(EVENT, {key: value for key, value in detail.items() if value is not None}, [record["EndpointArn"]])
