"""References, conditions, parameters and retry policies of a pipeline: what they give in an execution."""

from typing import Any

import pytest

from local.aws.errors import ValidationException
from local.sagemaker.pipelines import conditions, retries
from local.sagemaker.pipelines.parameters import assigned, declared
from local.sagemaker.pipelines.references import Malformed, Reference, Source, Undefined, at, path_of, resolve
from local.sagemaker.pipelines.retries import StepFailed
from tests.sagemaker.pipeline_definitions import compare, get, join, json_get, parameter

DESCRIBED = {
    "ProcessingOutputConfig": {"Outputs": [
        {"OutputName": "test", "S3Output": {"S3Uri": "s3://b/test"}},
        {"OutputName": "train", "S3Output": {"S3Uri": "s3://b/train"}},
    ]},
    "OutputParameters": {"a.b": 3},
}  # fmt: skip
REPORT = {"gain": {"average_precision": 0.25}, "slices": [{"name": "night", "loss": 0}], "why": "too slow"}


def value(reference: Reference) -> Any:
    if reference.scope == "Steps":
        return at(DESCRIBED, reference.path, reference.text)
    return {"Rows": 7, "Share": 0.5, "On": True, "Name": "x"}[reference.name]


SOURCE = Source(value, lambda wanted: REPORT)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (get("Steps.Data.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri"), "s3://b/train"),
        (get("Steps.Data.ProcessingOutputConfig.Outputs[0].S3Output.S3Uri"), "s3://b/test"),
        (get("Steps.Data.OutputParameters['a.b']"), 3),
        (join("s3:/", get("Parameters.Name"), get("Parameters.Rows"), on="/"), "s3://x/7"),
        (join(get("Parameters.Share"), ",", get("Parameters.On")), "0.5,true"),
        (json_get("Data", "Report", "gain.average_precision"), 0.25),
        (json_get("Data", "Report", "slices[0]['loss']"), 0),
        ({"a": [get("Parameters.Rows"), {"b": json_get("Data", "Report", "why")}]}, {"a": [7, {"b": "too slow"}]}),
        (join("refused: ", json_get("Data", "Report", "why")), "refused: too slow"),
    ],
)
def test_references_are_replaced(expression: Any, expected: Any) -> None:
    assert resolve(expression, SOURCE) == expected


@pytest.mark.parametrize("path", ["gain.recall", "slices[1].loss", "slices['day'].loss", "gain.average_precision.more"])
def test_what_is_not_there_is_undefined(path: str) -> None:
    with pytest.raises(Undefined, match="undefined"):
        resolve(json_get("Data", "Report", path), SOURCE)


def test_a_structure_cannot_be_joined() -> None:
    with pytest.raises(Undefined, match="cannot be joined"):
        resolve(join(json_get("Data", "Report", "gain")), SOURCE)


def test_paths_are_read_as_they_are_written() -> None:
    assert path_of("a.b-c['d e'][\"f\"][10]") == ("a", "b-c", "d e", "f", 10)
    with pytest.raises(Malformed):
        path_of("a[")


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (compare("GreaterThanOrEqualTo", get("Parameters.Share"), 0.5), True),
        (compare("GreaterThan", get("Parameters.Share"), 0.5), False),
        (compare("LessThan", get("Parameters.Rows"), 7.5), True),
        (compare("LessThanOrEqualTo", 8, get("Parameters.Rows")), False),
        (compare("Equals", get("Parameters.Name"), "x"), True),
        (compare("NotEquals", get("Parameters.On"), True), False),
        ({"Type": "In", "QueryValue": get("Parameters.Rows"), "Values": ["7", 7]}, True),
        ({"Type": "In", "QueryValue": get("Parameters.On"), "Values": [1]}, False),
        ({"Type": "Not", "Expression": compare("Equals", 1, 1)}, False),
        ({"Type": "Or", "Conditions": [compare("Equals", 1, 2), compare("Equals", 2, 2)]}, True),
        ({"Type": "Or", "Conditions": [compare("Equals", 1, 2)]}, False),
    ],
)
def test_a_condition_holds_or_does_not(condition: dict[str, Any], holds: bool) -> None:
    conditions.check(condition)
    assert conditions.hold([condition], lambda expression: resolve(expression, SOURCE)) is holds


