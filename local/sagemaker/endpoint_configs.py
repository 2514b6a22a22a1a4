"""CreateEndpointConfig and what belongs to it: which models an endpoint serves, on what, with which weights.

Refused with a reason: what AWS refuses too (a serverless variant beside another, with data capture or asynchronous),
and what only AWS can do.
"""

import time
from typing import Any

from local.aws import paging
from local.aws.errors import ValidationException
from local.aws.service import Input, Operation, Output, Service
from local.aws.store import Record
from local.sagemaker import models, tags

TABLE = "endpoint-config"
MEMORY_SIZES = (1024, 2048, 3072, 4096, 5120, 6144)
_UNSERVED = ("ShadowProductionVariants", "ExplainerConfig")
_UNSERVED_OF_VARIANTS = ("AcceleratorType", "CoreDumpConfig", "ManagedInstanceScaling", "InstancePools")
_KEPT = ("DataCaptureConfig", "KmsKeyId", "AsyncInferenceConfig", "ExecutionRoleArn", "VpcConfig", "MetricsConfig")


def create(service: Service, given: Input) -> Output:
    """CreateEndpointConfig."""
    name = given["EndpointConfigName"]
    arn = service.arn(TABLE, name)
    for member in _UNSERVED:
        if member in given:
            raise _unserved(member)
    variants = [_variant(service, variant) for variant in given["ProductionVariants"]]
    names = [variant["VariantName"] for variant in variants]
    if len(set(names)) < len(names):
        raise ValidationException(f"Variant names must be unique within an endpoint configuration: {names}.")
    _check_together(given, variants)
    _check_outputs(given)
    record = {
        "EndpointConfigName": name,
        "EndpointConfigArn": arn,
        "ProductionVariants": variants,
        **{member: given[member] for member in _KEPT if member in given},
        "EnableNetworkIsolation": given.get("EnableNetworkIsolation", False),
        "CreationTime": time.time(),
    }
    if not service.store.table(TABLE).create(name, record):
        raise ValidationException(f'Cannot create already existing endpoint configuration "{arn}".')
    tags.given(service, arn, given.get("Tags"))
    return {"EndpointConfigArn": arn}


def describe(service: Service, given: Input) -> Output:
    """DescribeEndpointConfig."""
    return found(service, given["EndpointConfigName"])


def delete(service: Service, given: Input) -> Output:
    """DeleteEndpointConfig. What serves already goes on: its endpoint has its own copy."""
    tags.forget(service, found(service, given["EndpointConfigName"])["EndpointConfigArn"])
    service.store.table(TABLE).delete(given["EndpointConfigName"])
    return {}


def list_configs(service: Service, given: Input) -> Output:
    """ListEndpointConfigs."""
    return paging.answer(service.store.table(TABLE).all(), given, "EndpointConfigs", "EndpointConfigName")


def found(service: Service, name: str) -> Record:
    """The configuration's record. Raises ValidationException, as AWS does."""
    record = service.store.table(TABLE).find(name)
    if record is None:
        raise ValidationException(f'Could not find endpoint configuration "{service.arn(TABLE, name)}".')
    return record


def _variant(service: Service, given: dict[str, Any]) -> dict[str, Any]:
    """A production variant with its defaults."""
    name = given["VariantName"]
    for member in _UNSERVED_OF_VARIANTS:
        if member in given:
            raise _unserved(f"{member} of a variant")
    if "ModelName" not in given:
        raise _unserved("A variant without ModelName (inference components)")
    models.found(service, given["ModelName"])
    variant = {"InitialVariantWeight": 1.0, **given}
    serverless = variant.get("ServerlessConfig")
    if serverless is None:
        if "InstanceType" not in variant or "InitialInstanceCount" not in variant:
            raise ValidationException(
                f"Production variant {name} needs either ServerlessConfig, or InstanceType and InitialInstanceCount."
            )
        return variant
    if "InstanceType" in variant or "InitialInstanceCount" in variant:
        raise ValidationException(
            f"Production variant {name} has ServerlessConfig: InstanceType and InitialInstanceCount do not go with it."
        )
    if serverless["MemorySizeInMB"] not in MEMORY_SIZES:
        raise ValidationException(
            f"MemorySizeInMB of variant {name} must be one of {', '.join(map(str, MEMORY_SIZES))}, "
            f"not {serverless['MemorySizeInMB']}."
        )
    if serverless.get("ProvisionedConcurrency", 0) > serverless["MaxConcurrency"]:
        raise ValidationException(f"ProvisionedConcurrency of variant {name} must not exceed its MaxConcurrency.")
    return variant


def _check_together(given: Input, variants: list[dict[str, Any]]) -> None:
    """Raises ValidationException for combinations that AWS does not have either."""
    asynchronous = "AsyncInferenceConfig" in given
    if any("ServerlessConfig" in variant for variant in variants):
        if len(variants) > 1:
            raise ValidationException("An endpoint configuration with a serverless variant can have only that one.")
        if given.get("DataCaptureConfig", {"EnableCapture": False}).get("EnableCapture", True):
            raise ValidationException("DataCaptureConfig is not supported for serverless endpoints.")
        for member in ("AsyncInferenceConfig", "VpcConfig"):
            if member in given:
                raise ValidationException(f"{member} is not supported for serverless endpoints.")
        if given.get("EnableNetworkIsolation"):
            raise ValidationException("Network isolation is not supported for serverless endpoints.")
    if asynchronous and len(variants) > 1:
        raise ValidationException("An asynchronous endpoint can have only one production variant.")


def _check_outputs(given: Input) -> None:
    """Raises ValidationException when it is not said where answers are to be written."""
    capture = given.get("DataCaptureConfig")
    if capture and not capture["DestinationS3Uri"].startswith("s3://"):
        raise ValidationException("DestinationS3Uri of DataCaptureConfig must begin with s3://.")
    asynchronous = given.get("AsyncInferenceConfig")
    if asynchronous and not asynchronous["OutputConfig"].get("S3OutputPath", "").startswith("s3://"):
        raise ValidationException("S3OutputPath of AsyncInferenceConfig must begin with s3://.")


def _unserved(what: str) -> ValidationException:
    return ValidationException(f"{what} is not served by the local platform, only by AWS: see docs/parity.md.")


OPERATIONS: dict[str, Operation] = {
    "CreateEndpointConfig": create,
    "DescribeEndpointConfig": describe,
    "DeleteEndpointConfig": delete,
    "ListEndpointConfigs": list_configs,
}
