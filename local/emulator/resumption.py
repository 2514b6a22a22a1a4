"""Executions that ran when the platform was ended -> they go on from the state that they were in.

On AWS an execution waits a year for a person; here people end their platforms. MiniStack fails what ran. Here a state
that waited for its token waits on for the same token; any other state is entered again, with the input that it had.
"""

# ruff: noqa: SLF001 - the names of MiniStack's inside are the touch points; tests/local shows that they hold
import json
import logging
import os
import socket
import threading
import time
import types
from collections.abc import Iterator, MutableMapping
from typing import Any

from ministack.core.responses import _request_account_id, _request_region
from ministack.services import stepfunctions

from local.emulator import statemachines
from local.platform.account import HOST

log = logging.getLogger(__name__)

Data = dict[str, Any]

_ENTERED = "StateEntered"
_LOOK_S = 0.1
_FAILED_BY_RESTART = ("error", "cause")


class _From(MutableMapping[str, Any]):
    """An execution whose input is, for whoever reads it first, that of the state to go on from."""

    def __init__(self, execution: Data, given: str) -> None:
        self._execution, self._given = execution, [given]

    def __getitem__(self, key: str) -> Any:
        return self._given.pop() if key == "input" and self._given else self._execution[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._execution[key] = value

    def __delitem__(self, key: str) -> None:
        del self._execution[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._execution)

    def __len__(self) -> int:
        return len(self._execution)


def install() -> None:
    """Have executions that are loaded as running go on, as soon as the platform answers."""
    restored = stepfunctions.load_persisted_state

    def load(data: Data) -> None:
        restored(data)
        stopped = [
            each for each in stepfunctions._executions.all_values() if each.get("error") == "States.ServiceRestart"
        ]
        going_on = [execution for execution in stopped if _place(execution)]
        for execution in going_on:
            execution.update(status="RUNNING", stopDate=None, **dict.fromkeys(_FAILED_BY_RESTART))
        if going_on:
            threading.Thread(target=_go_on, args=(going_on,), daemon=True, name="executions-go-on").start()

    stepfunctions.load_persisted_state = load


def _place(execution: Data) -> tuple[str, str] | None:
    """(state, its input as JSON) that an execution was in last."""
    entered = [event["stateEnteredEventDetails"] for event in execution["events"] if event["type"].endswith(_ENTERED)]
    return (entered[-1]["name"], entered[-1]["input"]) if entered else None


def _go_on(executions: list[Data]) -> None:
    while True:  # a state's function calls the platform
        try:
            socket.create_connection((HOST, int(os.environ["GATEWAY_PORT"])), 1).close()
            break
        except OSError:
            time.sleep(_LOOK_S)
    for execution in executions:
        threading.Thread(target=_run, args=(execution,), daemon=True, name="execution").start()


def _run(execution: Data) -> None:
    """MiniStack's own run of an execution, begun in the middle."""
    arn, machine = execution["executionArn"], execution["stateMachineArn"]
    region, account = arn.split(":")[3:5]
    _request_account_id.set(account)
    _request_region.set(region)
    place, known = _place(execution), stepfunctions._state_machines.get(machine)
    if place is None or known is None:
        stepfunctions._fail_execution(execution, "States.ServiceRestart", "Its state machine is no longer there")
        return
    state, given = place
    log.info("execution %s goes on in %s", execution["name"], state)
    definition = {**json.loads(known["definition"]), "StartAt": state}
    names = {
        **vars(stepfunctions),
        "_executions": {arn: _From(execution, given)},
        "_state_machines": {machine: {**known, "definition": json.dumps(definition)}},
    }
    statemachines.as_its_role(types.FunctionType(statemachines.RUN.__code__, names))(arn)
