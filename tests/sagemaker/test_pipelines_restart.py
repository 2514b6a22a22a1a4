"""The platform ends in the middle of an execution: the next start says so, and the execution can be retried."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.platform.process import LOG, start, stop, tail
from tests.checked import Aws
from tests.sagemaker.pipeline_definitions import compare, condition, definition
from tests.sagemaker.pipeline_runs import Runs
from tests.waiting import eventually


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """State directory of a platform of the test's own."""
    yield tmp_path
    stop(tmp_path)


def test_an_execution_that_ran_when_the_platform_ended_is_failed_and_says_why(state: Path) -> None:
    before = start(state, port=0)
    runs = Runs(Aws(before.endpoint, set()), before)
    done = condition("Done", compare("Equals", 1, 1))
    name = runs.create(definition(done, {**runs.job("Long", "wait"), "DependsOn": ["Done"]}))
    arn = runs.start(name)
    runs.reached(arn, "Long", "Executing")
    ended = runs.run(definition(done))
    stop(state)

    after = start(state, port=0)
    runs.aws = Aws(after.endpoint, set())
    runs.sagemaker = runs.aws.client("sagemaker")
    execution = runs.describe(arn)
    why = "The platform was restarted while step Long ran. Start it again."
    assert (execution["PipelineExecutionStatus"], execution["FailureReason"]) == ("Failed", why), tail(state / LOG)
    steps = runs.steps(arn)
    assert {each: step["StepStatus"] for each, step in steps.items()} == {"Done": "Succeeded", "Long": "Failed"}
    assert steps["Long"]["FailureReason"] == why
    assert runs.describe(ended)["PipelineExecutionStatus"] == "Succeeded"

    runs.sagemaker.retry_pipeline_execution(PipelineExecutionArn=arn)
    runs.reached(arn, "Long", "Executing")
    runs.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
    assert eventually(lambda: runs.ended(arn), "the end")["PipelineExecutionStatus"] == "Stopped"
    assert "FailureReason" not in runs.describe(arn)
