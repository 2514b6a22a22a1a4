"""JSON of a request -> values, broken constraints in AWS's words; an answer -> JSON: by a model of the test."""

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.model import Shape, ShapeResolver

from local.aws import shapes
from local.aws.cloudformation.properties import fitted
from local.aws.errors import AwsError, ValidationException

SHAPES: dict[str, Any] = {
    "Name": {"type": "string", "min": 2, "max": 5, "pattern": "[a-z]+"},
    "Words": {"type": "string", "pattern": r"[\p{L}]*"},
    "Kind": {"type": "string", "enum": ["Small", "Large"]},
    "Count": {"type": "integer", "min": 1, "max": 9},
    "Share": {"type": "double"},
    "On": {"type": "boolean"},
    "When": {"type": "timestamp"},
    "Body": {"type": "blob"},
    "Names": {"type": "list", "member": {"shape": "Name"}, "max": 2},
    "Labels": {"type": "map", "key": {"shape": "Name"}, "value": {"shape": "Name"}},
    "Inner": {"type": "structure", "required": ["Kind"], "members": {"Kind": {"shape": "Kind"}}},
    "Request": {
        "type": "structure",
        "required": ["Name"],
        "members": {
            key: {"shape": key}
            for key in ("Name", "Words", "Kind", "Count", "Share", "On", "When", "Body", "Names", "Labels", "Inner")
        },
    },
}


@pytest.fixture(scope="module")
def shape() -> Shape:
    return ShapeResolver(SHAPES).get_shape_by_name("Request")


def test_values_come_as_the_model_has_them(shape: Shape) -> None:
    given = {
        "Name": "abc",
        "Count": 3,
        "Share": 1,
        "On": False,
        "When": 1.5,
        "Body": "aGk=",
        "Names": ["ab"],
        "Inner": {"Kind": "Small", "New": 1},
        "Unknown": {},
        "Kind": None,
    }
    assert shapes.parsed(shape, given, "") == {
        "Name": "abc",
        "Count": 3,
        "Share": 1,
        "On": False,
        "When": 1.5,
        "Body": b"hi",
        "Names": ["ab"],
        "Inner": {"Kind": "Small"},
    }
    assert shapes.parsed(shape, {"When": "2026-11-23T12:00:00Z"}, "")["When"] == 1795435200


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"Name": 1}, "NUMBER_VALUE can not be converted to a String at Name"),
        ({"Count": "1"}, "STRING_VALUE can not be converted to an Integer at Count"),
        ({"Count": True}, "TRUE_VALUE can not be converted to an Integer at Count"),
        ({"On": "true"}, "STRING_VALUE can not be converted to a Boolean at On"),
        ({"Names": ["ab", 1]}, "NUMBER_VALUE can not be converted to a String at Names.1"),
        ({"Inner": "x"}, "Unexpected token STRING_VALUE at Inner"),
        ({"Body": "?"}, "can not be converted to a Blob"),
        ({"When": []}, "can not be converted to a Date"),
        ([], "Unexpected token START_ARRAY at the body"),
    ],
)
def test_wrong_types_are_told_as_aws_tells_them(shape: Shape, given: Any, told: str) -> None:
    with pytest.raises(AwsError, match=told) as failed:
        shapes.parsed(shape, given, "")
    assert failed.value.code == "SerializationException"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "1 validation error detected: Value null at 'name' failed to satisfy constraint: Member must not be null"),
        ({"Name": "a"}, "Value 'a' at 'name' .* length greater than or equal to 2"),
        ({"Name": "abcdef"}, "length less than or equal to 5"),
        ({"Name": "A1"}, r"regular expression pattern: \[a-z\]\+"),
        ({"Name": "ab", "Count": 10}, "Value '10' at 'count' .* value less than or equal to 9"),
        ({"Name": "ab", "Kind": "Tiny"}, r"enum value set: \[Small, Large\]"),
        ({"Name": "ab", "Inner": {}}, "Value null at 'inner.kind'"),
        ({"Name": "ab", "Names": ["ab", "x"]}, "at 'names.2.member'"),
        ({"Name": "ab", "Labels": {"ab": "X"}}, "at 'labels.ab.member'"),
        ({"Count": 0, "Names": ["ab"] * 3}, "3 validation errors detected"),
    ],
)
def test_broken_constraints_are_told_as_aws_tells_them(shape: Shape, given: Any, told: str) -> None:
    with pytest.raises(ValidationException, match=told):
        shapes.validate(shape, given)


def test_a_pattern_that_python_cannot_say_is_not_checked(shape: Shape) -> None:
    shapes.validate(shape, {"Name": "ab", "Words": "9 !"})


def test_answers_are_what_the_model_promises(shape: Shape) -> None:
    moment = datetime(2026, 11, 23, 12, tzinfo=UTC)
    value = {"Name": "abc", "When": moment, "Body": b"hi", "Kind": None, "_own": 1, "Inner": {"Kind": "Small", "x": 1}}
    assert shapes.shaped(shape, value, "it") == {
        "Name": "abc",
        "When": 1795435200.0,
        "Body": "aGk=",
        "Inner": {"Kind": "Small"},
    }
    with pytest.raises(ValueError, match="it lacks Name"):
        shapes.shaped(shape, {"Count": 1}, "it")
    with pytest.raises(ValueError, match=r"it\.Count is '1', not a integer"):
        shapes.shaped(shape, {"Name": "ab", "Count": "1"}, "it")


def test_what_a_template_says_in_text_is_fitted(shape: Shape) -> None:
    given = {"Name": 12, "Count": "3", "Share": "0.5", "On": "true", "Inner": {"Kind": "Small"}, "Labels": {1: True}}
    assert fitted(shape, given, "#") == {
        "Name": "12",
        "Count": 3,
        "Share": 0.5,
        "On": True,
        "Inner": {"Kind": "Small"},
        "Labels": {"1": "true"},
    }
    with pytest.raises(ValueError, match=r"extraneous key \[#/Inner/Colour\] is not permitted"):
        fitted(shape, {"Inner": {"Colour": "red"}}, "#")
