"""Scaling policies: target tracking on invocations per instance, which is what an endpoint's variant is scaled by."""

import time
import uuid

from local.aws.errors import AwsError, ValidationException
from local.aws.paging import slice_of
from local.aws.service import Input, Operation, Output, Service
from local.aws.store import Table
from local.sagemaker.scaling import targets, tracking

KIND = "scaling-policy"
TRACKING = "TargetTrackingScaling"
CONFIGURATION = "TargetTrackingScalingPolicyConfiguration"
METRIC = "SageMakerVariantInvocationsPerInstance"
PAGE = 50


def put(service: Service, request: Input) -> Output:
    """PutScalingPolicy: makes or replaces it."""
    target = targets.get(service, request)
    key = f"{targets.key_of(request)}/{request['PolicyName']}"
    known = _table(service).find(key) or {}
    kind = request.get("PolicyType", known.get("PolicyType", "StepScaling"))
    if kind != TRACKING or CONFIGURATION not in {**known, **request}:
        raise ValidationException(f"The local platform has policies of type {TRACKING} with {CONFIGURATION} only.")
    configuration = request.get(CONFIGURATION, known.get(CONFIGURATION, {}))
    metric = configuration.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType")
    if metric != METRIC:
        raise ValidationException(f"The local platform tracks {METRIC} only, not {metric or 'a metric of your own'}.")
    if configuration["TargetValue"] <= 0:
        raise ValidationException("TargetValue must be greater than 0.")
    arn = (
        f"arn:aws:autoscaling:{service.region}:{service.account}:scalingPolicy:{uuid.uuid4()}:resource/"
        f"{targets.NAMESPACE}/{request['ResourceId']}:policyName/{request['PolicyName']}"
    )
    record = {
        "PolicyARN": arn,
        "CreationTime": time.time(),
        **known,
        **{member: request[member] for member in ("PolicyName", "ServiceNamespace", "ResourceId", "ScalableDimension")},
        "PolicyType": kind,
        CONFIGURATION: configuration,
        "Alarms": [],
    }
    _table(service).put(key, record)
    tracking.keep_to_limits(service, target)
    return {"PolicyARN": record["PolicyARN"], "Alarms": record["Alarms"]}


def describe(service: Service, request: Input) -> Output:
    """DescribeScalingPolicies."""
    records = [record for record in _table(service).all() if targets.matches(record, request)]
    if "PolicyNames" in request:
        records = [record for record in records if record["PolicyName"] in request["PolicyNames"]]
    shown, token = slice_of(records, request, PAGE)
    return {"ScalingPolicies": shown, "NextToken": token}


def delete(service: Service, request: Input) -> Output:
    """DeleteScalingPolicy."""
    key = f"{targets.key_of(request)}/{request['PolicyName']}"
    if _table(service).find(key) is None:
        raise AwsError("ObjectNotFoundException", f"No scaling policy found with the name {request['PolicyName']}.")
    _table(service).delete(key)
    return {}


def _table(service: Service) -> Table:
    return service.store.table(KIND)


OPERATIONS: dict[str, Operation] = {
    "PutScalingPolicy": put,
    "DescribeScalingPolicies": describe,
    "DeleteScalingPolicy": delete,
}
