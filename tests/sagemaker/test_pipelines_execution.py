"""Executions of pipelines: a retraining from data to registry, branches, order, and what is told of all that."""

import re
from itertools import pairwise
from typing import Any

import pytest

from local.platform.process import Platform
from tests.checked import Aws, unique
from tests.sagemaker.endpoint_calls import Endpoints
from tests.sagemaker.pipeline_definitions import (
    compare,
    condition,
    definition,
    fail,
    function,
    get,
    join,
    json_get,
    model,
    parameter,
    register,
    training,
    transform,
)
from tests.sagemaker.pipeline_runs import Events, Runs
from tests.sagemaker.pipeline_runs import function as deployed
from tests.sagemaker.programs import register as registered

CHAMPION = """
def handler(event, context):
    return {"champion_uri": event["folder"] + "/champion", "champion_version": "v1"}
"""


@pytest.fixture(scope="module")
def runs(aws: Aws, platform: Platform) -> Runs:
    return Runs(aws, platform)


@pytest.fixture(scope="module")
def champion(aws: Aws, bucket: str) -> str:
    """The Lambda function that finds the champion, and the champion's artefact where it says."""
    aws.client("s3").put_object(Bucket=bucket, Key="retraining/champion/champion.txt", Body=b"v1")
    return deployed(aws, CHAMPION)


def data(output: str) -> dict[str, str]:
    return get(f"Steps.BuildTrainingSet.ProcessingOutputConfig.Outputs['{output}'].S3Output.S3Uri")


def evaluated(path: str) -> dict[str, Any]:
    return json_get("Evaluate", "Evaluation", path)


def retraining(runs: Runs, champion: str, bucket: str, group: str) -> str:
    """The shape of a retraining: find, build, train, evaluate, gate, then register or refuse."""
    folder = f"s3://{bucket}/retraining"
    run = join(folder, get("Execution.PipelineExecutionId"), on="/")
    artefact = get("Steps.Train.ModelArtifacts.S3ModelArtifacts")
    build = runs.job(
        "BuildTrainingSet",
        "build",
        join(get("Parameters.Rows")),
        outputs={"train": join(run, "train", on="/"), "summary": join(run, "summary", on="/")},
        files={"Summary": ("summary", "summary.json")},
    )
    evaluate = runs.job(
        "Evaluate",
        "evaluate",
        "10",
        inputs={"champion": get("Steps.FindChampion.OutputParameters['champion_uri']"), "challenger": artefact},
        outputs={"evaluation": join(run, "evaluation", on="/")},
        files={"Evaluation": ("evaluation", "evaluation.json")},
    )
    metadata = {
        "version": join(evaluated("challenger.version")),
        "gain": join(evaluated("gain.average_precision")),
        "data_hash": json_get("BuildTrainingSet", "Summary", "data_hash"),
        "champion_version": get("Steps.FindChampion.OutputParameters['champion_version']"),
    }
    gate = condition(
        "Gate",
        compare("GreaterThanOrEqualTo", evaluated("gain.average_precision"), get("Parameters.MinGain")),
        compare("GreaterThanOrEqualTo", evaluated("sane"), 1),
        yes=[register("Register", group, artefact, approval=get("Parameters.Approval"), metadata=metadata)],
        no=[fail("Refused", join("The challenger was refused: ", evaluated("summary")))],
    )
    outputs = {"champion_uri": "String", "champion_version": "String"}
    return definition(
        function("FindChampion", champion, {"folder": folder}, outputs),
        build,
        training(
            "Train",
            runs.role,
            f"{folder}/models/",
            train=data("train"),
            hyperparameters={"seed": join(get("Parameters.Seed"))},
        ),
        evaluate,
        gate,
        parameters=[
            parameter("Rows", "Integer", 20),
            parameter("Seed", "Integer", 7),
            parameter("MinGain", "Float", 0.05),
            parameter("Approval", default="Approved", EnumValues=["Approved", "PendingManualApproval"]),
        ],
    )


