"""Least privilege, enforced: a function's role can do what its job needs, and nothing else."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.credentials import Credentials

from tests.emulator.deployed import name
from tests.emulator.roles import denied, role_of
from tests.emulator.suite import Suite, transaction


@pytest.fixture(scope="module")
def as_score(suite: Suite) -> Iterator[boto3.Session]:
    with role_of(suite, "ScoreFunction") as session:
        yield session


def test_the_score_role_reads_its_tables(suite: Suite, as_score: boto3.Session) -> None:
    dynamodb = as_score.client("dynamodb", endpoint_url=suite.platform.endpoint)
    keys = {suite.outputs["CardsTable"]: {"Keys": [{"card_id": {"S": name("c")}}]}}
    assert dynamodb.batch_get_item(RequestItems=keys)["Responses"][suite.outputs["CardsTable"]] == []


def test_the_score_role_can_do_nothing_else(suite: Suite, as_score: boto3.Session) -> None:
    def client(service: str) -> Any:
        return as_score.client(service, endpoint_url=suite.platform.endpoint)

    out = suite.outputs
    dynamodb = client("dynamodb")
    assert denied(dynamodb.delete_table, TableName=out["CardsTable"])
    assert denied(dynamodb.scan, TableName=out["CardsTable"])
    assert denied(dynamodb.get_item, TableName=out["LabelsTable"], Key={"transaction_id": {"S": "t"}})
    assert denied(dynamodb.put_item, TableName=out["DecisionsTable"], Item={"transaction_id": {"S": "t"}})
    delete = f'DELETE FROM "{out["CardsTable"]}" WHERE card_id = ?'  # noqa: S608 - a table of this test
    assert denied(dynamodb.execute_statement, Statement=delete, Parameters=[{"S": "c"}])
    assert denied(client("s3").list_objects_v2, Bucket=out["RejectedBucket"])
    assert denied(client("s3").get_object, Bucket=out["RejectedBucket"], Key="fraud/x")
    assert denied(client("sns").publish, TopicArn=out["AlertsTopicArn"], Message="x")
    assert denied(client("lambda").invoke, FunctionName=out["ActFunction"])
    assert denied(client("iam").list_roles)


def test_the_api_needs_permission_to_be_called(suite: Suite, as_score: boto3.Session) -> None:
    keys = as_score.get_credentials().get_frozen_credentials()
    credentials = Credentials(keys.access_key, keys.secret_key, keys.token)
    assert suite.call("POST", "/authorizations", transaction(), keys=credentials).status == 403
