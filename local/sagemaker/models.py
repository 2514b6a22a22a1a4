"""CreateModel and what belongs to it: a model is an image, its artefact and a role, checked before anything starts.

One container a model: inference pipelines and multi-model containers are refused, and so is what only AWS can do.
"""

import time
from typing import Any

from local.aws import paging, roles
from local.aws.errors import ValidationException
from local.aws.service import Input, Operation, Output, Service
from local.aws.store import Record
from local.sagemaker import tags

TABLE = "model"
_KEPT = ("PrimaryContainer", "Containers", "ExecutionRoleArn", "VpcConfig")
_UNSERVED = ("AdditionalModelDataSources", "MultiModelConfig", "ImageConfig")


def create(service: Service, given: Input) -> Output:
    """CreateModel."""
    name = given["ModelName"]
    arn = service.arn(TABLE, name)
    containers = [*given.get("Containers", []), *([given["PrimaryContainer"]] if "PrimaryContainer" in given else [])]
    if not containers:
        raise ValidationException("You must provide either PrimaryContainer or Containers.")
    if "Containers" in given and "PrimaryContainer" in given:
        raise ValidationException("You cannot specify both PrimaryContainer and Containers.")
    if len(containers) > 1:
        raise _unserved("A model of several containers (an inference pipeline)")
    container = _resolved(service, containers[0])
    if "ExecutionRoleArn" in given:
        roles.check(service, given["ExecutionRoleArn"])
    elif "ModelDataUrl" in container:
        raise ValidationException("You must provide ExecutionRoleArn: it downloads the model data.")
    record: Record = {
        "ModelName": name,
        "ModelArn": arn,
        **{member: given[member] for member in _KEPT if member in given},
        "EnableNetworkIsolation": given.get("EnableNetworkIsolation", False),
        "CreationTime": time.time(),
        "_container": container,
    }
    if not service.store.table(TABLE).create(name, record):
        raise ValidationException(f'Cannot create already existing model "{arn}".')
    tags.given(service, arn, given.get("Tags"))
    return {"ModelArn": arn}


def describe(service: Service, given: Input) -> Output:
    """DescribeModel."""
    return found(service, given["ModelName"])


def delete(service: Service, given: Input) -> Output:
    """DeleteModel. What serves already goes on: its endpoint has its own copy."""
    tags.forget(service, found(service, given["ModelName"])["ModelArn"])
    service.store.table(TABLE).delete(given["ModelName"])
    return {}


def list_models(service: Service, given: Input) -> Output:
    """ListModels."""
    return paging.answer(service.store.table(TABLE).all(), given, "Models", "ModelName")


def found(service: Service, name: str) -> Record:
    """The model's record. Raises ValidationException, as AWS does."""
    record = service.store.table(TABLE).find(name)
    if record is None:
        raise ValidationException(f'Could not find model "{service.arn(TABLE, name)}".')
    return record


def _resolved(service: Service, container: dict[str, Any]) -> dict[str, Any]:
    """The container with Image and ModelDataUrl, taken from its model package where it names one."""
    for member in _UNSERVED:
        if member in container:
            raise _unserved(f"{member} of a container")
    if container.get("Mode", "SingleModel") != "SingleModel":
        raise _unserved("A multi-model container")
    if "ModelPackageName" in container:
        container = {**_packaged(service, container["ModelPackageName"]), **container}
    if "Image" not in container:
        raise ValidationException("You must provide Image or ModelPackageName of the container.")
    source = container.get("ModelDataSource", {}).get("S3DataSource")
    if source:
        if "ModelDataUrl" in container:
            raise ValidationException("You cannot specify both ModelDataUrl and ModelDataSource of a container.")
        if (source["S3DataType"], source["CompressionType"]) != ("S3Object", "Gzip"):
            raise _unserved("ModelDataSource of another kind than S3DataType S3Object with CompressionType Gzip")
        container = {**container, "ModelDataUrl": source["S3Uri"]}
    return container


def _packaged(service: Service, name: str) -> dict[str, Any]:
    """Image, artefact and environment of an approved model package, named by its ARN."""
    arn = name if name.startswith("arn:") else service.arn("model-package", name)
    packages = service.store.table("model-package").all()
    package = next((record for record in packages if record["ModelPackageArn"] == arn), None)
    if package is None:
        raise ValidationException(f"ModelPackage {arn} does not exist.")
    if package.get("ModelApprovalStatus", "Approved") != "Approved":
        raise ValidationException(f"Model package {arn} is not in Approved status: approve it to deploy it.")
    containers = package.get("InferenceSpecification", {}).get("Containers", [])
    if len(containers) != 1:
        raise _unserved("A model package that has not one container")
    taken = ("Image", "ModelDataUrl", "ModelDataSource", "Environment")
    return {member: containers[0][member] for member in taken if member in containers[0]}


def _unserved(what: str) -> ValidationException:
    return ValidationException(f"{what} is not served by the local platform, only by AWS: see docs/parity.md.")


OPERATIONS: dict[str, Operation] = {
    "CreateModel": create,
    "DescribeModel": describe,
    "DeleteModel": delete,
    "ListModels": list_models,
}
