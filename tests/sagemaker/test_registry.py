"""Model registry: versions of a group, approval, stages, lists page by page, and the events that AWS sends."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.checked import Aws, unique
from tests.waiting import eventually

IMAGE = "000000000000.dkr.ecr.us-east-1.amazonaws.com/cuatro-models:local"
MODEL: dict[str, Any] = {
    "Containers": [{"Image": IMAGE, "ModelDataUrl": "s3://models/model.tar.gz"}],
    "SupportedContentTypes": ["application/json"],
    "SupportedResponseMIMETypes": ["application/json"],
}


@pytest.fixture
def group(sagemaker: Any) -> str:
    name = unique("group")
    sagemaker.create_model_package_group(ModelPackageGroupName=name, ModelPackageGroupDescription="of a test")
    return name


def register(sagemaker: Any, group: str, **members: Any) -> str:
    request = {"ModelPackageGroupName": group, "InferenceSpecification": MODEL, **members}
    return str(sagemaker.create_model_package(**request)["ModelPackageArn"])


def test_versions_are_numbered_and_keep_what_they_were_registered_with(sagemaker: Any, group: str) -> None:
    first = register(sagemaker, group, CustomerMetadataProperties={"version": "a"}, ModelApprovalStatus="Approved")
    second = register(sagemaker, group, ModelMetrics={"ModelQuality": {"Statistics": {
        "ContentType": "application/json", "S3Uri": "s3://models/evaluation.json"}}})  # fmt: skip
    assert first.endswith(f":model-package/{group}/1")
    assert second.endswith(f":model-package/{group}/2")
    described = sagemaker.describe_model_package(ModelPackageName=first)
    assert described["CustomerMetadataProperties"] == {"version": "a"}
    assert described["ModelApprovalStatus"] == "Approved"
    assert described["InferenceSpecification"] == MODEL
    by_name = sagemaker.describe_model_package(ModelPackageName=f"{group}/2")
    assert by_name["ModelApprovalStatus"] == "PendingManualApproval"
    assert by_name["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"] == "s3://models/evaluation.json"


def test_a_deleted_versions_number_is_not_given_again(sagemaker: Any, group: str) -> None:
    arn = register(sagemaker, group)
    sagemaker.delete_model_package(ModelPackageName=arn)
    with pytest.raises(ClientError, match="does not exist"):
        sagemaker.describe_model_package(ModelPackageName=arn)
    assert register(sagemaker, group).endswith("/2")


def test_the_same_client_token_registers_once(sagemaker: Any, group: str) -> None:
    token = unique("token")
    assert register(sagemaker, group, ClientToken=token) == register(sagemaker, group, ClientToken=token)
    assert len(sagemaker.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"]) == 1


def test_approval_stage_and_properties_are_updated(sagemaker: Any, group: str) -> None:
    arn = register(sagemaker, group, CustomerMetadataProperties={"a": "1", "b": "2"})
    sagemaker.update_model_package(
        ModelPackageArn=arn, ModelApprovalStatus="Approved", ApprovalDescription="better by 0.02",
        CustomerMetadataProperties={"b": "3", "c": "4"}, CustomerMetadataPropertiesToRemove=["a"],
    )  # fmt: skip
    stage = {"Stage": "Shadow", "StageStatus": "InProgress", "StageDescription": "scores live traffic"}
    sagemaker.update_model_package(ModelPackageArn=arn, ModelLifeCycle=stage)
    described = sagemaker.describe_model_package(ModelPackageName=arn)
    assert described["ModelApprovalStatus"] == "Approved"
    assert described["ApprovalDescription"] == "better by 0.02"
    assert described["CustomerMetadataProperties"] == {"b": "3", "c": "4"}
    assert described["ModelLifeCycle"] == stage
    assert described["LastModifiedTime"] >= described["CreationTime"]


def test_a_package_without_a_group_has_no_approval(sagemaker: Any) -> None:
    name = unique("package")
    arn = sagemaker.create_model_package(ModelPackageName=name, InferenceSpecification=MODEL)["ModelPackageArn"]
    assert sagemaker.describe_model_package(ModelPackageName=name)["ModelPackageArn"] == arn
    with pytest.raises(ClientError, match="versioned"):
        sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    with pytest.raises(ClientError, match="already exists"):
        sagemaker.create_model_package(ModelPackageName=name, InferenceSpecification=MODEL)
    names = [p["ModelPackageName"] for p in sagemaker.list_model_packages(NameContains=name)["ModelPackageSummaryList"]]
    assert names == [name]


def test_lists_are_filtered_sorted_and_paged(sagemaker: Any, group: str) -> None:
    for approval in ("Approved", "Rejected", "Approved", "PendingManualApproval", "Approved"):
        register(sagemaker, group, ModelApprovalStatus=approval)
    pages = sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group, SortBy="CreationTime", SortOrder="Descending", PaginationConfig={"PageSize": 2}
    )
    numbers = [[p["ModelPackageVersion"] for p in page["ModelPackageSummaryList"]] for page in pages]
    assert numbers == [[5, 4], [3, 2], [1]]
    approved = sagemaker.list_model_packages(
        ModelPackageGroupName=group, ModelApprovalStatus="Approved", SortOrder="Ascending"
    )
    assert [p["ModelPackageVersion"] for p in approved["ModelPackageSummaryList"]] == [1, 3, 5]
    first = sagemaker.list_model_packages(ModelPackageGroupName=group, MaxResults=1)
    with pytest.raises(ClientError, match="NextToken"):
        sagemaker.list_model_packages(ModelApprovalStatus="Approved", NextToken=first["NextToken"])


def test_groups_are_described_listed_and_deleted_when_empty(sagemaker: Any) -> None:
    prefix = unique("many")
    for letter in "abc":
        sagemaker.create_model_package_group(ModelPackageGroupName=f"{prefix}-{letter}")
    listed = sagemaker.list_model_package_groups(NameContains=prefix, SortBy="Name", SortOrder="Descending")
    names = [group["ModelPackageGroupName"] for group in listed["ModelPackageGroupSummaryList"]]
    assert names == [f"{prefix}-c", f"{prefix}-b", f"{prefix}-a"]
    described = sagemaker.describe_model_package_group(ModelPackageGroupName=names[0])
    assert described["ModelPackageGroupStatus"] == "Completed"
    register(sagemaker, names[0])
    with pytest.raises(ClientError, match="still contains") as failed:
        sagemaker.delete_model_package_group(ModelPackageGroupName=names[0])
    assert failed.value.response["Error"]["Code"] == "ConflictException"
    sagemaker.delete_model_package_group(ModelPackageGroupName=described["ModelPackageGroupArn"][:-1] + "b")
    with pytest.raises(ClientError, match="does not exist"):
        sagemaker.describe_model_package_group(ModelPackageGroupName=names[1])
    with pytest.raises(ClientError, match="already exists"):
        sagemaker.create_model_package_group(ModelPackageGroupName=names[0])


def test_every_change_is_told_on_the_default_bus(aws: Aws, sagemaker: Any, group: str) -> None:
    events, sqs = aws.client("events"), aws.client("sqs")
    queue = sqs.create_queue(QueueName=unique("events"))["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allow = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage",
             "Resource": arn}  # fmt: skip
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    rule = unique("rule")
    pattern = {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Model Package State Change"],
        "detail": {
            "ModelPackageGroupName": [group],
            "ModelApprovalStatus": ["Approved"],
            "UpdatedModelPackageFields": [{"exists": False}, "ModelApprovalStatus"],
        },
    }
    events.put_rule(Name=rule, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=rule, Targets=[{"Id": "queue", "Arn": arn}])
    waiting = register(sagemaker, group)
    sagemaker.update_model_package(ModelPackageArn=waiting, ModelApprovalStatus="Approved")
    sagemaker.update_model_package(  # an approved package's stage: the same event, but not what the rule asks for
        ModelPackageArn=waiting, ModelLifeCycle={"Stage": "Shadow", "StageStatus": "InProgress"}
    )
    at_once = register(sagemaker, group, ModelApprovalStatus="Approved")
    seen: list[dict[str, Any]] = []

    def both() -> bool:
        for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
            seen.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return any(at_once in event["resources"] for event in seen)

    eventually(both, "the event of the second registration")
    assert [event["detail"]["ModelPackageArn"] for event in seen] == [waiting, at_once]
    assert seen[0]["detail"]["UpdatedModelPackageFields"] == ["ModelApprovalStatus"]
    assert seen[0]["detail"]["InferenceSpecification"] == MODEL