def test_a_better_model_is_registered(runs: Runs, champion: str, bucket: str) -> None:
    group = unique("group")
    name = runs.create(retraining(runs, champion, bucket, group))
    events = Events(runs.aws, name)
    arn = runs.start(name, {"Seed": "8"}, PipelineExecutionDisplayName="by-hand", PipelineExecutionDescription="a try")
    assert runs.ended(arn)["PipelineExecutionStatus"] == "Succeeded"

    steps = runs.steps(arn)
    assert set(steps) == {"FindChampion", "BuildTrainingSet", "Train", "Evaluate", "Gate", "Register"}
    assert {step["StepStatus"] for step in steps.values()} == {"Succeeded"}
    execution = arn.rsplit("/", 1)[1]
    metadata = {name: step["Metadata"] for name, step in steps.items()}
    for step, kind, resource in (
        ("BuildTrainingSet", "ProcessingJob", "processing-job"),
        ("Train", "TrainingJob", "training-job"),
        ("Evaluate", "ProcessingJob", "processing-job"),
    ):
        job = metadata[step][kind]["Arn"]
        assert re.search(f":{resource}/pipelines-{execution}-{step}-[a-z0-9]{{10}}$", job, re.IGNORECASE)
    assert metadata["Gate"] == {"Condition": {"Outcome": "True"}}
    assert metadata["FindChampion"]["Lambda"] == {
        "Arn": champion,
        "OutputParameters": [
            {"Name": "champion_uri", "Value": f"s3://{bucket}/retraining/champion"},
            {"Name": "champion_version", "Value": "v1"},
        ],
    }
    package = runs.sagemaker.describe_model_package(ModelPackageName=metadata["Register"]["RegisterModel"]["Arn"])
    assert (package["ModelPackageGroupName"], package["ModelApprovalStatus"]) == (group, "Approved")
    assert package["CustomerMetadataProperties"] == {
        "version": "seed-8",
        "gain": "0.1",
        "data_hash": "abc",
        "champion_version": "v1",
    }
    tags = runs.sagemaker.list_tags(ResourceArn=metadata["Train"]["TrainingJob"]["Arn"])["Tags"]
    assert {"Key": "sagemaker:pipeline-execution-arn", "Value": arn} in tags

    told = events.until(lambda event: event["detail"].get("currentPipelineExecutionStatus") == "Succeeded")
    changes = [event["detail"] for event in told if event["detail-type"].endswith("Pipeline Execution Status Change")]
    assert [change["currentPipelineExecutionStatus"] for change in changes] == ["Executing", "Succeeded"]
    assert changes[-1]["pipelineExecutionArn"] == arn
    assert changes[-1]["pipelineExecutionDisplayName"] == "by-hand"
    of_steps = [event["detail"] for event in told if event["detail-type"].endswith("Execution Step Status Change")]
    trained = [step for step in of_steps if step["stepName"] == "Train"]
    assert [step["currentStepStatus"] for step in trained] == ["Starting", "Executing", "Succeeded"]
    assert trained[-1]["stepType"] == "Training"
    assert trained[-1]["metadata"]["trainingJob"]["arn"] == metadata["Train"]["TrainingJob"]["Arn"]


def test_a_worse_model_is_refused_and_says_why(runs: Runs, champion: str, bucket: str) -> None:
    group = unique("group")
    arn = runs.run(retraining(runs, champion, bucket, group), {"Rows": "4"})
    execution = runs.describe(arn)
    assert execution["PipelineExecutionStatus"] == "Failed"
    assert execution["FailureReason"] == "Step failure: One or multiple steps failed."
    steps = runs.steps(arn)
    assert "Register" not in steps
    assert steps["Gate"]["Metadata"] == {"Condition": {"Outcome": "False"}}
    why = "The challenger was refused: v1 is better by 0.06"
    assert (steps["Refused"]["StepStatus"], steps["Refused"]["FailureReason"]) == ("Failed", why)
    assert steps["Refused"]["Metadata"] == {"Fail": {"ErrorMessage": why}}
    groups = runs.sagemaker.list_model_package_groups(NameContains=group)["ModelPackageGroupSummaryList"]
    assert groups == []


def test_what_does_not_wait_for_each_other_runs_at_once(runs: Runs) -> None:
    first, second = (runs.job(name, "wait", "1") for name in ("First", "Second"))
    both = condition("Both", compare("Equals", 1, 1), DependsOn=["First", "Second"])
    steps = runs.steps(runs.run(definition(first, second, both)))
    assert steps["Second"]["StartTime"] < steps["First"]["EndTime"]
    assert steps["First"]["StartTime"] < steps["Second"]["EndTime"]
    assert steps["Both"]["StartTime"] >= max(steps[name]["EndTime"] for name in ("First", "Second"))


