"""Clients of the local platform that check what they get, roles for them, and waiting."""

import json
import urllib.error
import urllib.request
import uuid
from typing import Any

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from local.platform.account import ACCESS_KEY, REGION, SECRET_KEY
from tests.contract import broken

SAGEMAKER = ("sagemaker", "sagemaker-runtime", "sagemaker-featurestore-runtime", "application-autoscaling")
PERSONALIZE = ("personalize", "personalize-events", "personalize-runtime")
COMPREHEND = ("comprehend", "bedrock-runtime")


class ContractError(AssertionError):
    """An answer that AWS would not give."""


def unique(prefix: str) -> str:
    """A name that no other test has."""
    return f"{prefix}-{uuid.uuid4().hex[:10]}"


class Aws:
    """Clients of a platform. `called` collects the names of all checked operations that succeeded once."""

    def __init__(self, endpoint: str, called: set[str], keys: dict[str, str] | None = None) -> None:
        self.endpoint = endpoint
        self.called = called
        self._keys = keys or {"aws_access_key_id": ACCESS_KEY, "aws_secret_access_key": SECRET_KEY}
        self._clients: dict[str, Any] = {}

    def client(self, name: str) -> Any:
        """boto3 client; one of each. Those of the services that local/ answers for are checked."""
        if name not in self._clients:
            self._clients[name] = self._client(name)
        return self._clients[name]

    def careless(self, name: str) -> Any:
        """A checked client that sends what it is given, as a program without botocore's validation would."""
        return Aws(self.endpoint, set(), self._keys)._client(name, parameter_validation=False)

    def keys(self, **changed: str) -> "Aws":
        """The same platform with other keys."""
        return Aws(self.endpoint, set(), {**self._keys, **changed})

    def post(self, service: str, path: str, body: bytes, **headers: str) -> tuple[int, dict[str, Any]]:
        """(status, JSON) of a signed request that no client would send."""
        url = f"{self.endpoint}{path}"
        request = AWSRequest("POST", url, data=body, headers={"Content-Type": "application/x-amz-json-1.1", **headers})
        keys = (self._keys["aws_access_key_id"], self._keys["aws_secret_access_key"])
        SigV4Auth(Credentials(*keys), service, REGION).add_auth(request)
        sent = urllib.request.Request(url, body, dict(request.headers), method="POST")  # noqa: S310 - loopback
        try:
            with urllib.request.urlopen(sent, timeout=30) as response:  # noqa: S310
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def acting(self, role_arn: str) -> "Aws":
        """The same platform with the role's credentials; its trust must name this account (see `role`)."""
        keys = self.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="test")["Credentials"]
        return Aws(
            self.endpoint,
            self.called,
            {
                "aws_access_key_id": keys["AccessKeyId"],
                "aws_secret_access_key": keys["SecretAccessKey"],
                "aws_session_token": keys["SessionToken"],
            },
        )

    def role(self, *statements: dict[str, Any], trusts: str = "sagemaker.amazonaws.com") -> str:
        """ARN of a new role with these statements that the service and this account may assume."""
        account = self.client("sts").get_caller_identity()["Account"]
        principals = [{"Service": trusts}, {"AWS": f"arn:aws:iam::{account}:root"}]
        trust = [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"} for principal in principals]
        name = unique("role")
        iam = self.client("iam")
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy(*trust))["Role"]["Arn"]
        if statements:
            iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=_policy(*statements))
        return str(arn)

    def _client(self, name: str, **config: Any) -> Any:
        client = boto3.client(
            name,
            endpoint_url=self.endpoint,
            region_name=REGION,
            config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, **config),
            **self._keys,
        )
        if name in (*SAGEMAKER, *PERSONALIZE, *COMPREHEND):
            client.meta.events.register("before-parse.*.*", self._check)
        return client

    def _check(self, operation_model: Any, response_dict: dict[str, Any], **_: Any) -> None:
        status, headers = response_dict["status_code"], response_dict["headers"]
        body = response_dict["body"] if isinstance(response_dict["body"], bytes) else b""
        found = broken(operation_model, status, headers, body)
        if found:
            raise ContractError(f"{operation_model.name} answered {body[:2000]!r}: {'; '.join(found)}")
        if status < 300:
            self.called.add(operation_model.name)


def _policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
