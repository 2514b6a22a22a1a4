"""Scalable targets: an endpoint's variant and how many instances it may have."""

import re
import time
import uuid
from typing import Any

from local.aws.errors import AwsError, ResourceNotFound, ValidationException
from local.aws.paging import slice_of
from local.aws.service import Input, Operation, Output, Service
from local.aws.store import Record, Table
from local.sagemaker import endpoints
from local.sagemaker.scaling import tracking

KIND = "scalable-target"
NAMESPACE = "sagemaker"
DIMENSION = "sagemaker:variant:DesiredInstanceCount"
ROLE = "aws-service-role/sagemaker.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"  # noqa: E501 - AWS's name
SUSPENDED = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
PAGE = 50
_VARIANT = re.compile(r"endpoint/(?P<endpoint>[^/]+)/variant/(?P<variant>[^/]+)")


def register(service: Service, request: Input) -> Output:
    """RegisterScalableTarget: a new one, or new limits for one that is there."""
    key = key_of(request)
    known = table(service).find(key)
    if known is None and not {"MinCapacity", "MaxCapacity"} <= request.keys():
        raise ValidationException("MinCapacity and MaxCapacity are required for a new scalable target.")
    endpoint, variant = variant_of(request["ResourceId"])
    try:
        endpoints.desired(service, endpoint, variant)
    except ResourceNotFound as error:
        raise ValidationException(
            f"No scalable resource found for service namespace: {NAMESPACE}, resource ID: {request['ResourceId']}, "
            f"scalable dimension: {DIMENSION}"
        ) from error
    own = uuid.uuid4().hex[:24]
    record = {
        "ServiceNamespace": NAMESPACE,
        "ResourceId": request["ResourceId"],
        "ScalableDimension": DIMENSION,
        "RoleARN": f"arn:aws:iam::{service.account}:role/{ROLE}",
        "CreationTime": time.time(),
        "SuspendedState": dict.fromkeys(SUSPENDED, False),
        "ScalableTargetARN": (
            f"arn:aws:application-autoscaling:{service.region}:{service.account}:scalable-target/0ec5{own}"
        ),
        **(known or {}),
        **{member: request[member] for member in ("MinCapacity", "MaxCapacity") if member in request},
    }
    record["SuspendedState"] |= request.get("SuspendedState", {})
    if not 0 <= record["MinCapacity"] <= record["MaxCapacity"]:
        raise ValidationException(
            f"Maximum capacity {record['MaxCapacity']} must be at least minimum capacity {record['MinCapacity']}, "
            "and both at least 0."
        )
    table(service).put(key, record)
    tracking.keep_to_limits(service, record)
    return {"ScalableTargetARN": record["ScalableTargetARN"]}


def describe(service: Service, request: Input) -> Output:
    """DescribeScalableTargets."""
    records = [r for r in table(service).all() if matches(r, request)]
    if "ResourceIds" in request:
        records = [record for record in records if record["ResourceId"] in request["ResourceIds"]]
    shown, token = slice_of(records, request, PAGE)
    return {"ScalableTargets": shown, "NextToken": token}


def deregister(service: Service, request: Input) -> Output:
    """DeregisterScalableTarget: its policies go with it."""
    key = key_of(request)
    get(service, request)
    table(service).delete(key)
    policies = service.store.table("scaling-policy")
    for record in policies.all():
        if key_of(record) == key:
            policies.delete(f"{key}/{record['PolicyName']}")
    return {}


def get(service: Service, request: Input) -> Record:
    """The target that a request names. Raises ObjectNotFoundException."""
    found = table(service).find(key_of(request))
    if found is None:
        raise AwsError(
            "ObjectNotFoundException",
            f"No scalable target found for service namespace: {request['ServiceNamespace']}, resource ID: "
            f"{request['ResourceId']}, scalable dimension: {request['ScalableDimension']}",
        )
    return found


def table(service: Service) -> Table:
    """Targets by key_of."""
    return service.store.table(KIND)


def matches(record: Record, request: Input) -> bool:
    """Whether a record is one that a Describe operation asks for."""
    members = ("ServiceNamespace", "ScalableDimension", "ResourceId")
    return all(record[member] == request[member] for member in members if member in request)


def key_of(request: dict[str, Any]) -> str:
    """Name of a target in the table. Raises ValidationException for what the local platform cannot scale."""
    if request["ServiceNamespace"] != NAMESPACE or request["ScalableDimension"] != DIMENSION:
        raise ValidationException(
            f"The local platform scales {DIMENSION} only, not {request['ScalableDimension']} of "
            f"{request['ServiceNamespace']}."
        )
    return f"{request['ResourceId']}"


def variant_of(resource_id: str) -> tuple[str, str]:
    """(endpoint, variant) of endpoint/<endpoint>/variant/<variant>. Raises ValidationException."""
    found = _VARIANT.fullmatch(resource_id)
    if not found:
        raise ValidationException(f"Unsupported resource type: {resource_id} is not endpoint/<name>/variant/<name>.")
    return found["endpoint"], found["variant"]


OPERATIONS: dict[str, Operation] = {
    "RegisterScalableTarget": register,
    "DescribeScalableTargets": describe,
    "DeregisterScalableTarget": deregister,
}