def test_no_more_steps_run_at_once_than_the_pipeline_allows(runs: Runs) -> None:
    steps = [runs.job(name, "wait", "0") for name in ("First", "Second", "Third")]
    arn = runs.run(definition(*steps), ParallelismConfiguration={"MaxParallelExecutionSteps": 1})
    ran = list(runs.steps(arn).values())
    for before, after in pairwise(ran):
        assert before["EndTime"] <= after["StartTime"]


def test_a_model_is_made_and_transforms(runs: Runs, platform: Platform, bucket: str) -> None:
    image = registered(platform, "serving", "serve_program.py")
    artefact = Endpoints(runs.aws, image, runs.role, bucket).artefact(name="a")
    place = f"s3://{bucket}/{unique('transformed')}"
    runs.aws.client("s3").put_object(Bucket=bucket, Key=f"{place.rsplit('/', 1)[1]}/in/rows.csv", Body=b"1,2\n3,4\n")
    arn = runs.run(
        definition(
            model("Make", runs.role, image, artefact),
            transform("Score", get("Steps.Make.ModelName"), f"{place}/in/", f"{place}/out"),
        )
    )
    steps = runs.steps(arn)
    assert {name: step["StepStatus"] for name, step in steps.items()} == {"Make": "Succeeded", "Score": "Succeeded"}, (
        steps
    )
    execution = arn.rsplit("/", 1)[1]
    assert f":model/pipelines-{execution}-make-" in steps["Make"]["Metadata"]["Model"]["Arn"]
    assert f":transform-job/pipelines-{execution}-score-" in steps["Score"]["Metadata"]["TransformJob"]["Arn"]
    key = f"{place.rsplit('/', 1)[1]}/out/rows.csv.out"
    scored = runs.aws.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    assert scored.split() == [b"1,2", b"3,4"]


def test_a_branch_that_is_not_taken_runs_nothing_that_waits_for_it(runs: Runs) -> None:
    inner = condition("Inner", compare("Equals", 1, 1), yes=[condition("Deep", compare("Equals", 1, 2))])
    outer = condition("Outer", compare("Equals", get("Parameters.Go"), True), yes=[inner], no=[fail("Else")])
    after = condition("After", compare("Equals", get("Steps.Deep.Outcome"), False))
    text = definition(outer, after, parameters=[parameter("Go", "Boolean", True)])
    taken = runs.run(text)
    assert list(runs.steps(taken)) == ["Outer", "Inner", "Deep", "After"]
    assert runs.describe(taken)["PipelineExecutionStatus"] == "Succeeded"
    other = runs.run(text, {"Go": "false"})
    assert list(runs.steps(other)) == ["Outer", "Else"]
    assert runs.describe(other)["PipelineExecutionStatus"] == "Failed"


def test_variables_of_the_execution_have_their_values(runs: Runs) -> None:
    variables = ("PipelineName", "PipelineArn", "PipelineExecutionId", "PipelineExecutionArn", "StartDateTime")
    name = runs.create(definition(fail("Tell", join(*(get(f"Execution.{each}") for each in variables), on=" "))))
    arn = runs.start(name)
    started = runs.ended(arn)["CreationTime"]
    told = runs.steps(arn)["Tell"]["FailureReason"].split(" ")
    assert told[:4] == [name, arn.partition("/execution/")[0], arn.rsplit("/", 1)[1], arn]
    assert told[4][:19] == started.astimezone().strftime("%Y-%m-%dT%H:%M:%S")


def test_steps_are_listed_the_latest_first_and_page_by_page(runs: Runs) -> None:
    first = condition("First", compare("Equals", 1, 1), DisplayName="the first", Description="it begins")
    second = condition("Second", compare("Equals", 1, 1), DependsOn=["First"])
    arn = runs.run(definition(second, first))
    listed = runs.sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn, MaxResults=1)
    assert [step["StepName"] for step in listed["PipelineExecutionSteps"]] == ["Second"]
    rest = runs.sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn, NextToken=listed["NextToken"])
    [step] = rest["PipelineExecutionSteps"]
    assert (step["StepName"], step["StepDisplayName"], step["StepDescription"]) == ("First", "the first", "it begins")
    assert "NextToken" not in rest
