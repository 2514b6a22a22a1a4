"""Conditions of a Condition step -> whether they hold. Those of one step are joined by "and"."""

import operator
from collections.abc import Callable
from typing import Any

from local.sagemaker.pipelines.references import Malformed, Undefined

Resolve = Callable[[Any], Any]

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "NotEquals": operator.ne,
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}
# The JSON schema says Value and In; what the service takes, and the SageMaker SDK writes, is QueryValue and Values.
MEMBERS = {
    **{name: {"LeftValue", "RightValue"} for name in COMPARISONS},
    "In": {"QueryValue", "Values"},
    "Or": {"Conditions"},
    "Not": {"Expression"},
}


def check(condition: Any) -> None:
    """Raises Malformed when it is not a condition."""
    kind = condition.get("Type") if isinstance(condition, dict) else None
    if kind == "And":
        raise Malformed("And is not a condition's Type: the Conditions of a step are joined by and already.")
    if not isinstance(kind, str) or kind not in MEMBERS:
        raise Malformed(f"Condition Type [{kind}] is not one of {sorted(MEMBERS)}.")
    if set(condition) - {"Type"} != MEMBERS[kind]:
        raise Malformed(f"Condition {kind} expects the members {sorted(MEMBERS[kind])}, not {sorted(condition)}.")
    if kind == "In" and not isinstance(condition["Values"], list):
        raise Malformed("Condition In expects a list of Values.")
    if kind == "Or":
        if not isinstance(condition["Conditions"], list) or not condition["Conditions"]:
            raise Malformed("Condition Or expects a list of Conditions.")
        for inner in condition["Conditions"]:
            check(inner)
    if kind == "Not":
        check(condition["Expression"])


def hold(conditions: list[dict[str, Any]], resolve: Resolve) -> bool:
    """Whether all hold. Raises Undefined for values that cannot be compared or are not there."""
    return all(_holds(condition, resolve) for condition in conditions)


def _holds(condition: dict[str, Any], resolve: Resolve) -> bool:
    kind = condition["Type"]
    if kind == "Not":
        return not _holds(condition["Expression"], resolve)
    if kind == "Or":
        return any(_holds(inner, resolve) for inner in condition["Conditions"])
    if kind == "In":
        wanted = resolve(condition["QueryValue"])
        return any(_comparable(wanted, value) and wanted == value for value in map(resolve, condition["Values"]))
    left, right = resolve(condition["LeftValue"]), resolve(condition["RightValue"])
    if not _comparable(left, right):
        raise Undefined(f"Condition {kind} cannot compare {left!r} with {right!r}: they are not of the same type.")
    return COMPARISONS[kind](left, right)


def _comparable(left: Any, right: Any) -> bool:
    """Numbers with numbers, text with text, Booleans with Booleans."""
    return _kind(left) is not None and _kind(left) == _kind(right)


def _kind(value: Any) -> str | None:
    if isinstance(value, bool):
        return "Boolean"
    if isinstance(value, (int, float)):
        return "number"
    return "text" if isinstance(value, str) else None
