"""Functions of imaging -> a state machine: each instance read, the study routed, reviewed, reported, sent back, told.

Every function gets what is known so far and answers with that and more. These are pseudonymous ids, codes and numbers:
an execution's history can be read by whoever may look at state machines. Input: {"study", "revision", "instances"}.
A step that cannot be done after all attempts ends the reading: the study says that it failed, and
`cuatro replay imaging` begins its next revision.
"""

from collections.abc import Mapping
from typing import Any

from cdk.retries import PASSING

Json = dict[str, Any]

JOBS = (
    "validate", "deidentify", "normalise", "infer", "route", "ask", "report", "reidentify", "deliver", "conclude",
)  # fmt: skip
"""Functions that the machine calls; `ask` opens a task of the review queue."""

_DAY_S = 86_400
_RETRY: list[Json] = [
    {
        "ErrorEquals": [*PASSING],
        "IntervalSeconds": 2,
        "BackoffRate": 2.0,
        "MaxAttempts": 6,
        "MaxDelaySeconds": 60,
    },
    # Out of time or memory: another sandbox may do it, a third will not.
    {"ErrorEquals": ["Lambda.Unknown", "Sandbox.Timedout"], "IntervalSeconds": 5, "MaxAttempts": 1},
]
_KEPT = ("instance", "state", "finding", "probability", "unsure", "why", "model_version", "distance")
_UNREVIEWED = ("ReviewExpired", "States.Timeout")


def definition(functions: Mapping[str, str], *, review_days: int, concurrency: int = 4) -> Json:
    """Amazon States Language. functions: ARN by job, all of JOBS. concurrency: instances of a study at a time."""
    states: dict[str, Json] = {
        "Read": _each_instance(functions, concurrency),
        "Route": _call(functions["route"], after="Routed"),
        "Routed": _choice("$.routing.route", {"review": "Review", "report": "Report"}, otherwise="Conclude"),
        "Review": _review(functions["ask"], review_days),
        "Report": _call(functions["report"], after="Reidentify"),
        "Reidentify": _call(functions["reidentify"], after="Deliver"),
        "Deliver": _delivery(functions["deliver"]),
        "Conclude": _call(functions["conclude"], after="Concluded"),
        "Concluded": {"Type": "Succeed"},
        "ConcludeFailed": _failed(functions["conclude"]),
        "Failed": {
            "Type": "Fail",
            "Error": "ReadingFailed",
            "Cause": "The study is kept and says so: cuatro studies; read it again: cuatro replay imaging",
        },
    }
    return {
        "Comment": "A study is read",
        "StartAt": "Read",
        "TimeoutSeconds": (review_days + 7) * _DAY_S,
        "States": states,
    }


def _each_instance(functions: Mapping[str, str], concurrency: int) -> Json:
    """Validate, deidentify, normalise, infer; what any of them rejects is set aside with its reason."""
    states: dict[str, Json] = {
        "Validate": _call(functions["validate"], after="Validated", catch=False),
        "Validated": _choice("$.state", {"rejected": "SetAside"}, otherwise="Deidentify"),
        "Deidentify": _call(functions["deidentify"], after="Deidentified", catch=False),
        "Deidentified": _choice("$.state", {"rejected": "SetAside"}, otherwise="Normalise"),
        "Normalise": _call(functions["normalise"], after="Normalised", catch=False),
        "Normalised": _choice("$.state", {"rejected": "SetAside"}, otherwise="Infer"),
        "Infer": _call(functions["infer"], after="Keep", catch=False),
        # A study may have hundreds, and a state 256 KiB: what later steps need not know stays behind.
        "Keep": _keep(*_KEPT),
        "SetAside": _keep("instance", "state", "code"),
    }
    return {
        "Type": "Map",
        "ItemsPath": "$.instances",
        "MaxConcurrency": concurrency,
        "ItemSelector": {"study.$": "$.study", "revision.$": "$.revision", "instance.$": "$$.Map.Item.Value"},
        "ItemProcessor": {"ProcessorConfig": {"Mode": "INLINE"}, "StartAt": "Validate", "States": states},
        "ResultPath": "$.items",
        "Catch": [_caught("ConcludeFailed", "States.ALL")],
        "Next": "Route",
    }


def _call(function: str, *, after: str, catch: bool = True) -> Json:
    """Within the Map nothing is caught: the Map itself does."""
    state: Json = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": function, "Payload.$": "$"},
        "OutputPath": "$.Payload",
        "Retry": _RETRY,
        "Next": after,
    }
    if catch:
        state["Catch"] = [_caught("ConcludeFailed", "States.ALL")]
    return state


def _review(ask: str, review_days: int) -> Json:
    """Waits for a person. The queue itself expires its tasks; the time limit is for a queue that is gone."""
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "Parameters": {
            "FunctionName": ask,
            "Payload": {"token.$": "$$.Task.Token", "ask.$": "$.routing.ask"},
        },
        "TimeoutSeconds": (review_days + 1) * _DAY_S,
        "ResultPath": "$.review",
        "Retry": _RETRY,
        "Catch": [
            {"ErrorEquals": [*_UNREVIEWED], "ResultPath": "$.expired", "Next": "Conclude"},
            _caught("ConcludeFailed", "States.ALL"),
        ],
        "Next": "Report",
    }


def _delivery(deliver: str) -> Json:
    """The sender's server may be away for longer than ours. What it never takes is read all the same: it can ask."""
    state = _call(deliver, after="Conclude")
    patient = {**_RETRY[0], "IntervalSeconds": 5, "BackoffRate": 3.0, "MaxAttempts": 7, "MaxDelaySeconds": 900}
    state["Retry"] = [patient, *_RETRY[1:]]
    state["Catch"] = [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.undelivered", "Next": "Conclude"}]
    return state


def _failed(conclude: str) -> Json:
    """It gets the error's name and not its cause: a library's words may quote what it was given."""
    state = _call(conclude, after="Failed", catch=False)
    state["Parameters"] = {
        "FunctionName": conclude,
        "Payload": {
            "study.$": "$.study",
            "revision.$": "$.revision",
            "failed": {"error.$": "$.error.Error"},
        },
    }
    return state


def _caught(state: str, *errors: str) -> Json:
    return {"ErrorEquals": [*errors], "ResultPath": "$.error", "Next": state}


def _choice(variable: str, states: Mapping[str, str], otherwise: str) -> Json:
    choices = [{"Variable": variable, "StringEquals": value, "Next": state} for value, state in states.items()]
    return {"Type": "Choice", "Choices": choices, "Default": otherwise}


def _keep(*names: str) -> Json:
    return {"Type": "Pass", "Parameters": {f"{name}.$": f"$.{name}" for name in names}, "End": True}
