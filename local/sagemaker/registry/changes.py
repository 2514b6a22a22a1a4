"""A changed model package -> "SageMaker Model Package State Change" on the default bus, in AWS's members."""

from collections.abc import Sequence
from datetime import UTC, datetime

from local.aws.service import Service
from local.aws.store import Record

DETAIL_TYPE = "SageMaker Model Package State Change"
MEMBERS = (
    "ModelPackageName", "ModelPackageGroupName", "ModelPackageVersion", "ModelPackageArn", "ModelPackageDescription",
    "InferenceSpecification", "SourceAlgorithmSpecification", "ModelPackageStatus", "ModelPackageStatusDetails",
    "CertifyForMarketplace", "ModelApprovalStatus", "MetadataProperties", "ModelMetrics", "ApprovalDescription",
    "CustomerMetadataProperties", "DriftCheckBaselines", "SourceUri",
)  # fmt: skip
STAGE = {"Stage": "stage", "StageStatus": "stageStatus", "StageDescription": "stageDescription"}


def tell(service: Service, record: Record, changed: Sequence[str] = ()) -> None:
    """Sends the event; `changed` names the members that an update gave."""
    detail = {member: record[member] for member in MEMBERS if record.get(member) is not None}
    if "ModelPackageVersion" in detail:
        del detail["ModelPackageName"]  # a version has its group's
    for member in ("CreationTime", "LastModifiedTime"):
        if member in record:
            detail[member] = datetime.fromtimestamp(record[member], UTC).isoformat(timespec="milliseconds")
    if "ModelLifeCycle" in record:
        detail["ModelLifeCycle"] = {STAGE[member]: value for member, value in record["ModelLifeCycle"].items()}
    if changed:
        detail["UpdatedModelPackageFields"] = list(changed)
    service.event(DETAIL_TYPE, detail, [record["ModelPackageArn"]])
