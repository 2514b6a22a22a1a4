"""A definition that would not run is refused when the pipeline is made, and the refusal names the step."""

import json
import re
from typing import Any

import pytest

from local.aws.errors import ValidationException
from local.sagemaker.pipelines.definition import Definition, parse
from local.sagemaker.pipelines.validation import check
from tests.sagemaker.pipeline_definitions import (
    compare,
    condition,
    definition,
    fail,
    function,
    get,
    join,
    json_get,
    parameter,
    processing,
    register,
    training,
)

ROLE = "arn:aws:iam::000000000000:role/pipeline"
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:champion"
DATA = processing(
    "Data", ROLE, ["python", "-m", "data"], outputs={"train": "s3://b/train"}, files={"Summary": ("train", "s.json")}
)
TRAIN_DATA = get("Steps.Data.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri")
ARTEFACT = get("Steps.Train.ModelArtifacts.S3ModelArtifacts")


def checked(text: str) -> Definition:
    found = parse(text)
    check(found)
    return found


def refused(text: str) -> str:
    with pytest.raises(ValidationException) as refusal:
        checked(text)
    assert refusal.value.message.startswith("Unable to parse pipeline definition.")
    return refusal.value.message


def test_steps_wait_for_what_they_name() -> None:
    gate = condition(
        "Gate",
        compare("GreaterThan", json_get("Data", "Summary", "rows"), get("Parameters.Least")),
        yes=[register("Register", "group", ARTEFACT, metadata={"hash": json_get("Data", "Summary", "hash")})],
        no=[fail("Refused", join("refused: ", json_get("Data", "Summary", "why")))],
    )
    found = checked(
        definition(
            gate,
            training("Train", ROLE, "s3://b/models", train=TRAIN_DATA, DependsOn=["Champion"]),
            DATA,
            function("Champion", FUNCTION, outputs={"uri": "String"}),
            parameters=[parameter("Least", "Integer", 10)],
        )
    )
    assert {name: set(step.needs) for name, step in found.steps.items()} == {
        "Gate": {"Data"},
        "Register": {"Gate", "Train", "Data"},
        "Refused": {"Gate", "Data"},
        "Train": {"Data", "Champion"},
        "Data": set(),
        "Champion": set(),
    }
    assert found.steps["Register"].branch == ("Gate", True)
    assert found.steps["Refused"].branch == ("Gate", False)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "It is not JSON"),
        ("[]", "Expecting start of Json Object"),
        ('{"Version": "2021-01-01", "Steps": []}', "Version [2021-01-01] is not supported"),
        ('{"Steps": {}}', "Steps: expecting start of Json Array"),
        ('{"Steps": []}', "1 to 50 steps, not 0"),
        ('{"Steps": [{"Type": "Fail"}]}', "Step without a valid Name"),
        (definition(DATA, DATA), "two steps [Data]"),
        (definition({"Name": "Tune", "Type": "Tuning", "Arguments": {}}), "Step [Tune]: Type [Tuning] is not"),
        (definition({**DATA, "Cached": True}), "Step [Data]: Unknown member 'Cached'"),
        (definition({**DATA, "CacheConfig": {"Enabled": True}}), "Step [Data]: CacheConfig is not supported"),
        (definition({**DATA, "DependsOn": ["Nobody"]}), "Step [Data]: DependsOn: step [Nobody] is not defined"),
        (definition(fail("End"), {**DATA, "DependsOn": ["End"]}), "Data can not depends on End"),
        (definition(fail("End", get("Parameters.Nothing"))), "Step [End]: Parameter [Nothing]"),
        (definition(fail("End", get("Execution.Colour"))), "[Execution.Colour] is not one of"),
        (definition(fail("End", get("Steps.Nobody.X"))), "Step [Nobody] of [Steps.Nobody.X] is not defined"),
        (definition(DATA, fail("End", get("Steps.Data.Colour"))), "[Steps.Data.Colour] is not a property"),
        (definition(fail("End", get("Somewhere"))), "does not begin with Parameters., Execution. or Steps."),
        (definition(fail("End", {"Std:Split": {}})), "Std:Split is not a function"),
        (definition(fail("End", {"Std:Join": {"On": 1, "Values": []}})), "Std:Join expects a string On"),
        (definition(DATA, fail("End", json_get("Data", "Nothing", "a"))), "Property file [Nothing] is not defined"),
        (definition(function("Ask", FUNCTION), fail("End", get("Steps.Ask.OutputParameters['x']"))), "['x']"),
        (definition(condition("If")), "Step [If]: A Condition step has the Arguments Conditions"),
        (definition(condition("If", {"Type": "And", "Conditions": []})), "joined by and already"),
        (definition(condition("If", {"Type": "Equals", "LeftValue": 1})), "Condition Equals expects the members"),
        (definition(register("Register", "group", ARTEFACT)), "Step [Train] of [Steps.Train"),
    ],
)  # fmt: skip
def test_what_cannot_run_is_refused(text: str, why: str) -> None:
    assert why in refused(text)


def test_steps_that_wait_for_each_other_are_refused() -> None:
    first = function("First", FUNCTION, {"of": get("Steps.Second.OutputParameters['x']")}, {"x": "String"})
    second = function("Second", FUNCTION, {}, {"x": "String"}, DependsOn=["First"])
    message = refused(definition(first, second))
    assert re.search(r"wait for each other: (First -> Second -> First|Second -> First -> Second)", message)


def test_arguments_are_held_against_the_operation_of_the_step() -> None:
    train = training("Train", ROLE, "s3://b/models")

    def changed(**arguments: Any) -> str:
        return definition(
            {**train, "Arguments": {**train["Arguments"], **arguments}}, parameters=[parameter("Rows", "Integer", 1)]
        )

    assert "Unknown Argument member 'Color'" in refused(changed(Color="red"))
    assert "expecting start of Json Array" in refused(changed(InputDataConfig={}))
    assert "Arguments.HyperParameters.rows: expecting a value of type String, not 1" in refused(
        changed(HyperParameters={"rows": 1})
    )
    assert "Cannot assign property reference [Parameters.Rows] to argument of type String" in refused(
        changed(HyperParameters={"rows": get("Parameters.Rows")})
    )
    assert "failed to satisfy enum value set" in refused(
        changed(AlgorithmSpecification={"TrainingImage": "i", "TrainingInputMode": "Boat"})
    )
    checked(changed(HyperParameters={"rows": join(get("Parameters.Rows"))}))
    without = {key: value for key, value in train["Arguments"].items() if key != "OutputDataConfig"}
    assert "Missing required Argument member 'OutputDataConfig'" in refused(definition({**train, "Arguments": without}))


def test_the_sdk_way_of_writing_it_is_understood() -> None:
    text = json.loads(definition(DATA))
    text["Metadata"] = {}
    text["PipelineExperimentConfig"] = {"ExperimentName": get("Execution.PipelineName")}
    assert checked(json.dumps(text)).steps["Data"].type == "Processing"


@pytest.mark.parametrize(
    ("policy", "why"),
    [
        ({"ExceptionType": ["Step.SURPRISE"], "MaxAttempts": 1}, "Step.SURPRISE"),
        ({"ExceptionType": ["Step.THROTTLING"]}, "either MaxAttempts or ExpireAfterMin"),
        ({"ExceptionType": ["Step.THROTTLING"], "MaxAttempts": 21}, "MaxAttempts is 1 to 20"),
    ],
)
def test_wrong_retry_policies_are_refused(policy: dict[str, Any], why: str) -> None:
    assert why in refused(definition({**DATA, "RetryPolicies": [policy]}))
