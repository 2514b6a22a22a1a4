"""Condition and Fail: the steps that make nothing, but say where an execution goes."""

from typing import Any

from local.sagemaker.pipelines import conditions
from local.sagemaker.pipelines.retries import StepFailed
from local.sagemaker.pipelines.steps.turn import Turn


def condition(turn: Turn) -> dict[str, Any]:
    """Properties of a Condition step: Outcome, whether all of its conditions hold."""
    turn.executing({})
    outcome = conditions.hold(turn.step.arguments["Conditions"], turn.value)
    turn.executing({"Condition": {"Outcome": str(outcome)}})
    return {"Outcome": outcome}


def fail(turn: Turn) -> dict[str, Any]:
    """Always raises StepFailed, with the ErrorMessage of the step as its reason."""
    message = str(turn.value(turn.step.arguments.get("ErrorMessage", "")))
    turn.executing({"Fail": {"ErrorMessage": message}})
    raise StepFailed(message)
