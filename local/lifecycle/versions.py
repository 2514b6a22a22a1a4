"""Model registry -> the versions of a pipeline's model with their figures and where each of them stands."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from local.lifecycle.control import Control
from local.platform.errors import PlatformError

SHIPPED = 0
"""Number of the model that came with the deployment; it is in no registry."""


@dataclass(frozen=True)
class Metric:
    """What versions are compared by: its heading, and in words."""

    short: str
    words: str


METRICS = {
    "average_precision": Metric("AP", "average precision"),
    "macro_recall": Metric("recall", "mean recall of the classes"),
    "ndcg_10": Metric("NDCG@10", "NDCG of the first ten items"),
}


@dataclass(frozen=True)
class Version:
    """A row of `cuatro models`. Figures are of the gate's evaluation; None where there was none.

    metric: which figure it is, a name of METRICS, and of which `gain` is.
    """

    number: int
    name: str
    arn: str
    created: datetime | None
    approval: str
    stage: str
    note: str
    metric: str
    figure: float | None
    gain: float | None
    reason: str

    @property
    def live(self) -> bool:
        """Does it decide?"""
        return self.stage == "Production"


def versions(control: Control) -> list[Version]:
    """The newest first; last the one that came with the deployment."""
    pages = control.sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=control.group, SortBy="CreationTime", SortOrder="Descending"
    )
    found = [_version(control, each["ModelPackageArn"]) for page in pages for each in page["ModelPackageSummaryList"]]
    return [*found, shipped(control, decides=not any(each.live for each in found))]


def version(control: Control, number: int) -> Version:
    """Raises PlatformError when there is no such version."""
    for each in versions(control):
        if each.number == number and each.arn:
            return each
    raise PlatformError(
        f"Version {number} is not in the registry.", f"`cuatro models {control.pipeline}` lists what there is."
    )


def shipped(control: Control, *, decides: bool) -> Version:
    """The model that the stack deploys."""
    function = control.outputs["ChampionFunction"]
    configuration = control.connection.client("lambda").get_function_configuration(FunctionName=function)
    name = configuration["Environment"]["Variables"]["SHIPPED_VERSION"]
    stage = "Production" if decides else "Retired"
    return Version(SHIPPED, name, "", None, "", stage, "came with the deployment", "", None, None, "")


def decide(control: Control, number: int, *, approved: bool, why: str) -> Version:
    """Approve or reject a version; an approved one is rolled out by itself."""
    found = version(control, number)
    control.sagemaker.update_model_package(
        ModelPackageArn=found.arn,
        ModelApprovalStatus="Approved" if approved else "Rejected",
        ApprovalDescription=why,
    )
    return version(control, number)


def _version(control: Control, arn: str) -> Version:
    package = control.sagemaker.describe_model_package(ModelPackageName=arn)
    told: dict[str, str] = package.get("CustomerMetadataProperties", {})
    cycle: dict[str, Any] = package.get("ModelLifeCycle", {})
    approval = package["ModelApprovalStatus"]
    metric = told.get("metric") or next((name for name in METRICS if name in told), "")
    return Version(
        number=package["ModelPackageVersion"],
        name=told.get("version", ""),
        arn=arn,
        created=package["CreationTime"],
        approval=approval,
        stage=cycle.get("Stage", ""),
        note=cycle.get("StageDescription", "") or package.get("ApprovalDescription", ""),
        metric=metric,
        figure=_number(told.get(metric)),
        gain=_number(told.get("gain")),
        reason=told.get("reason", ""),
    )


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
