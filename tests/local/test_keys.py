"""Data under a customer's KMS key needs grants on the key, too: S3, Secrets Manager, SQS and DynamoDB ask KMS."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import boto3
import pytest
from botocore.exceptions import ClientError

from local.platform.account import ACCOUNT, REGION
from local.platform.client import Connection
from tests.local.conftest import name
from tests.local.roles import ROOT, Statement, allow, client, role_with
from tests.waiting import eventually

DELEGATED = {"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "kms:*", "Resource": "*"}

__all__ = ["role_with"]  # a fixture


class Data(NamedTuple):
    """A bucket with an object, a secret, a queue and a table with an item, all under one key."""

    key: str
    bucket: str
    secret: str
    queue: str
    table: str


def new_key(here: Connection, *statements: Statement) -> str:
    document = json.dumps({"Version": "2012-10-17", "Statement": [DELEGATED, *statements]})
    arn: str = here.client("kms").create_key(Policy=document)["KeyMetadata"]["Arn"]
    return arn


@pytest.fixture
def data(here: Connection) -> Data:
    key, this = new_key(here), name("data")
    s3, dynamodb = here.client("s3"), here.client("dynamodb")
    s3.create_bucket(Bucket=this)
    encryption = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    s3.put_bucket_encryption(
        Bucket=this, ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": encryption}]}
    )
    s3.put_bucket_versioning(Bucket=this, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=this, Key="a", Body=b"one")
    secret = here.client("secretsmanager").create_secret(Name=this, SecretString="s", KmsKeyId=key)["ARN"]
    queue = here.client("sqs").create_queue(QueueName=this, Attributes={"KmsMasterKeyId": key})["QueueUrl"]
    dynamodb.create_table(
        TableName=this, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key},
    )  # fmt: skip
    dynamodb.put_item(TableName=this, Item={"id": {"S": "1"}})
    return Data(key, this, secret, queue, this)


EVERYTHING = allow("s3:*", "secretsmanager:*", "sqs:*", "dynamodb:*")


def upload(s3: Any, data: Data) -> None:
    where = {"Bucket": data.bucket, "Key": "m"}
    where["UploadId"] = s3.create_multipart_upload(**where)["UploadId"]
    tag = s3.upload_part(**where, PartNumber=1, Body=b"x" * 10)["ETag"]
    s3.complete_multipart_upload(**where, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": tag}]})


def get_version(s3: Any, data: Data) -> None:
    (version,) = s3.list_object_versions(Bucket=data.bucket, Prefix="a")["Versions"]
    s3.get_object(Bucket=data.bucket, Key="a", VersionId=version["VersionId"])


# What is done, by its name -> (service, call, actions of the key that it needs)
USES: dict[str, tuple[str, Callable[[Any, Data], Any], tuple[str, ...]]] = {
    "put an object": ("s3", lambda c, d: c.put_object(Bucket=d.bucket, Key="b", Body=b"x"), ("GenerateDataKey",)),
    "get an object": ("s3", lambda c, d: c.get_object(Bucket=d.bucket, Key="a"), ("Decrypt",)),
    "head with checksums": (
        "s3", lambda c, d: c.head_object(Bucket=d.bucket, Key="a", ChecksumMode="ENABLED"), ("Decrypt",)),
    "copy an object": (
        "s3", lambda c, d: c.copy_object(Bucket=d.bucket, Key="c", CopySource=f"{d.bucket}/a"),
        ("Decrypt", "GenerateDataKey")),
    "begin an upload": ("s3", lambda c, d: c.create_multipart_upload(Bucket=d.bucket, Key="m"), ("GenerateDataKey",)),
    "upload in parts": ("s3", upload, ("Decrypt", "GenerateDataKey")),
    "get a version": ("s3", get_version, ("Decrypt",)),
    "read a secret": ("secretsmanager", lambda c, d: c.get_secret_value(SecretId=d.secret), ("Decrypt",)),
    "write a secret": (
        "secretsmanager", lambda c, d: c.put_secret_value(SecretId=d.secret, SecretString="t"),
        ("Decrypt", "GenerateDataKey")),
    "send a message": (
        "sqs", lambda c, d: c.send_message(QueueUrl=d.queue, MessageBody="m"), ("Decrypt", "GenerateDataKey")),
    "receive messages": ("sqs", lambda c, d: c.receive_message(QueueUrl=d.queue), ("Decrypt",)),
    "read an item": ("dynamodb", lambda c, d: c.get_item(TableName=d.table, Key={"id": {"S": "1"}}), ("Decrypt",)),
    "write an item": ("dynamodb", lambda c, d: c.put_item(TableName=d.table, Item={"id": {"S": "2"}}), ("Decrypt",)),
    "write in a transaction": (
        "dynamodb",
        lambda c, d: c.transact_write_items(
            TransactItems=[{"Put": {"TableName": d.table, "Item": {"id": {"S": "3"}}}}]),
        ("Decrypt",)),
    "write by statement": (
        "dynamodb", lambda c, d: c.execute_statement(Statement=f"INSERT INTO \"{d.table}\" VALUE {{'id': '4'}}"),
        ("Decrypt",)),
}  # fmt: skip


@pytest.mark.parametrize("use", USES)
def test_a_grant_on_the_data_is_not_enough(
    here: Connection, data: Data, role_with: Callable[..., boto3.Session], use: str
) -> None:
    service, call, needed = USES[use]
    for missing in needed:
        others = [allow(f"kms:{action}", on=data.key) for action in needed if action != missing]
        with pytest.raises(ClientError) as raised:
            call(client(here, role_with(EVERYTHING, *others), service), data)
        error = raised.value.response["Error"]
        assert error["Code"] in {"AccessDenied", "AccessDeniedException", "KmsAccessDenied", "403"}, error
        if service in {"s3", "dynamodb"} and error["Code"] != "403":
            assert f"is not authorized to perform: kms:{missing} on resource: {data.key}" in error["Message"]
    via = {"StringEquals": {"kms:ViaService": f"{service}.{REGION}.amazonaws.com"}}
    granted = allow(*(f"kms:{action}" for action in needed), on=data.key, **via)
    call(client(here, role_with(EVERYTHING, granted), service), data)


@pytest.mark.parametrize("use", USES)
def test_a_disabled_key_stops_everybody(here: Connection, data: Data, use: str) -> None:
    service, call, _ = USES[use]
    here.client("kms").disable_key(KeyId=data.key)
    with pytest.raises(ClientError) as raised:
        call(here.client(service), data)
    assert raised.value.response["Error"]["Code"] in {
        "KMS.DisabledException", "400", "DecryptionFailure", "EncryptionFailure", "KmsDisabled",
        "AccessDeniedException",
    }, raised.value  # fmt: skip
    here.client("kms").enable_key(KeyId=data.key)
    call(here.client(service), data)


def test_a_key_of_another_service_or_object_does_not_help(
    here: Connection, data: Data, role_with: Callable[..., boto3.Session]
) -> None:
    def reads(**conditions: Any) -> bool:
        session = role_with(EVERYTHING, allow("kms:Decrypt", on=data.key, **conditions))
        try:
            client(here, session, "s3").get_object(Bucket=data.bucket, Key="a")
        except ClientError:
            return False
        return True

    assert not reads(StringEquals={"kms:ViaService": f"sqs.{REGION}.amazonaws.com"})
    context = "kms:EncryptionContext:aws:s3:arn"
    assert reads(StringLike={context: f"arn:aws:s3:::{data.bucket}/*"})
    assert not reads(StringLike={context: "arn:aws:s3:::another/*"})


def test_the_keys_policy_has_the_last_word(
    here: Connection, data: Data, role_with: Callable[..., boto3.Session]
) -> None:
    its_name = name("role")
    session = role_with(EVERYTHING, allow("kms:*", on=data.key), called=its_name)
    s3 = client(here, session, "s3")
    assert s3.get_object(Bucket=data.bucket, Key="a")["Body"].read() == b"one"
    role = f"arn:aws:iam::{ACCOUNT}:role/{its_name}"
    denied = {"Effect": "Deny", "Principal": {"AWS": role}, "Action": "kms:Decrypt", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [DELEGATED, denied]})
    here.client("kms").put_key_policy(KeyId=data.key, PolicyName="default", Policy=policy)
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.get_object(Bucket=data.bucket, Key="a")


def test_a_key_that_is_to_be_deleted_and_one_that_is_not_there(here: Connection, data: Data) -> None:
    s3 = here.client("s3")
    here.client("kms").schedule_key_deletion(KeyId=data.key, PendingWindowInDays=7)
    with pytest.raises(ClientError, match="KMSInvalidState"):
        s3.get_object(Bucket=data.bucket, Key="a")
    missing = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/00000000-0000-0000-0000-000000000000"
    with pytest.raises(ClientError, match="NotFound"):
        s3.put_object(Bucket=data.bucket, Key="z", Body=b"", ServerSideEncryption="aws:kms", SSEKMSKeyId=missing)


def test_without_a_keys_name_it_is_the_buckets_or_awss_own(
    here: Connection, data: Data, role_with: Callable[..., boto3.Session]
) -> None:
    s3, plain = here.client("s3"), name("plain")
    s3.create_bucket(Bucket=plain)
    for bucket, key in ((data.bucket, data.key), (plain, "alias/aws/s3")):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", ServerSideEncryption="aws:kms")
        assert key in s3.head_object(Bucket=bucket, Key="k")["SSEKMSKeyId"]
    reader = client(here, role_with(allow("s3:*")), "s3")
    assert reader.get_object(Bucket=plain, Key="k")["Body"].read() == b"x"


def test_data_of_before_keeps_its_key_and_listing_needs_none(
    here: Connection, data: Data, role_with: Callable[..., boto3.Session]
) -> None:
    s3 = here.client("s3")
    s3.delete_bucket_encryption(Bucket=data.bucket)
    reader = client(here, role_with(allow("s3:*")), "s3")
    with pytest.raises(ClientError, match="kms:Decrypt"):
        reader.get_object(Bucket=data.bucket, Key="a")
    assert reader.head_object(Bucket=data.bucket, Key="a")["SSEKMSKeyId"] == data.key
    assert [item["Key"] for item in reader.list_objects_v2(Bucket=data.bucket)["Contents"]] == ["a"]
    s3.put_object(Bucket=data.bucket, Key="plain", Body=b"p")
    assert reader.get_object(Bucket=data.bucket, Key="plain")["Body"].read() == b"p"


def test_a_function_that_lacks_the_key_gets_the_services_error(
    here: Connection, data: Data, function: Callable[..., Any], role_with: Callable[..., boto3.Session]
) -> None:
    code = (
        "import boto3\ndef handler(event, context):\n"
        "    return boto3.client('s3').get_object(Bucket=event, Key='a')['Body'].read().decode()"
    )
    iam, this = here.client("iam"), name("role")
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    arn = iam.create_role(RoleName=this, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))["Role"]["Arn"]

    def grant(*statements: Statement) -> None:
        document = json.dumps({"Version": "2012-10-17", "Statement": [EVERYTHING, *statements]})
        iam.put_role_policy(RoleName=this, PolicyName="this", PolicyDocument=document)

    grant()
    made = function(code, Role=arn)
    assert "kms:Decrypt" in made.call(data.bucket)["Payload"]["errorMessage"]
    grant(allow("kms:Decrypt", on=data.key))
    assert eventually(lambda: made.call(data.bucket)["Payload"], "the object") == "one"
