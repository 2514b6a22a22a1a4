"""Retry policies of steps: a call that SageMaker throttles is made again, as often as the policy says."""

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from local.platform.process import Platform, start, stop
from tests.checked import Aws
from tests.sagemaker.pipeline_definitions import definition
from tests.sagemaker.pipeline_runs import Runs

POLICY = {"ExceptionType": ["Step.THROTTLING"], "IntervalSeconds": 1, "BackoffRate": 1.0, "MaxAttempts": 2}


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform that can be made to fail."""
    state = tmp_path_factory.mktemp("faulty")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CUATRO_FAULTS", "1")
        yield start(state, port=0)
    stop(state)


@pytest.fixture(scope="module")
def runs(faulty: Platform) -> Runs:
    return Runs(Aws(faulty.endpoint, set()), faulty)


def throttle(platform: Platform, times: int) -> None:
    """The next calls of CreateProcessingJob fail."""
    fault: dict[str, Any] = {"service": "sagemaker", "operation": "CreateProcessingJob", "times": times}
    for method, body in (("DELETE", None), ("POST", json.dumps(fault).encode())):
        request = urllib.request.Request(f"{platform.endpoint}/_cuatro/faults", body, method=method)  # noqa: S310
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - loopback
            assert answer.status == 200


def test_a_throttled_step_is_tried_again(runs: Runs, faulty: Platform) -> None:
    throttle(faulty, 4)  # boto3 itself tries three times
    arn = runs.run(definition({**runs.job("Wait", "wait", "0"), "RetryPolicies": [POLICY]}))
    step = runs.steps(arn)["Wait"]
    assert (step["StepStatus"], step["AttemptCount"]) == ("Succeeded", 2)


def test_a_policy_for_something_else_does_not_help(runs: Runs, faulty: Platform) -> None:
    throttle(faulty, 20)
    other = {**POLICY, "ExceptionType": ["SageMaker.RESOURCE_LIMIT"]}
    arn = runs.run(definition({**runs.job("Wait", "wait", "0"), "RetryPolicies": [other]}))
    step = runs.steps(arn)["Wait"]
    assert (step["StepStatus"], step["AttemptCount"]) == ("Failed", 1)
    why = f"PipelineExecutionArn {arn} and StepId Wait. No retry policy configured for the exception type THROTTLING."
    assert step["FailureReason"].endswith(why)


def test_a_policy_is_used_up(runs: Runs, faulty: Platform) -> None:
    throttle(faulty, 20)
    arn = runs.run(definition({**runs.job("Wait", "wait", "0"), "RetryPolicies": [POLICY]}))
    step = runs.steps(arn)["Wait"]
    assert (step["StepStatus"], step["AttemptCount"]) == ("Failed", 3)
    assert "Retry policy exhausted for the exception type THROTTLING." in step["FailureReason"]
