"""A function's role -> a session that has it, to try what it may do; and whether IAM refused."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.exceptions import ClientError

from tests.emulator.deployed import Deployed

REFUSALS = {"AccessDenied", "AccessDeniedException", "AuthorizationError"}


@contextmanager
def role_of(suite: Deployed, function: str) -> Iterator[boto3.Session]:
    """A session with the role of a function (by its output); its trust is lent to this account meanwhile."""
    iam = suite.client("iam")
    configuration = suite.client("lambda").get_function_configuration(FunctionName=suite.outputs[function])
    role = configuration["Role"].rpartition("/")[2]
    trust = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    account = configuration["Role"].split(":")[4]
    lent = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}
    iam.update_assume_role_policy(
        RoleName=role, PolicyDocument=json.dumps({**trust, "Statement": [*trust["Statement"], lent]})
    )
    keys = suite.client("sts").assume_role(RoleArn=configuration["Role"], RoleSessionName="test")["Credentials"]
    yield boto3.Session(
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
        region_name=suite.connection.region,
    )
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(trust))


def denied(call: Any, **arguments: Any) -> bool:
    """Whether IAM refuses the call."""
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"] in REFUSALS
    return False