def test_conditions_of_a_step_are_joined_by_and() -> None:
    both = [compare("Equals", 1, 1), compare("Equals", 1, 2)]
    assert not conditions.hold(both, lambda expression: expression)


@pytest.mark.parametrize(("left", "right"), [("1", 1), (True, 1), ({}, {}), (None, None)])
def test_different_types_cannot_be_compared(left: Any, right: Any) -> None:
    with pytest.raises(Undefined, match="not of the same type"):
        conditions.hold([compare("Equals", left, right)], lambda expression: expression)


def given(**values: str) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in values.items()]


PARAMETERS = declared(
    [
        parameter("Rows", "Integer", 10),
        parameter("Share", "Float", 1),
        parameter("On", "Boolean", False),
        parameter("Approval", default="Approved", EnumValues=["Approved", "PendingManualApproval"]),
        parameter("Reason"),
    ]
)


def test_parameters_are_typed_and_defaults_filled_in() -> None:
    assert assigned(PARAMETERS, given(Reason="", Rows="3", On="true")) == {
        "Rows": 3,
        "Share": 1,
        "On": True,
        "Approval": "Approved",
        "Reason": "",
    }


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (given(), r"Parameters \[Reason\] do not have default values"),
        (given(Reason="", Colour="red"), r"Parameters \[Colour\] are not defined"),
        (given(Reason="", Rows="3.5"), r"\[3.5\] for parameter \[Rows\] is not of type Integer"),
        (given(Reason="", Share="nan"), "not of type Float"),
        (given(Reason="", On="yes"), "not of type Boolean"),
        (given(Reason="", Approval="Maybe"), r"\[Maybe\] of parameter \[Approval\] is not one of"),
        (given(Reason="") * 2, "more than once"),
    ],
)
def test_wrong_parameters_are_refused(values: list[dict[str, str]], why: str) -> None:
    with pytest.raises(ValidationException, match=why):
        assigned(PARAMETERS, values)


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ([parameter("A"), parameter("A")], "Duplicate"),
        ([parameter("A", "Date")], "Type"),
        ([parameter("A", "Integer", "7")], "not of type Integer"),
        ([parameter("A", "Integer", True)], "not of type Integer"),
        ([parameter("A", default="x", EnumValues=["y"])], "is not one of"),
        ([{"Name": "a b"}], "valid Name"),
    ],
)
def test_wrong_declarations_are_refused(parameters: list[dict[str, Any]], why: str) -> None:
    with pytest.raises(ValidationException, match=why):
        declared(parameters)


LIMIT = StepFailed("too many", "SageMaker.RESOURCE_LIMIT")
POLICY = {"ExceptionType": ["SageMaker.RESOURCE_LIMIT"], "IntervalSeconds": 2, "BackoffRate": 3.0, "MaxAttempts": 2}


def test_pauses_grow_until_the_attempts_are_used_up() -> None:
    assert [retries.pause([POLICY], LIMIT, retried, 0) for retried in range(3)] == [2, 6, None]
    assert retries.pause([POLICY], StepFailed("broken"), 0, 0) is None


def test_a_policy_may_end_after_a_time() -> None:
    policy = {"ExceptionType": ["SageMaker.RESOURCE_LIMIT"], "IntervalSeconds": 10, "ExpireAfterMin": 1}
    assert retries.pause([policy], LIMIT, 0, 45) == 10
    assert retries.pause([policy], LIMIT, 0, 55) is None


def test_the_reason_says_why_there_is_no_further_attempt() -> None:
    assert retries.explained(StepFailed("broken"), "arn", "Train", []) == "broken"
    without, exhausted = (retries.explained(LIMIT, "arn", "Train", policies) for policies in ([], [POLICY]))
    assert "StepId Train. No retry policy configured for the exception type SAGEMAKER_RESOURCE_LIMIT." in without
    assert "Retry policy exhausted" in exhausted
