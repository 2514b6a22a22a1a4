"""Whatever JSON a pipeline's definition holds, it is taken or refused in AWS's words; nothing else is raised."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from local.aws.errors import ValidationException
from local.sagemaker.pipelines.definition import parse
from local.sagemaker.pipelines.validation import check
from tests.sagemaker.pipeline_definitions import (
    compare,
    condition,
    fail,
    function,
    get,
    join,
    json_get,
    parameter,
    processing,
)

RETRY = [
    {"ExceptionType": ["Step.THROTTLING"], "IntervalSeconds": 1, "BackoffRate": 2.0, "MaxAttempts": 3},
    {"ExceptionType": ["Step.SERVICE_FAULT"], "ExpireAfterMin": 5},
]
WHOLE: dict[str, Any] = {
    "Version": "2020-12-01",
    "Parameters": [parameter("P", "String", "x", EnumValues=["x", "y"]), parameter("N", "Integer", 1)],
    "PipelineExperimentConfig": {"ExperimentName": get("Execution.PipelineName"), "TrialName": "t"},
    "Steps": [
        function("L", "arn:aws:lambda:us-east-1:000000000000:function:f", {"a": get("Parameters.P")}, {"o": "String"},
                 CacheConfig={"Enabled": False}, DisplayName="shown", Description="what for"),
        processing("D", "arn:aws:iam::000000000000:role/r", ["python", join("a", get("Steps.L.OutputParameters['o']"))],
                   outputs={"out": "s3://b/x"}, files={"F": ("out", "a.json")}, RetryPolicies=RETRY, DependsOn=["L"]),
        condition("C", compare("GreaterThan", json_get("D", "F", "a.b[0]"), get("Parameters.N")),
                  {"Type": "Or", "Conditions": [{"Type": "In", "QueryValue": 1, "Values": [1]}]},
                  {"Type": "Not", "Expression": compare("Equals", 1, 2)}, no=[fail("X")]),
    ],
}  # fmt: skip
ODD = (
    None, 1, 1.5, True, "", "z", [], {}, [1], {"a": 1}, [[1]], [{}], [None], {"Get": 5}, {"Get": "Parameters.P"},
    {"Get": "Steps.L.x"}, {"Std:Join": []}, {"Std:JsonGet": {"S3Uri": [], "Path": "a"}},
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Path of each value inside."""
    yield path
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in inside:
        yield from places(inner, (*path, key))


def changed(path: tuple[Any, ...], odd: Any) -> str:
    """The whole definition with another value at one place."""
    whole = copy.deepcopy({"": WHOLE})
    place: Any = whole
    *before, last = ("", *path)
    for key in before:
        place = place[key]
    place[last] = odd
    return json.dumps(whole[""])


def test_a_value_of_another_type_is_taken_or_refused() -> None:
    check(parse(json.dumps(WHOLE)))
    refused = 0
    for path in places(WHOLE):
        for odd in ODD:
            try:
                check(parse(changed(path, odd)))
            except ValidationException:
                refused += 1
            except Exception as error:
                raise AssertionError(f"{odd!r} at {path} raises {error!r}") from error
    assert refused > 1000


@pytest.mark.parametrize(
    ("path", "odd", "told"),
    [
        (("Steps", 0, "DisplayName"), 5, "Step [L]: DisplayName: expecting a string."),
        (("Steps", 1, "RetryPolicies", 0, "IntervalSeconds"), "1", "IntervalSeconds expects a number"),
        (("Steps", 0, "OutputParameters", 0, "OutputName"), [], "all of them strings"),
        (("PipelineExperimentConfig", "TrialName"), 1, "PipelineExperimentConfig.TrialName: expecting a value of type"),
        (("Parameters", 0, "EnumValues"), "xy", "EnumValues: expecting start of Json Array"),
    ],
)
def test_the_refusal_names_the_member(path: tuple[Any, ...], odd: Any, told: str) -> None:
    with pytest.raises(ValidationException) as refusal:
        check(parse(changed(path, odd)))
    assert told in refusal.value.message
