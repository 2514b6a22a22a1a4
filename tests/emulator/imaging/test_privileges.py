"""Least privilege, enforced: who reads an image cannot learn whose it is, and nobody changes what was done."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.emulator.imaging.readings import ENDED, Reading, image
from tests.emulator.roles import denied, role_of


@pytest.fixture(scope="module")
def study(read: Reading) -> tuple[str, str]:
    """A study that was read, and its instance."""
    sent = image()
    found = read.sent(sent)
    read.state(found, "review", *ENDED)
    return found, read.names.instance(sent.SOPInstanceUID)


@contextmanager
def acting(read: Reading, function: str) -> Iterator[Any]:
    """Clients with the role of a function (by its output), by their service."""
    with role_of(read, function) as session:
        yield lambda service: client(session, read, service)


def client(session: boto3.Session, read: Reading, service: str) -> Any:
    return session.client(service, endpoint_url=read.platform.endpoint)


@pytest.mark.safeguard("164.312(a)(1)")
def test_who_reads_the_image_cannot_learn_whose_it_is(read: Reading, study: tuple[str, str]) -> None:
    out, (name, instance) = read.outputs, study
    with acting(read, "InferFunction") as made:
        s3 = made("s3")
        image_of = s3.get_object(Bucket=out["DeidentifiedBucket"], Key=f"studies/{name}/{instance}/image.png")
        assert image_of["Body"].read().startswith(b"\x89PNG")
        assert denied(s3.get_object, Bucket=out["IdentifiedBucket"], Key=f"instances/{instance}.dcm")
        assert denied(s3.list_objects_v2, Bucket=out["IdentifiedBucket"])
        assert denied(made("secretsmanager").get_secret_value, SecretId=out["PseudonymSecret"])
        assert denied(made("dynamodb").get_item, TableName=out["InstancesTable"], Key={"instance": {"S": instance}})
        sealed = made("kms")
        assert denied(sealed.generate_data_key, KeyId=out["IdentifiedKey"], KeySpec="AES_256")
        assert denied(sealed.generate_data_key, KeyId=out["DeidentifiedKey"], KeySpec="AES_256"), "through S3 only"


@pytest.mark.safeguard("164.312(a)(1)")
def test_who_speaks_to_senders_cannot_open_studies(read: Reading, study: tuple[str, str]) -> None:
    out, (name, instance) = read.outputs, study
    with acting(read, "ApiFunction") as made:
        s3 = made("s3")
        assert denied(s3.get_object, Bucket=out["IdentifiedBucket"], Key=f"instances/{instance}.dcm")
        assert denied(s3.get_object, Bucket=out["DeidentifiedBucket"], Key=f"studies/{name}/{instance}/image.png")
        assert denied(s3.delete_object, Bucket=out["IdentifiedBucket"], Key=f"results/{name}/1/sr.dcm")
        assert denied(made("stepfunctions").start_execution, stateMachineArn=out["ReadingMachineArn"], input="{}")
        assert denied(made("dynamodb").scan, TableName=out["StudiesTable"])


@pytest.mark.safeguard("164.312(c)(1)")
def test_the_ledgers_own_function_adds_to_it_and_changes_nothing(read: Reading) -> None:
    entry = read.ledger()[0]
    table = read.outputs["LedgerTable"]
    key = {"chain": {"S": entry["chain"]}, "seq": {"N": entry["seq"]}}
    change = {"TableName": table, "Key": key, "UpdateExpression": "SET actor = :a",
              "ExpressionAttributeValues": {":a": {"S": "nobody"}}}  # fmt: skip
    with acting(read, "AuditFunction") as made:
        dynamodb = made("dynamodb")
        assert dynamodb.query(
            TableName=table,
            KeyConditionExpression="chain = :c",
            ExpressionAttributeValues={":c": key["chain"]},
            Limit=1,
        )["Items"]
        assert denied(dynamodb.update_item, **change)
        assert denied(dynamodb.put_item, TableName=table, Item={**key, "actor": {"S": "nobody"}})
        assert denied(dynamodb.delete_item, TableName=table, Key=key)
        assert denied(made("s3").delete_object, Bucket=read.outputs["LedgerBucket"], Key="ledger/x")
    assert entry in read.ledger()


@pytest.mark.safeguard("164.312(c)(1)")
def test_an_anchor_stays_whoever_deletes_it(read: Reading) -> None:
    s3, bucket = read.client("s3"), read.outputs["LedgerBucket"]
    anchored = s3.list_object_versions(Bucket=bucket, Prefix="ledger/")["Versions"][0]
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(Bucket=bucket, Key=anchored["Key"], VersionId=anchored["VersionId"])


@pytest.mark.safeguard("164.312(a)(2)(iv)")
def test_nothing_is_kept_under_another_key(read: Reading) -> None:
    bucket = read.outputs["IdentifiedBucket"]
    with acting(read, "ApiFunction") as made:
        put, place = made("s3").put_object, {"Bucket": bucket, "Key": f"inbox/{read.hospital}/{'x' * 26}", "Body": b"x"}
        other = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": read.outputs["DeidentifiedKey"]}
        assert denied(put, **place, **other)
        assert denied(put, **place, ServerSideEncryption="AES256")
        put(**place)
    head = read.client("s3").head_object(Bucket=read.outputs["IdentifiedBucket"], Key=place["Key"])
    assert head["ServerSideEncryption"] == "aws:kms"
    assert head["SSEKMSKeyId"] == read.outputs["IdentifiedKey"]
