"""Executions of SageMaker pipelines and of state machines: start one, ask whether one still runs."""

from collections.abc import Mapping
from typing import Any

import msgspec

from cuatro.adapters.aws import called
from cuatro.errors import Refused

_RUNNING = {"Executing", "Stopping", "RUNNING", "PENDING_REDRIVE"}
_UNKNOWN = {"ResourceNotFound", "ExecutionDoesNotExist", "StateMachineDoesNotExist"}


def start_pipeline(name: str, parameters: Mapping[str, str], token: str, description: str) -> str:
    """ARN of the execution; the same token starts one only once. Raises Unavailable or Refused."""
    answer = called(
        "sagemaker",
        "start_pipeline_execution",
        PipelineName=name,
        PipelineParameters=[{"Name": key, "Value": value} for key, value in parameters.items()],
        ClientRequestToken=token,
        PipelineExecutionDescription=description[:3072],
    )
    return str(answer["PipelineExecutionArn"])


def start_execution(machine_arn: str, name: str, payload: Any) -> str:
    """ARN of a state machine's execution; the same name starts one only once. Raises Unavailable or Refused."""
    body = msgspec.json.encode(payload).decode()
    try:
        answer = called("stepfunctions", "start_execution", stateMachineArn=machine_arn, name=name, input=body)
    except Refused as refused:
        if refused.code == "ExecutionAlreadyExists":
            return f"{machine_arn.replace(':stateMachine:', ':execution:')}:{name}"
        raise
    return str(answer["executionArn"])


def stop(arn: str, cause: str) -> bool:
    """End an execution of a state machine; False if it did not run any more. Raises Unavailable or Refused."""
    if not runs(arn):
        return False
    called("stepfunctions", "stop_execution", executionArn=arn, error="Stopped", cause=cause)
    return True


def runs(arn: str) -> bool:
    """Does this execution still run? One that nobody knows any more does not. Raises Unavailable or Refused."""
    try:
        if ":states:" in arn:
            status = called("stepfunctions", "describe_execution", executionArn=arn)["status"]
        else:
            found = called("sagemaker", "describe_pipeline_execution", PipelineExecutionArn=arn)
            status = found["PipelineExecutionStatus"]
    except Refused as refused:
        if refused.code in _UNKNOWN:
            return False
        raise
    return status in _RUNNING
