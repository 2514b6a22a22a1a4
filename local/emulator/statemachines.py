"""Function called by a state machine -> the check that AWS makes first: may the machine's role call it?

MiniStack calls it whatever the role says, so a missing grant would show on AWS only. An error of a step has its type
and its cause from the function's process (see local/emulator/bootstrap.py).
"""

# ruff: noqa: SLF001 - the names of MiniStack's inside are the touch points; tests/local shows that they hold
import contextvars
from collections.abc import Callable
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import stepfunctions

from local.emulator import grants

ACTION = "lambda:InvokeFunction"
# MiniStack's way through an execution.
RUN: Callable[[str], None] = stepfunctions._run_execution
SESSION = "states"

# Role of the machine whose execution this thread is a part of, and the execution's ARN.
_role: contextvars.ContextVar[str] = contextvars.ContextVar("role", default="")
_execution: contextvars.ContextVar[str] = contextvars.ContextVar("execution", default="")


def install() -> None:
    """Have every call of a function by a state machine checked on the machine's role."""
    stepfunctions._run_execution = as_its_role(RUN)
    stepfunctions._call_lambda = _checked(stepfunctions._call_lambda)


def current(name: str) -> str:
    """What is known of the execution that this thread is a part of, such as its status; empty outside of one."""
    return str((stepfunctions._executions.get(_execution.get()) or {}).get(name, ""))


def as_its_role(run: Callable[[str], None]) -> Callable[[str], None]:
    """A run of an execution in which calls of functions are checked on its machine's role."""

    def with_role(execution_arn: str) -> None:
        execution = stepfunctions._executions.get(execution_arn) or {}
        machine = stepfunctions._state_machines.get(execution.get("stateMachineArn")) or {}
        token, its = _role.set(machine.get("roleArn", "")), _execution.set(execution_arn)
        try:
            run(execution_arn)
        finally:
            _role.reset(token)
            _execution.reset(its)

    return with_role


def _checked(call: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    def checked(function: str, event: Any) -> Any:
        role = _role.get()
        if role:
            account, region = get_account_id(), get_region()
            arn = function if function.startswith("arn:") else f"arn:aws:lambda:{region}:{account}:function:{function}"
            if not grants.allowed(role, ACTION, arn, SESSION):
                name = role.rpartition("/")[2]
                raise stepfunctions._ExecutionError(
                    "Lambda.AWSLambdaException",
                    f"User: arn:aws:sts::{account}:assumed-role/{name}/{SESSION} is not authorized to perform: "
                    f"{ACTION} on resource: {arn} because no identity-based policy allows the {ACTION} action",
                )
        return call(function, event)

    return checked
