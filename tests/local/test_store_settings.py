"""Buckets and tables of a stack have the encryption, the object lock and the policy that their template says."""

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local.platform.account import ACCOUNT
from local.platform.client import Connection
from tests.local.conftest import name
from tests.local.roles import allow, client, role_with

__all__ = ["role_with"]  # a fixture

ROOT = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
KEY_POLICY = {"Statement": [{"Effect": "Allow", "Principal": ROOT, "Action": "kms:*", "Resource": "*"}]}
APPEND_ONLY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Deny", "Principal": "*", "Action": ["dynamodb:UpdateItem", "dynamodb:DeleteItem"], "Resource": "*"}
    ],
}
KEY_ARN = {"Fn::GetAtt": ["Key", "Arn"]}


def template(lock_days: int = 1, **of_table: Any) -> dict[str, Any]:
    by_default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY_ARN}
    return {
        "Resources": {
            "Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": KEY_POLICY}},
            "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {
                "BucketEncryption": {"ServerSideEncryptionConfiguration": [
                    {"ServerSideEncryptionByDefault": by_default, "BucketKeyEnabled": True}]},
                "ObjectLockEnabled": True,
                "ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled", "Rule": {
                    "DefaultRetention": {"Mode": "COMPLIANCE", "Days": lock_days}}},
            }},
            "Table": {"Type": "AWS::DynamoDB::Table", "Properties": {
                "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}], "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
                "SSESpecification": {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": KEY_ARN}, **of_table,
            }},
        },
        "Outputs": {each: {"Value": {"Ref": each}} for each in ("Key", "Bucket", "Table")},
    }  # fmt: skip


@pytest.fixture(scope="module")
def deploy(here: Connection) -> Callable[..., dict[str, str]]:
    def deployed(body: dict[str, Any], stack: str = "") -> dict[str, str]:
        cloudformation, this = here.client("cloudformation"), stack or name("stack")
        change, wait = ("update_stack", "stack_update_complete") if stack else ("create_stack", "stack_create_complete")
        getattr(cloudformation, change)(StackName=this, TemplateBody=json.dumps(body))
        cloudformation.get_waiter(wait).wait(StackName=this, WaiterConfig={"Delay": 1})
        return {**here.outputs(this), "stack": this}

    return deployed


@pytest.fixture(scope="module")
def made(deploy: Callable[..., dict[str, str]]) -> dict[str, str]:
    return deploy(template(ResourcePolicy={"PolicyDocument": APPEND_ONLY}))


def test_a_bucket_is_encrypted_with_the_stacks_key(
    here: Connection, made: dict[str, str], role_with: Callable[..., boto3.Session]
) -> None:
    s3, bucket = here.client("s3"), made["Bucket"]
    (rule,) = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["BucketKeyEnabled"]
    key = rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"]
    assert key.endswith(f":key/{made['Key']}")
    s3.put_object(Bucket=bucket, Key="a", Body=b"x")
    without = client(here, role_with(allow("s3:*")), "s3")
    with pytest.raises(ClientError, match="kms:Decrypt"):
        without.get_object(Bucket=bucket, Key="a")
    # with a bucket key, the bucket is the encryption's context
    condition = {"StringEquals": {"kms:EncryptionContext:aws:s3:arn": f"arn:aws:s3:::{bucket}"}}
    reader = client(here, role_with(allow("s3:*"), allow("kms:Decrypt", on=key, **condition)), "s3")
    assert reader.get_object(Bucket=bucket, Key="a")["Body"].read() == b"x"


def test_what_is_locked_stays(here: Connection, made: dict[str, str]) -> None:
    s3, bucket = here.client("s3"), made["Bucket"]
    version = s3.put_object(Bucket=bucket, Key="anchor", Body=b"x")["VersionId"]
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(Bucket=bucket, Key="anchor", VersionId=version, BypassGovernanceRetention=True)
    assert s3.get_object_retention(Bucket=bucket, Key="anchor", VersionId=version)["Retention"]["Mode"] == "COMPLIANCE"
    s3.delete_object(Bucket=bucket, Key="anchor")  # hides it only
    assert s3.get_object(Bucket=bucket, Key="anchor", VersionId=version)["Body"].read() == b"x"


def test_a_tables_policy_and_key_hold_for_every_role(
    here: Connection, made: dict[str, str], role_with: Callable[..., boto3.Session]
) -> None:
    everything = client(here, role_with(allow("dynamodb:*", "kms:*")), "dynamodb")
    table, key = made["Table"], {"id": {"S": "1"}}
    everything.put_item(TableName=table, Item=key)
    for call, more in (
        ("update_item", {"Key": key, "UpdateExpression": "SET a = :a", "ExpressionAttributeValues": {":a": key["id"]}}),
        ("delete_item", {"Key": key}),
        ("transact_write_items", {"TransactItems": [{"Delete": {"TableName": table, "Key": key}}]}),
    ):
        where = {} if call == "transact_write_items" else {"TableName": table}
        with pytest.raises(ClientError, match="AccessDenied"):
            getattr(everything, call)(**where, **more)
    assert everything.get_item(TableName=table, Key=key)["Item"] == key
    with pytest.raises(ClientError, match="kms:Decrypt"):
        client(here, role_with(allow("dynamodb:*")), "dynamodb").get_item(TableName=table, Key=key)


def test_a_changed_template_changes_them(
    here: Connection, deploy: Callable[..., dict[str, str]], role_with: Callable[..., boto3.Session]
) -> None:
    first = deploy(template())
    everything = client(here, role_with(allow("dynamodb:*", "kms:*")), "dynamodb")
    everything.delete_item(TableName=first["Table"], Key={"id": {"S": "1"}})
    body = template(lock_days=2, ResourcePolicy={"PolicyDocument": APPEND_ONLY})
    again = deploy(body, first["stack"])
    assert {**again, "stack": ""} == {**first, "stack": ""}
    lock = here.client("s3").get_object_lock_configuration(Bucket=again["Bucket"])["ObjectLockConfiguration"]
    assert lock["Rule"]["DefaultRetention"]["Days"] == 2
    with pytest.raises(ClientError, match="AccessDenied"):
        everything.delete_item(TableName=again["Table"], Key={"id": {"S": "1"}})
