"""What goes wrong with a model, its container or the platform: each ends in a stated status, with the reason.

On a platform of its own, whose patience is short.
"""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.platform.process import Platform, start, stop
from tests.checked import Aws
from tests.sagemaker.endpoint_calls import SERVERLESS, Endpoints, ended, packed
from tests.sagemaker.programs import register
from tests.waiting import eventually

PATIENCE = {"CUATRO_PING_TIMEOUT_S": "2", "CUATRO_INVOCATION_TIMEOUT_S": "1", "CUATRO_ENDPOINT_IDLE_S": "3"}


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A bare platform that waits seconds where others wait minutes."""
    state = tmp_path_factory.mktemp("impatient")
    with pytest.MonkeyPatch.context() as environment:
        for name, value in PATIENCE.items():
            environment.setenv(name, value)
        yield start(state, port=0)
        stop(state)


@pytest.fixture(scope="module")
def endpoints(impatient: Platform) -> Endpoints:
    """Endpoints of the serve program."""
    aws = Aws(impatient.endpoint, set())
    aws.client("s3").create_bucket(Bucket="models")
    role = aws.role({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::models/*"})
    return Endpoints(aws, register(impatient, "serving", "serve_program.py"), role, "models")


def failure(endpoints: Endpoints, url: str, **changes: Any) -> str:
    """Reason why an endpoint of that artefact fails."""
    found = endpoints.describe(endpoints.create(endpoints.config({"ModelName": endpoints.model(url, **changes)})))
    assert found["EndpointStatus"] == "Failed"
    return str(found["FailureReason"])


def refused(endpoints: Endpoints, name: str, asked: dict[str, Any]) -> dict[str, Any]:
    """The error of an invocation."""
    with pytest.raises(ClientError) as failed:
        endpoints.invoke(name, asked)
    return dict(failed.value.response)


def test_a_model_that_does_not_load(endpoints: Endpoints) -> None:
    reason = failure(endpoints, endpoints.artefact(fault="exit"))
    assert "The primary container for production variant AllTraffic did not pass the ping health check" in reason
    assert "exit code 1" in reason
    assert "the model has 3 features, not 4" in reason
    assert "Please check CloudWatch logs for this endpoint (/aws/sagemaker/Endpoints/endpoint-" in reason


def test_a_container_that_never_answers_ping(endpoints: Endpoints) -> None:
    assert "did not pass the ping health check within 2 s" in failure(endpoints, endpoints.artefact(fault="silent"))


GOOD = packed({"name.txt": b"a"})
CHANGED = GOOD[:-8] + bytes(8)  # the checksum at the end


@pytest.mark.parametrize("content", [b"not a tar file", GOOD[:-20], CHANGED, packed({"../x": b"a"})])
def test_a_corrupt_artefact(endpoints: Endpoints, content: bytes) -> None:
    reason = failure(endpoints, endpoints.uploaded(content))
    assert 'Failed to extract model data archive for container "container_1" from URL "s3://' in reason


def test_an_artefact_that_is_not_there(endpoints: Endpoints) -> None:
    reason = failure(endpoints, f"s3://{endpoints.bucket}/models/none.tar.gz")
    assert 'Failed to download model data for container "container_1"' in reason


def test_a_role_that_may_not_read_the_artefact(endpoints: Endpoints) -> None:
    reason = failure(endpoints, endpoints.artefact(name="a"), ExecutionRoleArn=endpoints.aws.role())
    assert "has permissions to download the object" in reason


def test_an_image_that_nothing_stands_for(endpoints: Endpoints) -> None:
    name = endpoints.model(
        PrimaryContainer={"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/other:1"},
    )
    found = endpoints.describe(endpoints.create(endpoints.config({"ModelName": name})))
    assert found["EndpointStatus"] == "Failed"
    assert "without Docker" in found["FailureReason"]


def test_an_endpoint_that_failed_can_be_deleted_and_is_not_found_by_requests(endpoints: Endpoints) -> None:
    name = endpoints.create(
        endpoints.config({"ModelName": endpoints.model(endpoints.artefact(fault="exit"))}),
    )
    assert f"Endpoint {name} of account" in refused(endpoints, name, {})["Error"]["Message"]
    with pytest.raises(ClientError, match="has never been in service"):
        endpoints.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=endpoints.config({}))
    endpoints.delete(name)


@pytest.mark.parametrize(("status", "side"), [(400, "client"), (503, "server")])
def test_what_the_container_refuses_is_a_model_error(endpoints: Endpoints, status: int, side: str) -> None:
    name = endpoints.serving()
    answer = refused(endpoints, name, {"do": "refuse", "status": status})
    assert answer["Error"]["Code"] == "ModelError"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert answer["OriginalStatusCode"] == status
    assert answer["OriginalMessage"] == '{"error": "row 1 has 3 features, not 4"}'
    assert answer["LogStreamArn"].endswith(f":log-group:/aws/sagemaker/Endpoints/{name}")
    assert f"Received {side} error ({status}) from primary with message" in answer["Error"]["Message"]


def test_an_answer_that_takes_too_long(endpoints: Endpoints) -> None:
    name = endpoints.serving()
    answer = refused(endpoints, name, {"do": "sleep"})
    assert (answer["Error"]["Code"], answer["OriginalStatusCode"]) == ("ModelError", 0)
    assert "Your invocation timed out" in answer["Error"]["Message"]
    assert endpoints.tell(name)["model"]


def test_a_container_that_dies_at_a_request_is_replaced(endpoints: Endpoints) -> None:
    name = endpoints.serving()
    first = endpoints.tell(name)["pid"]
    answer = refused(endpoints, name, {"do": "die"})
    assert answer["Error"]["Code"] == "ModelError"
    assert "exit code 3" in answer["OriginalMessage"]
    assert "Fatal: it cannot go on" in answer["OriginalMessage"]
    assert endpoints.tell(name)["pid"] != first
    assert endpoints.describe(name)["EndpointStatus"] == "InService"


def test_a_container_that_was_killed_between_requests_costs_none(endpoints: Endpoints) -> None:
    name = endpoints.serving()
    first = endpoints.tell(name)["pid"]
    os.kill(first, signal.SIGKILL)
    eventually(lambda: not runs(first), "the end of the process")  # until then a request may still reach it
    assert endpoints.tell(name)["pid"] != first


def runs(pid: int) -> bool:
    """Whether there is such a process, other than one that ended and was not yet asked for."""
    told = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(told.strip()) and not told.startswith("Z")


def test_a_container_that_dies_again_and_again_fails_the_endpoint(endpoints: Endpoints) -> None:
    name = endpoints.serving()
    for _ in range(3):
        refused(endpoints, name, {"do": "die"})
    found = eventually(lambda: failed(endpoints, name), "a failed endpoint")
    assert "ended 3 times without one good answer between" in found["FailureReason"]
    assert "exit code 3" in found["FailureReason"]
    assert "ended 3 times" in refused(endpoints, name, {"do": "tell"})["OriginalMessage"]
    good = endpoints.model()
    endpoints.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=endpoints.config({"ModelName": good}))
    assert endpoints.settled(name)["EndpointStatus"] == "InService"
    assert endpoints.tell(name)["model"] == good


def failed(endpoints: Endpoints, name: str) -> dict[str, Any] | None:
    found = endpoints.describe(name)
    return found if found["EndpointStatus"] == "Failed" else None


def test_more_memory_than_the_endpoint_has_ends_the_container(endpoints: Endpoints) -> None:
    name = endpoints.serving(SERVERLESS)

    def told() -> bool:
        refused(endpoints, name, {"do": "eat", "megabytes": 600})
        return "OutOfMemory: more than 1024 MiB" in endpoints.log(name)

    eventually(told, "the reason in the endpoint's log")


def test_nobody_asks_and_the_worker_ends_until_somebody_does(endpoints: Endpoints) -> None:
    name = endpoints.serving()
    first = endpoints.tell(name)["pid"]
    eventually(lambda: ended(first), "the end of an idle worker")
    assert endpoints.describe(name)["EndpointStatus"] == "InService"
    assert endpoints.tell(name)["pid"] != first


def test_a_serverless_endpoint_starts_at_its_first_request(endpoints: Endpoints) -> None:
    name = endpoints.serving({"ModelName": endpoints.model(endpoints.artefact(fault="exit")), **SERVERLESS})
    answer = refused(endpoints, name, {"do": "tell"})
    assert answer["Error"]["Code"] == "ModelError"
    assert "did not pass the ping health check" in answer["OriginalMessage"]


def test_more_requests_at_a_time_than_a_serverless_endpoint_takes_are_throttled(endpoints: Endpoints) -> None:
    name = endpoints.serving(SERVERLESS)
    endpoints.tell(name)
    codes: list[str] = []

    def ask() -> None:
        try:
            endpoints.invoke(name, {"do": "sleep", "seconds": 0.5})
            codes.append("")
        except ClientError as error:
            codes.append(error.response["Error"]["Code"])

    threads = [threading.Thread(target=ask) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes.count("") == 2
    assert codes.count("ThrottlingException") == 3
