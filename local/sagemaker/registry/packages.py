"""Model packages: one version of a model each, with its container, metrics, approval and stage."""

import time
from typing import Any

from local.aws.errors import ValidationException
from local.aws.paging import page
from local.aws.service import Input, Operation, Output, Service
from local.aws.store import Record, Table
from local.sagemaker import tags
from local.sagemaker.registry import groups
from local.sagemaker.registry.changes import tell

KIND = "model-package"
MOST_PROPERTIES = 50
KEPT = (
    "ModelPackageDescription", "ModelPackageRegistrationType", "InferenceSpecification", "ValidationSpecification",
    "SourceAlgorithmSpecification", "CertifyForMarketplace", "MetadataProperties", "ModelMetrics", "Domain", "Task",
    "SamplePayloadUrl", "CustomerMetadataProperties", "DriftCheckBaselines", "AdditionalInferenceSpecifications",
    "SkipModelValidation", "SourceUri", "SecurityConfig", "ModelCard", "ModelLifeCycle", "ManagedStorageType",
)  # fmt: skip
CHANGED = (
    "ModelApprovalStatus", "ModelPackageRegistrationType", "ApprovalDescription", "InferenceSpecification",
    "SourceUri", "ModelCard", "ModelLifeCycle",
)  # fmt: skip
SUMMARY = (
    "ModelPackageGroupName", "ModelPackageVersion", "ModelPackageArn", "ModelPackageDescription", "CreationTime",
    "ModelPackageStatus", "ModelApprovalStatus", "ModelLifeCycle", "ModelPackageRegistrationType",
)  # fmt: skip


def create(service: Service, request: Input) -> Output:
    """CreateModelPackage: the next version of its group, or a package of its own."""
    token = request.get("ClientToken")
    for known in _table(service).all():
        if token and known.get("_token") == token:
            return {"ModelPackageArn": known["ModelPackageArn"]}
    record = _named(service, request) | {member: request[member] for member in KEPT if member in request}
    record |= {
        "CreationTime": time.time(),
        "CreatedBy": {},
        "ModelPackageStatus": "Completed",
        "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
        "_token": token,
    }
    arn = record["ModelPackageArn"]
    if not _table(service).create(arn, record):
        raise ValidationException(f"Model Package already exists: {arn}")
    tags.given(service, arn, request.get("Tags"))
    tell(service, record)
    return {"ModelPackageArn": arn}


def describe(service: Service, request: Input) -> Output:
    """DescribeModelPackage."""
    return get(service, request["ModelPackageName"])


def update(service: Service, request: Input) -> Output:
    """UpdateModelPackage: approval, stage, properties; told with the names of what was changed."""
    arn = get(service, request["ModelPackageArn"])["ModelPackageArn"]
    changed = [member for member in CHANGED if member in request]

    def change(record: dict[str, Any]) -> None:
        if "ModelApprovalStatus" in request and "_group" not in record:
            raise ValidationException("ModelApprovalStatus can only be set on a versioned model package.")
        record |= {member: request[member] for member in changed}
        properties = {**record.get("CustomerMetadataProperties", {}), **request.get("CustomerMetadataProperties", {})}
        for key in request.get("CustomerMetadataPropertiesToRemove", ()):
            properties.pop(key, None)
        if len(properties) > MOST_PROPERTIES:
            raise ValidationException(f"A model package has at most {MOST_PROPERTIES} customer metadata properties.")
        if properties != record.get("CustomerMetadataProperties", {}):
            record["CustomerMetadataProperties"] = properties
            changed.append("CustomerMetadataProperties")
        added = request.get("AdditionalInferenceSpecificationsToAdd", [])
        if added:
            record["AdditionalInferenceSpecifications"] = record.get("AdditionalInferenceSpecifications", []) + added
            changed.append("AdditionalInferenceSpecifications")
        record["LastModifiedTime"] = time.time()
        record["LastModifiedBy"] = {}

    record = _table(service).change(arn, change)
    tell(service, record, changed)
    return {"ModelPackageArn": arn}


def listing(service: Service, request: Input) -> Output:
    """ListModelPackages: the versions of a group, or what ModelPackageType asks for (unversioned ones by default)."""
    records = _table(service).all()
    if "ModelPackageGroupName" in request:
        group = groups.get(service, request["ModelPackageGroupName"])["ModelPackageGroupArn"]
        records = [record for record in records if record.get("_group") == group]
    else:
        wanted = request.get("ModelPackageType", "Unversioned")
        records = [r for r in records if wanted == "Both" or ("_group" in r) == (wanted == "Versioned")]
    if "ModelApprovalStatus" in request:
        records = [r for r in records if r.get("ModelApprovalStatus") == request["ModelApprovalStatus"]]
    shown, token = page(records, request, name="_order", descending=False)
    return {"ModelPackageSummaryList": [_summary(record) for record in shown], "NextToken": token}


def delete(service: Service, request: Input) -> Output:
    """DeleteModelPackage."""
    arn = get(service, request["ModelPackageName"])["ModelPackageArn"]
    _table(service).delete(arn)
    tags.forget(service, arn)
    return {}


def get(service: Service, name: str) -> Record:
    """The package by its ARN, its name, or `group/version`. Raises ValidationException."""
    arn = name if name.startswith("arn:") else service.arn(KIND, name)
    found = _table(service).find(arn)
    if found is None:
        raise ValidationException(f"ModelPackage {arn} does not exist.")
    return found


def _named(service: Service, request: Input) -> Record:
    """The members that tell which package it is."""
    if ("ModelPackageName" in request) == ("ModelPackageGroupName" in request):
        raise ValidationException("Exactly one of ModelPackageName and ModelPackageGroupName must be given.")
    if not request.keys() & {"InferenceSpecification", "SourceAlgorithmSpecification", "SourceUri", "ModelCard"}:
        raise ValidationException("InferenceSpecification or SourceAlgorithmSpecification must be given.")
    if "ModelPackageName" in request:
        if "ModelApprovalStatus" in request:
            raise ValidationException("ModelApprovalStatus can only be set on a versioned model package.")
        name = request["ModelPackageName"]
        return {"ModelPackageName": name, "ModelPackageArn": service.arn(KIND, name), "_order": name}
    group = groups.get(service, request["ModelPackageGroupName"])
    name = group["ModelPackageGroupName"]
    version = groups.next_version(service, group)
    return {
        "ModelPackageName": name,
        "ModelPackageGroupName": name,
        "ModelPackageVersion": version,
        "ModelPackageArn": service.arn(KIND, f"{name}/{version}"),
        "ModelApprovalStatus": request.get("ModelApprovalStatus", "PendingManualApproval"),
        "_group": group["ModelPackageGroupArn"],
        "_order": f"{name}/{version:09}",
    }


def _summary(record: Record) -> Output:
    summary = {member: record.get(member) for member in SUMMARY}
    return summary if "_group" in record else {**summary, "ModelPackageName": record["ModelPackageName"]}


def _table(service: Service) -> Table:
    return service.store.table(KIND)


OPERATIONS: dict[str, Operation] = {
    "CreateModelPackage": create,
    "DescribeModelPackage": describe,
    "UpdateModelPackage": update,
    "ListModelPackages": listing,
    "DeleteModelPackage": delete,
}
