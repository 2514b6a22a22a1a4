"""InvokeEndpoint at its limits: sizes, what is only on AWS, and a container that dies under load."""

import threading
from collections import Counter

import pytest
from botocore.exceptions import ClientError

from local.platform.process import Platform
from tests.checked import Aws
from tests.sagemaker.endpoint_calls import SERVERLESS, Endpoints
from tests.sagemaker.programs import register
from tests.waiting import eventually

MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def endpoints(platform: Platform, aws: Aws, role: str, bucket: str) -> Endpoints:
    """Endpoints of the serve program."""
    return Endpoints(aws, register(platform, "serving", "serve_program.py"), role, bucket)


@pytest.mark.parametrize(("variant", "most"), [({}, 6 * MEGABYTE), (SERVERLESS, 4 * MEGABYTE)])
def test_a_body_has_its_largest_size(endpoints: Endpoints, variant: dict[str, object], most: int) -> None:
    name = endpoints.serving(variant)
    invoke = endpoints.runtime.invoke_endpoint
    body = invoke(EndpointName=name, ContentType="application/x-npy", Body=bytes(most))["Body"].read()
    assert len(body) == most
    with pytest.raises(ClientError, match=f"length less than or equal to {most}") as failed:
        invoke(EndpointName=name, ContentType="application/x-npy", Body=bytes(most + 1))
    assert failed.value.response["Error"]["Code"] == "ValidationError"


def test_what_only_aws_does_is_refused(endpoints: Endpoints) -> None:
    name = endpoints.serving()
    with pytest.raises(ClientError, match="TargetModel is not served by the local platform"):
        endpoints.tell(name, TargetModel="other.tar.gz")


def test_a_container_that_dies_under_load_costs_only_what_it_had(endpoints: Endpoints) -> None:
    name = endpoints.serving()
    outcomes: Counter[str] = Counter()
    ending = threading.Event()

    def ask() -> None:
        while not ending.is_set():
            try:
                endpoints.invoke(name, {"do": "sleep", "seconds": 0.05})
                outcomes["answered"] += 1
            except ClientError as error:
                outcomes[error.response["Error"]["Code"]] += 1

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    eventually(lambda: outcomes["answered"] > 8, "answers before it dies")
    with pytest.raises(ClientError, match="exit code 3"):
        endpoints.invoke(name, {"do": "die"})
    before = outcomes["answered"]
    eventually(lambda: outcomes["answered"] > before + 12, "answers of its successor")
    ending.set()
    for thread in threads:
        thread.join()
    assert set(outcomes) <= {"answered", "ModelError"}
    assert outcomes["ModelError"] <= len(threads)
    assert endpoints.describe(name)["EndpointStatus"] == "InService"
