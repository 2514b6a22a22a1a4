"""Pipelines as resources: made once, changed into versions, listed, deleted with their executions."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.platform.process import Platform
from tests.checked import Aws, unique
from tests.sagemaker.pipeline_definitions import compare, condition, definition, fail, get, parameter
from tests.sagemaker.pipeline_runs import Runs

NOTHING = definition(condition("Nothing", compare("Equals", get("Parameters.Count"), 1)), parameters=[
    parameter("Count", "Integer", 1)
])  # fmt: skip
OTHER = definition(condition("Other", compare("Equals", 1, 1)))
TOKEN = "0123456789" * 4


@pytest.fixture(scope="module")
def runs(aws: Aws, platform: Platform) -> Runs:
    return Runs(aws, platform)


def refused(call: Any, code: str, **arguments: Any) -> str:
    with pytest.raises(ClientError) as refusal:
        call(**arguments)
    assert refusal.value.response["Error"]["Code"] == code
    return str(refusal.value.response["Error"]["Message"])


def test_a_pipeline_is_described_as_it_was_made(runs: Runs) -> None:
    name = runs.create(
        NOTHING,
        PipelineDisplayName="Shown",
        PipelineDescription="what it is for",
        ParallelismConfiguration={"MaxParallelExecutionSteps": 2},
        Tags=[{"Key": "owner", "Value": "fraud"}],
    )
    described = runs.sagemaker.describe_pipeline(PipelineName=name)
    assert described["PipelineArn"].endswith(f":pipeline/{name}")
    assert described["PipelineDefinition"] == NOTHING
    assert (described["PipelineDisplayName"], described["PipelineDescription"]) == ("Shown", "what it is for")
    assert (described["RoleArn"], described["PipelineStatus"]) == (runs.role, "Active")
    assert described["ParallelismConfiguration"] == {"MaxParallelExecutionSteps": 2}
    assert runs.sagemaker.list_tags(ResourceArn=described["PipelineArn"])["Tags"] == [
        {"Key": "owner", "Value": "fraud"}
    ]


def test_the_same_token_makes_one_pipeline_and_another_one_is_refused(runs: Runs) -> None:
    name = unique("pipeline")
    made = {"PipelineName": name, "RoleArn": runs.role, "PipelineDefinition": NOTHING}
    first = runs.sagemaker.create_pipeline(**made, ClientRequestToken=TOKEN)["PipelineArn"]
    assert runs.sagemaker.create_pipeline(**made, ClientRequestToken=TOKEN)["PipelineArn"] == first
    message = refused(runs.sagemaker.create_pipeline, "ValidationException", **made, ClientRequestToken=TOKEN[::-1])
    assert message.startswith("Pipeline names must be unique within an AWS account and region.")


def test_a_definition_comes_from_s3(runs: Runs, aws: Aws, bucket: str) -> None:
    name = unique("pipeline")
    aws.client("s3").put_object(Bucket=bucket, Key="definition.json", Body=NOTHING.encode())
    location = {"Bucket": bucket, "ObjectKey": "definition.json"}
    made = {"PipelineName": name, "RoleArn": runs.role}
    runs.sagemaker.create_pipeline(**made, PipelineDefinitionS3Location=location)
    assert runs.sagemaker.describe_pipeline(PipelineName=name)["PipelineDefinition"] == NOTHING
    made["PipelineName"] = unique("pipeline")
    missing = {"Bucket": bucket, "ObjectKey": "nothing.json"}
    create = runs.sagemaker.create_pipeline
    assert "nothing.json" in refused(create, "ValidationException", **made, PipelineDefinitionS3Location=missing)
    assert "Either" in refused(create, "ValidationException", **made)
    both = {"PipelineDefinitionS3Location": location, "PipelineDefinition": NOTHING}
    assert "Both" in refused(create, "ValidationException", **made, **both)


def test_a_wrong_definition_makes_no_pipeline_and_changes_none(runs: Runs) -> None:
    wrong = definition({"Name": "Ask", "Type": "Callback", "Arguments": {}})
    name = unique("pipeline")
    create = runs.sagemaker.create_pipeline
    message = refused(create, "ValidationException", PipelineName=name, RoleArn=runs.role, PipelineDefinition=wrong)
    assert "Step [Ask]: Type [Callback] is not supported" in message
    refused(runs.sagemaker.describe_pipeline, "ResourceNotFound", PipelineName=name)
    name = runs.create(NOTHING)
    refused(runs.sagemaker.update_pipeline, "ValidationException", PipelineName=name, PipelineDefinition=wrong)
    assert runs.sagemaker.describe_pipeline(PipelineName=name)["PipelineDefinition"] == NOTHING


@pytest.mark.parametrize("name", ["-begins", "under_score", "a" * 257])
def test_a_wrong_name_is_refused(runs: Runs, name: str) -> None:
    create = runs.sagemaker.create_pipeline
    refused(create, "ValidationException", PipelineName=name, RoleArn=runs.role, PipelineDefinition=NOTHING)


def test_a_new_definition_is_a_new_version(runs: Runs) -> None:
    name = runs.create(NOTHING)
    runs.sagemaker.update_pipeline(PipelineName=name, PipelineDescription="told anew")
    changed = runs.sagemaker.update_pipeline(PipelineName=name, PipelineDefinition=OTHER)
    assert changed["PipelineVersionId"] == 2
    versions = runs.sagemaker.list_pipeline_versions(PipelineName=name)["PipelineVersionSummaries"]
    assert [version["PipelineVersionId"] for version in versions] == [2, 1]
    described = runs.sagemaker.describe_pipeline(PipelineName=name)
    assert (described["PipelineDescription"], described["PipelineDefinition"]) == ("told anew", OTHER)
    assert runs.sagemaker.describe_pipeline(PipelineName=name, PipelineVersionId=1)["PipelineDefinition"] == NOTHING

    old = runs.start(name, {"Count": "3"}, PipelineVersionId=1)
    new = runs.start(name)
    assert set(runs.steps(runs.ended(old)["PipelineExecutionArn"])) == {"Nothing"}
    assert set(runs.steps(runs.ended(new)["PipelineExecutionArn"])) == {"Other"}
    definition_of = runs.sagemaker.describe_pipeline_definition_for_execution
    assert definition_of(PipelineExecutionArn=old)["PipelineDefinition"] == NOTHING


def test_pipelines_are_listed_page_by_page(runs: Runs) -> None:
    prefix = unique("listed")
    names = [f"{prefix}-{i}" for i in range(3)]
    for name in names:
        runs.sagemaker.create_pipeline(PipelineName=name, RoleArn=runs.role, PipelineDefinition=NOTHING)
    pages = runs.sagemaker.get_paginator("list_pipelines")
    found = pages.paginate(
        PipelineNamePrefix=prefix, SortBy="Name", SortOrder="Ascending", PaginationConfig={"PageSize": 2}
    ).build_full_result()
    assert [pipeline["PipelineName"] for pipeline in found["PipelineSummaries"]] == names
    newest = runs.sagemaker.list_pipelines(PipelineNamePrefix=prefix, MaxResults=1)["PipelineSummaries"]
    assert [pipeline["PipelineName"] for pipeline in newest] == names[-1:]


def test_executions_are_listed_and_deleted_with_their_pipeline(runs: Runs) -> None:
    name = runs.create(NOTHING)
    arns = [runs.start(name) for _ in range(3)]
    for arn in arns:
        runs.ended(arn)
    pages = runs.sagemaker.get_paginator("list_pipeline_executions").paginate(
        PipelineName=name, PaginationConfig={"PageSize": 2}
    )
    found = pages.build_full_result()["PipelineExecutionSummaries"]
    assert [execution["PipelineExecutionArn"] for execution in found] == arns[::-1]
    assert {execution["PipelineExecutionStatus"] for execution in found} == {"Succeeded"}
    runs.sagemaker.update_pipeline_execution(PipelineExecutionArn=arns[0], PipelineExecutionDisplayName="first")
    assert runs.describe(arns[0])["PipelineExecutionDisplayName"] == "first"

    runs.sagemaker.delete_pipeline(PipelineName=name)
    refused(runs.sagemaker.describe_pipeline, "ResourceNotFound", PipelineName=name)
    refused(runs.sagemaker.describe_pipeline_execution, "ResourceNotFound", PipelineExecutionArn=arns[0])


def test_a_pipeline_that_runs_is_not_deleted(runs: Runs) -> None:
    name = runs.create(definition(runs.job("Wait", "wait")))
    arn = runs.start(name)
    assert arn in refused(runs.sagemaker.delete_pipeline, "ConflictException", PipelineName=name)
    runs.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
    assert runs.ended(arn)["PipelineExecutionStatus"] == "Stopped"
    runs.sagemaker.delete_pipeline(PipelineName=name)


def test_wrong_parameters_start_nothing(runs: Runs) -> None:
    text = definition(
        condition("If", compare("GreaterThan", get("Parameters.Rows"), 1), no=[fail("Few")]),
        parameters=[parameter("Rows", "Integer")],
    )
    name = runs.create(text)
    for given, why in (({}, "do not have default"), ({"Rows": "x"}, "not of type"), ({"Row": "1"}, "not defined")):
        values = [{"Name": key, "Value": value} for key, value in given.items()]
        start = runs.sagemaker.start_pipeline_execution
        assert why in refused(start, "ValidationException", PipelineName=name, PipelineParameters=values)
    assert runs.sagemaker.list_pipeline_executions(PipelineName=name)["PipelineExecutionSummaries"] == []
    refused(runs.sagemaker.start_pipeline_execution, "ResourceNotFound", PipelineName=unique("nobody"))


def test_the_same_token_starts_one_execution(runs: Runs) -> None:
    name = runs.create(NOTHING)
    assert runs.start(name, ClientRequestToken=TOKEN) == runs.start(name, ClientRequestToken=TOKEN)
    assert runs.start(name, ClientRequestToken=TOKEN[::-1]) != runs.start(name, ClientRequestToken=TOKEN)


def test_requests_with_one_token_at_the_same_time_start_one_execution(runs: Runs) -> None:
    name = runs.create(NOTHING)
    with ThreadPoolExecutor(8) as pool:
        started = list(pool.map(lambda _: runs.start(name, ClientRequestToken=TOKEN), range(8)))
    assert len(set(started)) == 1
    listed = runs.sagemaker.list_pipeline_executions(PipelineName=name)["PipelineExecutionSummaries"]
    assert [each["PipelineExecutionArn"] for each in listed] == started[:1]


def test_parameters_are_what_the_start_made_of_them(runs: Runs) -> None:
    text = json.loads(NOTHING)
    text["Parameters"].append(parameter("Reason", default="schedule"))
    arn = runs.run(json.dumps(text), {"Reason": "drift"})
    listed = runs.sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)["PipelineParameters"]
    assert listed == [{"Name": "Count", "Value": "1"}, {"Name": "Reason", "Value": "drift"}]
