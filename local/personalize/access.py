"""(operation, input) -> ARNs that the action is checked on, by AWS's authorization reference for Personalize."""

from typing import Any

from local.aws.caller import Access
from local.aws.protocol import Call
from local.aws.service import Service
from local.personalize import trackers

# Operation -> kind of what it makes, and the member with its name.
MADE = {
    "CreateDatasetGroup": ("dataset-group", "name"), "CreateSchema": ("schema", "name"),
    "CreateDatasetImportJob": ("dataset-import-job", "jobName"), "CreateSolution": ("solution", "name"),
    "CreateCampaign": ("campaign", "name"), "CreateFilter": ("filter", "name"),
    "CreateBatchInferenceJob": ("batch-inference-job", "jobName"),
}  # fmt: skip
# The member that names the resource, the first that a request has.
NAMED = ("campaignArn", "batchInferenceJobArn", "datasetImportJobArn", "solutionVersionArn", "solutionArn", "filterArn",
         "eventTrackerArn", "datasetArn", "schemaArn", "datasetGroupArn", "recipeArn", "resourceArn")  # fmt: skip


def resources(service: Service, call: Call, given: dict[str, Any]) -> list[str]:
    """ARNs that the action is checked on; "*" for an action that has no resource."""
    if call.name.startswith("List") and call.name != "ListTagsForResource":
        return ["*"]
    if call.name in MADE:
        kind, member = MADE[call.name]
        return [service.arn(kind, given[member])] if isinstance(given.get(member), str) else ["*"]
    if call.name == "CreateDataset":
        group = str(given.get("datasetGroupArn", "")).rpartition("/")[2]
        return [service.arn("dataset", f"{group}/{str(given.get('datasetType', '')).upper()}")]
    if call.name == "CreateEventTracker":
        return [service.arn("event-tracker", "*")]
    if call.name == "PutEvents":
        tracker = trackers.tracking(service, str(given.get("trackingId")))
        return [tracker["eventTrackerArn"] if tracker else service.arn("event-tracker", "*")]
    return [given[member] for member in NAMED if given.get(member)][:1] or ["*"]


ACCESS = Access(resources, tagging="TagResource", passed=("roleArn",))
