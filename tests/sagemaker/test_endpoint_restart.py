"""The platform ends and starts again: endpoints serve on, what was under way says so, and no process is left behind."""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.platform.process import Platform, start, stop
from tests.checked import Aws, unique
from tests.sagemaker.endpoint_calls import Endpoints, ended
from tests.sagemaker.programs import register
from tests.waiting import eventually


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    """A bare platform of the test's own."""
    yield start(tmp_path, port=0)
    stop(tmp_path)


def on(platform: Platform, role: str = "") -> Endpoints:
    """Endpoints of the serve program on a platform."""
    aws = Aws(platform.endpoint, set())
    if not role:
        aws.client("s3").create_bucket(Bucket="models")
        role = aws.role({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::models/*"})
    return Endpoints(aws, register(platform, "serving", "serve_program.py"), role, "models")


def test_an_endpoint_serves_on_after_a_restart(platform: Platform) -> None:
    before = on(platform)
    model = before.model()
    name = before.serving({"ModelName": model})
    pid = before.tell(name)["pid"]
    slow = before.model(before.artefact(fault="silent"))
    updated = before.serving({"ModelName": model})
    before.sagemaker.update_endpoint(EndpointName=updated, EndpointConfigName=before.config({"ModelName": slow}))
    created = unique("endpoint")
    before.sagemaker.create_endpoint(EndpointName=created, EndpointConfigName=before.config({"ModelName": slow}))
    stop(platform.state)
    assert ended(pid)
    after = on(start(platform.state, port=0), before.role)
    assert after.describe(name)["EndpointStatus"] == "InService"
    assert after.tell(name)["model"] == model
    found = after.describe(updated)
    assert found["EndpointStatus"] == "InService"
    assert found["FailureReason"] == "The platform was restarted while the endpoint was updated. Start it again."
    assert after.tell(updated)["model"] == model
    found = after.describe(created)
    assert found["EndpointStatus"] == "Failed"
    assert found["FailureReason"] == "The platform was restarted while the endpoint was created. Start it again."
    after.delete(name)


def test_no_worker_outlives_a_platform_that_is_killed(platform: Platform) -> None:
    endpoints = on(platform)
    pid = endpoints.tell(endpoints.serving())["pid"]
    os.kill(platform.pid, signal.SIGKILL)
    eventually(lambda: ended(pid), "the end of the worker")


def test_an_asynchronous_request_is_answered_after_a_restart(platform: Platform) -> None:
    before = on(platform)
    before.role = before.aws.role(
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:aws:s3:::models/*"}
    )
    output = {"OutputConfig": {"S3OutputPath": "s3://models/answers"}}
    name = before.serving(AsyncInferenceConfig=output)
    s3 = before.aws.client("s3")
    s3.put_object(Bucket="models", Key="body", Body=json.dumps({"do": "sleep", "seconds": 2}).encode())
    accepted = before.runtime.invoke_endpoint_async(
        EndpointName=name, InputLocation="s3://models/body", ContentType="application/json"
    )
    time.sleep(0.3)
    stop(platform.state)
    s3 = on(start(platform.state, port=0), before.role).aws.client("s3")
    key = accepted["OutputLocation"].removeprefix("s3://models/")
    eventually(lambda: s3.list_objects_v2(Bucket="models", Prefix=key)["KeyCount"] == 1, "the answer")
