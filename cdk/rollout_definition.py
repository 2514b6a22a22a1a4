"""Function of the roll-out -> a state machine: shadow, compare, shift by steps, check after each, finish or go back.

The function keeps the state; the machine keeps time, tries again and, whatever fails, rolls back with the reason.
"""

from typing import Any

from cdk.retries import PASSING

Json = dict[str, Any]

# What may pass by itself: the service, the network, something that another deployment holds.
_RETRY: list[Json] = [
    {
        "ErrorEquals": [*PASSING],
        "IntervalSeconds": 2,
        "BackoffRate": 2.0,
        "MaxAttempts": 5,
    }
]


def definition(function: str, longest_s: int = 7 * 24 * 3600) -> Json:
    """Amazon States Language. `function` is the ARN of rollout; the input is {"model_package_arn": ...}."""
    states: dict[str, Json] = {
        "Begin": _act(function, "begin", after="Shadow", model_package_arn="$.model_package_arn"),
        "Shadow": _act(function, "shadow", after="WaitForTraffic"),
        "WaitForTraffic": _wait("$.begin.Payload.shadow_s", after="Compare"),
        "Compare": _act(function, "compare", after="Compared", keep="judged"),
        "Compared": _choose({"good": "Shift", "wait": "WaitForTraffic"}),
        "Shift": _act(function, "shift", after="WaitForEffects"),
        "WaitForEffects": _wait("$.shift.Payload.wait_s", after="Check"),
        "Check": _act(function, "check", after="Checked", keep="judged"),
        "Checked": _choose({"good": "WhetherAll", "wait": "WaitForEffects"}),
        "WhetherAll": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.shift.Payload.last", "BooleanEquals": True, "Next": "Finish"}],
            "Default": "Shift",
        },
        "Finish": _act(function, "finish", after="Live"),
        "Live": {"Type": "Succeed"},
        "RollBack": _act(function, "roll_back", after="RolledBack", reason="$.judged.Payload.reason", catch=False),
        "RollBackAfterError": _act(
            function, "roll_back", after="RolledBack", reason="$.error.Cause", error="$.error.Error", catch=False
        ),
        "RolledBack": {
            "Type": "Fail",
            "Error": "RolledBack",
            "Cause": "The live model was kept; `cuatro models` tells why",
        },
    }
    return {"Comment": "A model goes live", "StartAt": "Begin", "TimeoutSeconds": longest_s, "States": states}


def _act(function: str, action: str, *, after: str, keep: str = "", catch: bool = True, **given: str) -> Json:
    """Invoke the function with an action; its answer is at $.<keep>.Payload (default: the action's name).

    It gets the execution's ARN too: of two roll-outs at a time one is refused, and must not end the other.
    """
    given["execution"] = "$$.Execution.Id"
    payload = {"action": action, **{f"{name}.$": path for name, path in given.items()}}
    state: Json = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": function, "Payload": payload},
        "ResultPath": f"$.{keep or action}",
        "Retry": _RETRY,
        "Next": after,
    }
    if catch:
        state["Catch"] = [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "RollBackAfterError"}]
    return state


def _wait(seconds: str, *, after: str) -> Json:
    return {"Type": "Wait", "SecondsPath": seconds, "Next": after}


def _choose(verdicts: dict[str, str]) -> Json:
    """Go on by the verdict; what is not foreseen is as bad as "bad"."""
    choices = [
        {"Variable": "$.judged.Payload.verdict", "StringEquals": verdict, "Next": state}
        for verdict, state in verdicts.items()
    ]
    return {"Type": "Choice", "Choices": choices, "Default": "RollBack"}
