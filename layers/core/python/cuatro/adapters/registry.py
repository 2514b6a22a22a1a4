"""Versions of a model in SageMaker's registry: what they are, and where they stand on their way."""

from typing import Literal, NamedTuple

from cuatro.adapters.aws import called

Stage = Literal["Shadow", "Canary", "Production", "Retired", "RolledBack"]
StageStatus = Literal["InProgress", "Succeeded", "Failed"]
_DESCRIPTION = 1024


class Package(NamedTuple):
    """version, sha256 (of model.onnx), feature_set: as the pipeline registered them. artefact: URI of model.tar.gz."""

    arn: str
    approval: str
    version: str
    sha256: str
    artefact: str
    feature_set: str = ""


def package(arn: str) -> Package:
    """Raises Unavailable or Refused."""
    found = called("sagemaker", "describe_model_package", ModelPackageName=arn)
    told = found.get("CustomerMetadataProperties") or {}
    containers = (found.get("InferenceSpecification") or {}).get("Containers") or [{}]
    return Package(
        found["ModelPackageArn"],
        found.get("ModelApprovalStatus", ""),
        told.get("version", ""),
        told.get("model_sha256", ""),
        containers[0].get("ModelDataUrl", ""),
        told.get("feature_set", ""),
    )


def stage(arn: str, name: Stage, status: StageStatus, description: str) -> None:
    """Write where a version stands. Raises Unavailable or Refused."""
    cycle = {"Stage": name, "StageStatus": status, "StageDescription": " ".join(description.split())[:_DESCRIPTION]}
    called("sagemaker", "update_model_package", ModelPackageArn=arn, ModelLifeCycle=cycle)
