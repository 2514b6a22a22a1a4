"""Lambda step: invokes the function as the pipeline's role, with the step's Arguments; its answer has the outputs."""

import json
from typing import Any

from local.sagemaker.pipelines.parameters import TYPES
from local.sagemaker.pipelines.references import text_of
from local.sagemaker.pipelines.retries import StepFailed
from local.sagemaker.pipelines.steps.turn import Turn

_MOST_OUTPUT = 1024


def run(turn: Turn) -> dict[str, Any]:
    """Properties of the step: OutputParameters, those that the step declares. Raises StepFailed."""
    function = str(turn.value(turn.step.members["FunctionArn"]))
    payload = json.dumps(turn.arguments()).encode()
    turn.executing({"Lambda": {"Arn": function}})
    answer = turn.call("lambda", "lambda:Invoke", "invoke", FunctionName=function, Payload=payload)
    body = answer["Payload"].read().decode() or "null"
    if "FunctionError" in answer:
        raise StepFailed(f"ClientError: Lambda function {function} failed. Error Details: {body}")
    try:
        returned = json.loads(body)
    except ValueError:
        returned = None
    outputs = {name: _output(turn.step.name, name, kind, returned) for name, kind in turn.step.outputs.items()}
    listed = [{"Name": name, "Value": text_of(value)} for name, value in outputs.items()]
    turn.executing({"Lambda": {"Arn": function, "OutputParameters": listed}})
    return {"OutputParameters": outputs}


def _output(step: str, name: str, kind: str, returned: Any) -> Any:
    """The function's value of one output. Raises StepFailed when it is not there or not of its type."""
    if not isinstance(returned, dict) or returned.get(name) is None:
        raise StepFailed(f"ClientError: Output parameter [{name}] of step [{step}] is not in the function's answer.")
    value = returned[name]
    if not isinstance(value, TYPES[kind]) or (isinstance(value, bool) and kind != "Boolean"):
        raise StepFailed(f"ClientError: Output parameter [{name}] of step [{step}] is not of type {kind}: {value!r}.")
    if len(text_of(value)) > _MOST_OUTPUT:
        raise StepFailed(
            f"ClientError: Output parameter [{name}] of step [{step}] is longer than {_MOST_OUTPUT} characters."
        )
    return value
