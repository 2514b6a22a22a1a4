"""Executions of pipelines that do not go well: each ends in a stated status, with a reason, and nothing is left."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.platform.process import Platform
from tests.checked import Aws, unique
from tests.sagemaker.pipeline_definitions import (
    compare,
    condition,
    definition,
    fail,
    function,
    get,
    json_get,
    register,
)
from tests.sagemaker.pipeline_runs import Runs
from tests.sagemaker.pipeline_runs import function as deployed

NOTHING = compare("Equals", 1, 1)


@pytest.fixture(scope="module")
def runs(aws: Aws, platform: Platform) -> Runs:
    return Runs(aws, platform)


def failed(runs: Runs, text: str, step: str) -> str:
    """Reason of a step, of an execution that it makes fail."""
    arn = runs.run(text)
    assert runs.describe(arn)["PipelineExecutionStatus"] == "Failed"
    found = runs.steps(arn)[step]
    assert found["StepStatus"] == "Failed"
    return str(found["FailureReason"])


def test_a_job_that_crashes_fails_its_step_and_nothing_more_starts(runs: Runs) -> None:
    text = definition(
        runs.job("Crash", "crash"),
        runs.job("Other", "wait", "1"),
        condition("After", NOTHING, DependsOn=["Crash"]),
        condition("AfterOther", NOTHING, DependsOn=["Other"]),
    )
    arn = runs.run(text)
    assert runs.statuses(arn) == {"Crash": "Failed", "Other": "Succeeded"}
    assert "AlgorithmError: See job logs" in runs.steps(arn)["Crash"]["FailureReason"]
    assert runs.describe(arn)["FailureReason"] == "Step failure: One or multiple steps failed."


def test_a_fail_step_stops_what_runs(runs: Runs) -> None:
    gate = condition("Gate", compare("Equals", 1, 2), no=[fail("No", "enough")], DependsOn=["Short"])
    arn = runs.run(definition(runs.job("Long", "wait"), runs.job("Short", "wait", "0"), gate))
    assert runs.statuses(arn) == {"Long": "Stopped", "Short": "Succeeded", "Gate": "Succeeded", "No": "Failed"}
    assert runs.describe(arn)["PipelineExecutionStatus"] == "Failed"
    job = runs.steps(arn)["Long"]["Metadata"]["ProcessingJob"]["Arn"].rsplit("/", 1)[1]
    names = [
        summary["ProcessingJobName"]
        for summary in runs.sagemaker.list_processing_jobs(StatusEquals="Stopped")["ProcessingJobSummaries"]
    ]
    assert job in [name.lower() for name in names]


def test_a_fail_step_without_a_message_has_no_reason(runs: Runs) -> None:
    arn = runs.run(definition({"Name": "No", "Type": "Fail", "Arguments": {}}))
    step = runs.steps(arn)["No"]
    assert (step["StepStatus"], step["Metadata"]) == ("Failed", {"Fail": {"ErrorMessage": ""}})
    assert "FailureReason" not in step


@pytest.mark.parametrize("action", ["sagemaker:CreateProcessingJob", "iam:PassRole", "sagemaker:AddTags"])
def test_what_the_role_may_not_do_fails_the_step(aws: Aws, platform: Platform, action: str) -> None:
    runs = Runs(aws, platform, action)
    reason = failed(runs, definition(runs.job("Wait", "wait", "0")), "Wait")
    assert reason.startswith("ClientError: Failed to invoke sagemaker:CreateProcessingJob. Error Details: User: ")
    assert f"is not authorized to perform: {action} on resource: " in reason


def test_a_role_must_be_allowed_to_invoke_the_function(aws: Aws, platform: Platform) -> None:
    runs = Runs(aws, platform, "lambda:InvokeFunction")
    reason = failed(runs, definition(function("Ask", deployed(aws, "def handler(e, c): return {}"))), "Ask")
    assert reason.startswith("ClientError: Failed to invoke lambda:Invoke. Error Details: ")
    assert "is not authorized to perform: lambda:InvokeFunction" in reason


def test_a_role_that_sagemaker_may_not_assume_fails_the_step(runs: Runs) -> None:
    name = unique("pipeline")
    role = runs.aws.role(trusts="lambda.amazonaws.com")
    text = definition(runs.job("Wait", "wait", "0"))
    runs.sagemaker.create_pipeline(PipelineName=name, RoleArn=role, PipelineDefinition=text)
    arn = runs.start(name)
    runs.ended(arn)
    assert "Could not assume role" in runs.steps(arn)["Wait"]["FailureReason"]


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("def handler(event, context): raise ValueError('no champion')", "no champion"),
        ("def handler(event, context): return {}", "Output parameter [uri] of step [Ask] is not in the function's"),
        (
            "def handler(event, context): return {'uri': 3}",
            "Output parameter [uri] of step [Ask] is not of type String",
        ),
    ],
)
def test_a_function_that_does_not_answer_as_promised_fails_the_step(runs: Runs, code: str, why: str) -> None:
    text = definition(function("Ask", deployed(runs.aws, code), outputs={"uri": "String"}))
    assert why in failed(runs, text, "Ask")


def test_values_that_are_not_there_fail_the_step(runs: Runs, bucket: str) -> None:
    outputs: dict[str, Any] = {"train": f"s3://{bucket}/values/train", "summary": f"s3://{bucket}/values/summary"}
    files = {"Summary": ("summary", "summary.json"), "Nothing": ("summary", "nothing.json")}
    build = runs.job("Build", "build", "3", outputs=outputs, files=files)
    for value, why in (
        (json_get("Build", "Summary", "rows.more"), "undefined"),
        (json_get("Build", "Nothing", "rows"), "nothing.json cannot be read as a property file"),
        (json_get("Build", "Summary", "data_hash"), "not of the same type"),
    ):
        text = definition(build, condition("If", compare("GreaterThan", value, 1)))
        assert why in failed(runs, text, "If")


def test_a_number_where_a_text_is_expected_fails_the_step(runs: Runs, bucket: str) -> None:
    outputs: dict[str, Any] = {"train": f"s3://{bucket}/typed/train", "summary": f"s3://{bucket}/typed/summary"}
    build = runs.job("Build", "build", "3", outputs=outputs, files={"Summary": ("summary", "summary.json")})
    metadata = {"rows": json_get("Build", "Summary", "rows")}
    text = definition(build, register("Register", unique("group"), f"s3://{bucket}/model.tar.gz", metadata=metadata))
    reason = failed(runs, text, "Register")
    assert "Failed to invoke sagemaker:CreateModelPackage. Error Details: Parameter validation failed" in reason


def test_a_stopped_execution_stops_its_jobs(runs: Runs) -> None:
    text = definition(runs.job("Long", "wait"), condition("After", NOTHING, DependsOn=["Long"]))
    arn = runs.start(runs.create(text))
    runs.reached(arn, "Long", "Executing")
    runs.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
    runs.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
    execution = runs.ended(arn)
    assert execution["PipelineExecutionStatus"] == "Stopped"
    assert runs.statuses(arn) == {"Long": "Stopped"}
    with pytest.raises(ClientError, match="its status is Stopped") as refusal:
        runs.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
    assert refusal.value.response["Error"]["Code"] == "ConflictException"


def test_a_function_that_runs_is_waited_for(runs: Runs) -> None:
    slow = deployed(runs.aws, "import time\ndef handler(event, context): time.sleep(2)")
    arn = runs.start(runs.create(definition(function("Ask", slow), condition("After", NOTHING, DependsOn=["Ask"]))))
    runs.reached(arn, "Ask", "Executing")
    runs.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
    assert runs.describe(arn)["PipelineExecutionStatus"] == "Stopping"
    assert runs.ended(arn)["PipelineExecutionStatus"] == "Stopped"
    assert runs.statuses(arn) == {"Ask": "Succeeded"}


def test_a_retry_keeps_what_succeeded(runs: Runs, bucket: str) -> None:
    gate = condition("Gate", compare("Equals", get("Execution.PipelineName"), "another"), no=[fail("No")])
    arn = runs.run(definition(runs.job("Once", "wait", "0"), {**gate, "DependsOn": ["Once"]}))
    before = runs.steps(arn)
    assert runs.sagemaker.retry_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionArn"] == arn
    assert runs.ended(arn)["PipelineExecutionStatus"] == "Failed"
    after = runs.steps(arn)
    assert after["Once"] == before["Once"]
    assert after["No"]["StartTime"] > before["No"]["StartTime"]
    done = runs.run(definition(condition("Nothing", NOTHING)))
    with pytest.raises(ClientError, match="its status is Succeeded"):
        runs.sagemaker.retry_pipeline_execution(PipelineExecutionArn=done)
