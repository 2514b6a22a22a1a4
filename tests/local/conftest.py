"""What the emulator does as AWS does: one bare platform for this tier, small functions, nothing deployed."""

import contextlib
import io
import json
import os
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local.platform.account import ACCOUNT
from local.platform.client import Connection, connect
from local.platform.process import Platform, start, stop
from tests.emulator.deployed import name
from tests.waiting import eventually

RUNTIME = f"python3.{sys.version_info.minor}"


def zipped(**files: str) -> bytes:
    """Archive of files; "__" in a name stands for a slash, "_dot_" for a dot."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        for path, text in files.items():
            opened.writestr(path.replace("__", "/").replace("_dot_", "."), text)
    return archive.getvalue()


@dataclass
class Function:
    """A function of a test, with everything allowed."""

    here: Connection
    name: str
    arn: str

    def call(self, event: Any = None, qualifier: str = "") -> dict[str, Any]:
        """Answer of Invoke with its payload decoded."""
        where = {"Qualifier": qualifier} if qualifier else {}
        answer = self.here.client("lambda").invoke(FunctionName=self.name, Payload=json.dumps(event), **where)
        return {**answer, "Payload": json.loads(answer["Payload"].read())}

    def settle(self) -> None:
        """Waits until an update is through."""
        client = self.here.client("lambda")
        eventually(
            lambda: client.get_function_configuration(FunctionName=self.name)["LastUpdateStatus"] == "Successful",
            "the update",
        )

    def publish(self, **configuration: Any) -> str:
        """A new version with these settings."""
        client = self.here.client("lambda")
        if configuration:
            client.update_function_configuration(FunctionName=self.name, **configuration)
            self.settle()
        return client.publish_version(FunctionName=self.name)["Version"]

    def lines(self, prefix: str) -> list[str]:
        """What follows `prefix` in the lines of its log that begin so, in order."""
        logs, found = self.here.client("logs"), []
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{self.name}")
        with contextlib.suppress(logs.exceptions.ResourceNotFoundException):  # nothing has called it yet
            for page in pages:
                found += [event["message"] for event in page["events"] if event["message"].startswith(prefix)]
        return [message.removeprefix(prefix).strip() for message in found]


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform with nothing deployed."""
    yield from platform_in(tmp_path_factory.mktemp("bare"))


def platform_in(state: Path, **variables: str) -> Iterator[Platform]:
    """A platform of its own, ended afterwards."""
    with pytest.MonkeyPatch.context() as environment:
        for variable in [variable for variable in os.environ if variable.startswith("AWS_")]:
            environment.delenv(variable)
        for variable, value in variables.items():
            environment.setenv(variable, value)
        started = start(state, port=0)
    try:
        yield started
    finally:
        stop(state)


@pytest.fixture(scope="session")
def here(bare: Platform) -> Connection:
    return connect("local", bare.state)


@pytest.fixture(scope="session", autouse=True)
def scheduled(function: Callable[..., Function]) -> Function:
    """A function whose alias a rule calls every minute: made first, so that the test of it comes when it has run."""
    made = function("import json\ndef handler(event, context):\n    print('CALLED', json.dumps(event))")
    made.here.client("lambda").create_alias(FunctionName=made.name, Name="live", FunctionVersion=made.publish())
    events, rule = made.here.client("events"), name("rule")
    events.put_rule(Name=rule, ScheduleExpression="rate(1 minute)")
    given = json.dumps({"reason": "schedule"})
    events.put_targets(Rule=rule, Targets=[{"Id": "t", "Arn": f"{made.arn}:live", "Input": given}])
    return made


def role(here: Connection, *services: str, **statement: Any) -> str:
    """ARN of a role that these services may take; it may do everything, or what `statement` says."""
    iam, this = here.client("iam"), name("role")
    principals = [f"{service}.amazonaws.com" for service in services or ("lambda",)]
    trust = {"Effect": "Allow", "Principal": {"Service": principals}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName=this, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
    allowed = {"Effect": "Allow", "Action": "*", "Resource": "*"} | statement
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_role_policy(RoleName=this, PolicyName="this", PolicyDocument=document)
    return f"arn:aws:iam::{ACCOUNT}:role/{this}"


@pytest.fixture(scope="session")
def function(here: Connection) -> Callable[..., Function]:
    """Code of a module with `handler` -> a function that runs it."""

    def made(code: str, **configuration: Any) -> Function:
        client, this = here.client("lambda"), name("f")
        arn = client.create_function(
            FunctionName=this,
            Runtime=RUNTIME,
            Handler="index.handler",
            Role=configuration.pop("Role", None) or role(here),
            Code={"ZipFile": zipped(index_dot_py=code)},
            Timeout=configuration.pop("Timeout", 20),
            **configuration,
        )["FunctionArn"]
        found = Function(here, this, arn)
        found.settle()
        return found

    return made


__all__ = ["Function", "name", "platform_in", "role", "zipped"]
