"""A function of a stack -> what its role may do: statements, and actions by the resources that they are granted on."""

from typing import Any

from tests.stacks.definitions import joined
from tests.stacks.synthesis import Assembly, Resource


def function(suite: Assembly, stack: str, name: str) -> Resource:
    """By the first words of its logical id."""
    (found,) = (
        each
        for each in suite.resources("AWS::Lambda::Function", within=[stack])
        if each.id.startswith(f"{name}Function")
    )
    return found


def statements(suite: Assembly, stack: str, name: str) -> list[dict[str, Any]]:
    """Of the policies of a function's role."""
    role = function(suite, stack, name).properties["Role"]["Fn::GetAtt"][0]
    return [
        statement
        for policy in suite.resources("AWS::IAM::Policy", within=[stack])
        if {"Ref": role} in policy.properties["Roles"]
        for statement in policy.properties["PolicyDocument"]["Statement"]
    ]


def granted(suite: Assembly, stack: str, name: str) -> dict[str, set[str]]:
    """Action -> resources of a function's role."""
    found: dict[str, set[str]] = {}
    for statement in statements(suite, stack, name):
        for action in listed(statement["Action"]):
            found.setdefault(action, set()).update(map(joined, listed(statement["Resource"])))
    return found


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
