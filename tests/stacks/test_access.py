"""Least privilege: no wildcard action, no wildcard resource, nobody's managed policy, data only over TLS."""

import re
from typing import Any

import pytest

from tests.stacks.synthesis import TARGET_NAMES, Assembly, Resource, assembly

# AWS checks these on no resource at all.
WITHOUT_RESOURCE = {
    "ecr:GetAuthorizationToken", "cloudwatch:PutMetricData", "cloudwatch:DescribeAlarms", "logs:CreateLogDelivery",
    "logs:GetLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery", "logs:ListLogDeliveries",
    "logs:PutResourcePolicy", "logs:DescribeResourcePolicies", "logs:DescribeLogGroups",
}  # fmt: skip
# Service -> where an asterisk may stand in a resource.
WILDCARDS = {
    "s3": r"^/(fraud|recommendations|sentiment)/([a-z-]+/){0,2}\*$|"
    r"^/(inbox|drop|downloads|instances|rejected|results|studies|ledger)/\*$",
    "logs": r":log-group:/aws/sagemaker/(TrainingJobs|ProcessingJobs|Endpoints/\*):\*$",
    "lambda": r"(:layer:cuatro(fraud|recommendations|sentiment)-model|^):\*$",
    "sagemaker": r":((training|processing)-job/pipelines-|model-package/cuatro(fraud|recommendations|sentiment)/|"
    r"pipeline/cuatro(fraud|recommendations|sentiment)/execution/)\*$",
    "states": r":execution:cuatro(fraud|recommendations|sentiment)-roll-out:\*$|^:\*$",
}


@pytest.fixture(scope="module", params=TARGET_NAMES)
def suite(request: pytest.FixtureRequest) -> Assembly:
    return assembly(request.param)


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def grants(suite: Assembly) -> list[tuple[Resource, dict[str, Any]]]:
    """(policy, statement that allows something) of every identity in the suite."""
    found = []
    for resource in suite.resources("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::Role"):
        documents = [policy["PolicyDocument"] for policy in resource.properties.get("Policies", [])]
        if resource.type != "AWS::IAM::Role":
            documents.append(resource.properties["PolicyDocument"])
        found += [(resource, statement) for document in documents for statement in document["Statement"]]
    assert len(found) > 10
    return [(resource, statement) for resource, statement in found if statement["Effect"] == "Allow"]


def test_no_grant_has_a_wildcard_action_or_resource(suite: Assembly) -> None:
    for policy, statement in grants(suite):
        assert "NotAction" not in statement, policy.where
        assert "NotResource" not in statement, policy.where
        for action in listed(statement["Action"]):
            assert "*" not in action, f"{policy.where} grants {action}"
        for resource in listed(statement["Resource"]):
            if resource == "*":
                assert set(listed(statement["Action"])) <= WITHOUT_RESOURCE, f"{policy.where}: {statement['Action']}"
            else:
                assert not isinstance(resource, str), f"{policy.where} has a hand-written resource: {resource}"


def test_wildcards_within_a_resource_are_these_alone(suite: Assembly) -> None:
    """Objects under a prefix, and what AWS names or numbers itself."""
    for policy, statement in grants(suite):
        for resource in listed(statement["Resource"]):
            if resource != "*" and "*" in str(resource):
                end = resource["Fn::Join"][1][-1]
                action = listed(statement["Action"])[0].split(":")[0]
                assert re.search(WILDCARDS[action], end), f"{policy.where} grants {statement['Action']} on {end}"


def test_only_api_gateways_account_setting_uses_a_policy_of_aws(suite: Assembly) -> None:
    users = [role.id for role in suite.resources("AWS::IAM::Role") if role.properties.get("ManagedPolicyArns")]
    assert len(users) == 1
    assert users[0].startswith("ApiGatewayLogs")


def test_physical_names_are_left_to_cloudformation(suite: Assembly) -> None:
    """So that several copies fit in one account. A stream consumer must be named: ours from its place in the tree."""
    naming = {
        "AWS::Lambda::Function": "FunctionName", "AWS::DynamoDB::Table": "TableName", "AWS::S3::Bucket": "BucketName",
        "AWS::SQS::Queue": "QueueName", "AWS::SNS::Topic": "TopicName", "AWS::Kinesis::Stream": "Name",
        "AWS::IAM::Role": "RoleName", "AWS::CloudWatch::Alarm": "AlarmName",
        "AWS::KinesisFirehose::DeliveryStream": "DeliveryStreamName",
    }  # fmt: skip
    for resource in suite.resources(*naming):
        assert naming[resource.type] not in resource.properties, resource.where


@pytest.mark.safeguard("164.312(e)(1)", "164.312(e)(2)(ii)")
def test_queues_topics_and_buckets_refuse_plain_http(suite: Assembly) -> None:
    policies = suite.resources("AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy", "AWS::S3::BucketPolicy")
    naming = {"Queues", "Topics", "Bucket"}
    refusing = {
        (policy.stack, str(listed(policy.properties[next(iter(naming & policy.properties.keys()))])[0]))
        for policy in policies
        for statement in policy.properties["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny" and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    }  # fmt: skip
    stores = suite.resources("AWS::SQS::Queue", "AWS::SNS::Topic", "AWS::S3::Bucket")
    assert refusing == {(store.stack, str({"Ref": store.id})) for store in stores}


def test_alarms_may_tell_their_topics(suite: Assembly) -> None:
    """A topic's own policy replaces the one by which SNS lets the account's alarms publish."""
    policies = {
        listed(policy.properties["Topics"])[0]["Ref"]: policy.properties["PolicyDocument"]["Statement"]
        for policy in suite.resources("AWS::SNS::TopicPolicy")
    }
    told = {
        str(action)
        for alarm in suite.resources("AWS::CloudWatch::Alarm")
        for action in alarm.properties["AlarmActions"]
    }
    topics = [topic.id for topic in suite.resources("AWS::SNS::Topic") if any(topic.id in action for action in told)]
    assert topics
    for topic in topics:
        assert [
            statement
            for statement in policies[topic]
            if statement["Effect"] == "Allow" and statement["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
        ], topic


def test_stored_data_is_encrypted_private_and_restorable(suite: Assembly) -> None:
    for bucket in suite.resources("AWS::S3::Bucket"):
        assert bucket.properties["BucketEncryption"], bucket.where
        assert set(bucket.properties["PublicAccessBlockConfiguration"].values()) == {True}, bucket.where
        assert bucket.properties["LifecycleConfiguration"]["Rules"], bucket.where
    for stream in suite.resources("AWS::Kinesis::Stream"):
        assert stream.properties["StreamEncryption"]["EncryptionType"] == "KMS"
    for delivery in suite.resources("AWS::KinesisFirehose::DeliveryStream"):
        encryption = delivery.properties.get("DeliveryStreamEncryptionConfigurationInput")
        if delivery.properties["DeliveryStreamType"] == "KinesisStreamAsSource":
            assert encryption is None, "Firehose refuses it where a stream, encrypted itself, is the source"
            continue
        assert encryption == {"KeyType": "AWS_OWNED_CMK"}, "the one without a price"
    for table in suite.resources("AWS::DynamoDB::Table"):
        assert table.properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}, table.where
        if table.id.startswith("LedgerTable"):
            assert "TimeToLiveSpecification" not in table.properties, "entries of the ledger do not expire"
            continue
        assert table.properties["TimeToLiveSpecification"] == {"AttributeName": "x", "Enabled": True}, table.where
