"""Endpoint configuration -> plan of a deployment: everything that serving it needs, as JSON in the endpoint's record.

A plan has its own copy of the models: on AWS, too, what serves goes on when a model or a configuration is deleted.
"""

import time
import uuid
from collections.abc import Collection
from typing import Any

from local.aws.service import Service
from local.aws.store import Record
from local.sagemaker import models

Plan = dict[str, Any]
_OF_VARIANT = ("InstanceType", "ServerlessConfig", "ContainerStartupHealthCheckTimeoutInSeconds")


def plan(service: Service, config: Record, eager: bool) -> Plan:
    """The plan. `eager`: serverless variants, too, must answer once before they get traffic."""
    return {
        "id": uuid.uuid4().hex[:12],
        "config": config["EndpointConfigName"],
        "eager": eager,
        "variants": [_variant(service, variant) for variant in config["ProductionVariants"]],
        "capture": config.get("DataCaptureConfig"),
        "async": config.get("AsyncInferenceConfig"),
        "resolved": time.time(),
    }


def retain(new: Plan, old: Plan, excluded: Collection[str]) -> None:
    """Weights, instance counts and data capture stay as they are, but for the excluded kinds of property."""
    known = {variant["VariantName"]: variant for variant in old["variants"]}
    for variant in new["variants"]:
        before = known.get(variant["VariantName"])
        if before and "DesiredWeight" not in excluded:
            variant["weight"] = before["weight"]
        if before and "DesiredInstanceCount" not in excluded and "InstanceType" in variant:
            variant["count"] = before["count"]
    if "DataCaptureConfig" not in excluded:
        new["capture"] = old["capture"]


def described(found: Plan) -> dict[str, Any]:
    """Members of DescribeEndpoint that follow from a plan."""
    members: dict[str, Any] = {
        "EndpointConfigName": found["config"],
        "ProductionVariants": [_summary(variant, found["resolved"]) for variant in found["variants"]],
        "DataCaptureConfig": None,
        "AsyncInferenceConfig": found["async"],
    }
    capture = found["capture"]
    if capture:
        on = capture.get("EnableCapture", True)
        members["DataCaptureConfig"] = {
            "EnableCapture": on,
            "CaptureStatus": "Started" if on else "Stopped",
            "CurrentSamplingPercentage": capture["InitialSamplingPercentage"],
            "DestinationS3Uri": capture["DestinationS3Uri"],
            "KmsKeyId": capture.get("KmsKeyId", ""),
        }
    return members


def _variant(service: Service, given: dict[str, Any]) -> dict[str, Any]:
    return {
        "VariantName": given["VariantName"],
        "model": models.found(service, given["ModelName"]),
        "weight": given["InitialVariantWeight"],
        "count": given.get("InitialInstanceCount", 1),
        **{member: given[member] for member in _OF_VARIANT if member in given},
    }


def _summary(variant: dict[str, Any], resolved: float) -> dict[str, Any]:
    image = variant["model"]["_container"]["Image"]
    summary = {
        "VariantName": variant["VariantName"],
        "DeployedImages": [{"SpecifiedImage": image, "ResolvedImage": image, "ResolutionTime": resolved}],
        "CurrentWeight": variant["weight"],
        "DesiredWeight": variant["weight"],
    }
    if "ServerlessConfig" in variant:
        summary |= {"CurrentInstanceCount": 0, "DesiredInstanceCount": 0}
        summary |= dict.fromkeys(("CurrentServerlessConfig", "DesiredServerlessConfig"), variant["ServerlessConfig"])
    else:
        summary |= {"CurrentInstanceCount": variant["count"], "DesiredInstanceCount": variant["count"]}
    return summary
