"""Statements of a policy -> a session of a new role that may do that and nothing else."""

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from local.platform.account import ACCOUNT, REGION
from local.platform.client import Connection
from tests.local.conftest import name

ROOT = f"arn:aws:iam::{ACCOUNT}:root"

Statement = dict[str, Any]


def allow(*actions: str, on: str = "*", **conditions: Any) -> Statement:
    return {
        "Effect": "Allow",
        "Action": list(actions),
        "Resource": on,
        **({"Condition": conditions} if conditions else {}),
    }


def client(here: Connection, session: boto3.Session, service: str) -> Any:
    return session.client(service, endpoint_url=here.endpoint)  # type: ignore[call-overload]


@pytest.fixture(scope="module")
def role_with(here: Connection) -> Callable[..., boto3.Session]:
    """Statements -> a session of a new role that they alone are for."""

    def made(*statements: Statement, called: str = "") -> boto3.Session:
        iam, this = here.client("iam"), called or name("role")
        trust = {"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "sts:AssumeRole"}
        role = iam.create_role(RoleName=this, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))["Role"]
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        iam.put_role_policy(RoleName=this, PolicyName="this", PolicyDocument=document)
        keys = here.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="test")["Credentials"]
        return boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], REGION)

    return made
