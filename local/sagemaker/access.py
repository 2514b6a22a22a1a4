"""(operation, input) -> ARNs that the action is checked on, by AWS's service authorization reference for SageMaker."""

from typing import Any

from local.aws.caller import Access
from local.aws.protocol import Call
from local.aws.service import Service

# Member of the input that names a resource -> kind in its ARN. An ARN in its place is taken as it is.
KINDS = {
    "TrainingJobName": "training-job",
    "ProcessingJobName": "processing-job",
    "TransformJobName": "transform-job",
    "ModelName": "model",
    "EndpointName": "endpoint",
    "EndpointConfigName": "endpoint-config",
    "PipelineName": "pipeline",
    "ModelPackageGroupName": "model-package-group",
    "ModelPackageName": "model-package",
    "FeatureGroupName": "feature-group",
}
ARNS = ("ResourceArn", "PipelineExecutionArn", "ModelPackageArn")
# What a List operation is of, where it is not of everything in the account.
LISTED_OF = {"ResourceArn", "PipelineExecutionArn", "PipelineName"}
# AWS checks these on every resource they name, and the rest on the first.
SEVERAL = {"CreateEndpoint", "UpdateEndpoint"}


def resources(service: Service, call: Call, given: dict[str, Any]) -> list[str]:
    """ARNs that the action is checked on; "*" for an action that has no resource."""
    if call.name.startswith("List") and not given.keys() & LISTED_OF:
        return ["*"]
    if call.name == "BatchGetRecord":
        groups = [each.get("FeatureGroupName", "") for each in given.get("Identifiers", [])]
        return [_arn(service, "feature-group", group) for group in groups] or ["*"]
    if call.name == "CreateModelPackage" and "ModelPackageGroupName" in given:
        group = given["ModelPackageGroupName"].rpartition("/")[2]
        return [service.arn("model-package", f"{group}/*")]
    named = [given[member] for member in ARNS if member in given]
    named += [_arn(service, kind, given[member]) for member, kind in KINDS.items() if given.get(member)]
    return (named if call.name in SEVERAL else named[:1]) or ["*"]


def _arn(service: Service, kind: str, name: str) -> str:
    return name if name.startswith("arn:") else service.arn(kind, name)


ACCESS = Access(resources, tagging="AddTags", passed=("RoleArn", "ExecutionRoleArn"))
