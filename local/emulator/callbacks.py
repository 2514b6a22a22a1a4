"""State that waits for a task token -> goes on when the token comes back, fails with its function, or times out.

MiniStack swallows the error of a function that was to hand the token on, so that its state waits for ever; knows no
heartbeat; gives each attempt the same token, and takes a second answer to it; forgets which machine a token is of, so
that no role but one with grants on everything may answer; and refuses a second start where AWS gives the execution that
runs already.
"""

# ruff: noqa: SLF001 - the names of MiniStack's inside are the touch points; tests/local shows that they hold
import contextvars
import json
import re
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

from ministack.core import iam_actions
from ministack.core.responses import error_response_json, json_response
from ministack.services import stepfunctions

from local.emulator import statemachines

Answer = Any
Data = dict[str, Any]

LONGEST_S = 99_999_999  # what a state may wait on AWS, if it says nothing
LOOK_S = 0.5  # how soon a stopped execution stops to wait
SENDS = {"SendTaskSuccess", "SendTaskFailure", "SendTaskHeartbeat"}

_TOKEN = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_answering = threading.Lock()
# Token -> ARN of its machine, of tokens that were answered too.
_machines: dict[str, str] = {}
# State that waits -> its token, and when it was handed on (Unix seconds); and those of an earlier platform.
_waiting: dict[str, Data] = {}
_kept: dict[str, Data] = {}
# Context object of the state that this thread is in, as its definition sees it by $$.
_context: contextvars.ContextVar[Data] = contextvars.ContextVar("context")


def install() -> None:
    """Take the place of MiniStack's waiting and answering."""
    stepfunctions._execute_task = _in_context(stepfunctions._execute_task)
    stepfunctions._invoke_with_callback = _waited(stepfunctions._invoke_with_callback)
    for name in ("success", "failure", "heartbeat"):
        attribute = f"_send_task_{name}"
        setattr(stepfunctions, attribute, _once(getattr(stepfunctions, attribute), name))
    stepfunctions._start_execution = _idempotent(stepfunctions._start_execution)
    iam_actions.extract_resource_arn = _of_machine(iam_actions.extract_resource_arn)
    saved, restored = stepfunctions.get_state, stepfunctions.load_persisted_state

    def with_tokens() -> Data:
        return {**saved(), "token_machines": dict(_machines), "tokens_waiting": {**_kept, **_waiting}}

    def load(data: Data) -> None:
        _machines.update((data or {}).get("token_machines", {}))
        _kept.update((data or {}).get("tokens_waiting", {}))
        restored(data)

    stepfunctions.get_state, stepfunctions.load_persisted_state = with_tokens, load


def _in_context(execute: Callable[..., Any]) -> Callable[..., Any]:
    def executed(state: Data, given: Any, execution: Data, context: Data) -> Any:
        token = _context.set(context)
        try:
            return execute(state, given, execution, context)
        finally:
            _context.reset(token)

    return executed


def _waited(otherwise: Callable[..., Any]) -> Callable[..., Any]:
    def waited(resource: str, given: Any, token: str, state: Data) -> Any:
        _machines[token] = statemachines.current("stateMachineArn")
        if ":lambda:invoke" not in resource:
            return otherwise(resource, given, token, state)
        task: Data = {"event": threading.Event(), "result": None, "error": None, "beat": None}
        task["execution"] = statemachines.current("executionArn")
        place = _place(task["execution"])
        before = _kept.pop(place, None)
        if before:  # an earlier platform handed this one on
            token, began = before["token"], time.monotonic() - (time.time() - before["since"])
        else:
            began = time.monotonic()
        stepfunctions._task_tokens[token] = task
        try:
            if not before:
                function = stepfunctions._resolve_lambda_function_ref(given.get("FunctionName", ""), optimized=True)
                stepfunctions._call_lambda(function, given.get("Payload", given))
            _waiting[place] = before or {"token": token, "since": time.time()}
            _wait(task, state, began)
        except stepfunctions._ExecutionError:
            _context.get()["Task"]["Token"] = str(uuid.uuid4())  # another attempt has another
            raise
        finally:
            with _answering:
                stepfunctions._task_tokens.pop(token, None)
                _waiting.pop(place, None)
        return json.loads(task["result"])

    return waited


def _place(execution: str) -> str:
    """Execution, state and item of a map that this thread is in."""
    context = _context.get()
    return f"{execution} {context['State']['Name']} {context.get('Map', {}).get('Item', {}).get('Index', '')}"


def _wait(task: Data, state: Data, began: float) -> None:
    """Until the token is answered. Raises the failure that was sent or States.Timeout; SystemExit when stopped."""
    longest, beats = state.get("TimeoutSeconds", LONGEST_S), state.get("HeartbeatSeconds", LONGEST_S)
    task["beat"] = time.monotonic()
    while not task["event"].is_set():
        now = time.monotonic()
        if now - began >= longest:
            raise stepfunctions._ExecutionError("States.Timeout", f"Task timed out after {longest} seconds")
        if now - task["beat"] >= beats:
            raise stepfunctions._ExecutionError("States.HeartbeatTimeout", f"No heartbeat for {beats} seconds")
        if statemachines.current("status") not in {"RUNNING", ""}:
            raise SystemExit  # ends the execution's thread: no state of it catches that
        task["event"].wait(min(LOOK_S, began + longest - now, task["beat"] + beats - now))
    if task["error"]:
        raise stepfunctions._ExecutionError(task["error"]["Error"], task["error"]["Cause"])


def _once(send: Callable[[Data], Answer], what: str) -> Callable[[Data], Answer]:
    def sent(data: Data) -> Answer:
        token = str(data.get("taskToken", ""))
        if what == "success" and not _is_json(data.get("output")):
            return error_response_json("InvalidOutput", "Invalid Output: it is not JSON", 400)
        with _answering:
            task = stepfunctions._task_tokens.get(token)
            if task is None or task["event"].is_set() or _stopped(task):
                if _TOKEN.fullmatch(token):
                    gone = "Task Timed Out: 'Provided task does not exist anymore'"
                    return error_response_json("TaskTimedOut", gone, 400)
                return error_response_json("InvalidToken", "Invalid Token: 'Invalid token'", 400)
            if what == "heartbeat":
                task["beat"] = time.monotonic()
            return send(data)

    return sent


def _stopped(task: Data) -> bool:
    execution = stepfunctions._executions.get(task.get("execution"))
    return execution is not None and execution["status"] != "RUNNING"


def _is_json(text: Any) -> bool:
    try:
        json.loads(text)
    except (TypeError, ValueError):
        return False
    return True


def _idempotent(start: Callable[[Data], Answer]) -> Callable[[Data], Answer]:
    """A second start under one name, with the same input, while the first runs, is the first."""

    def started(data: Data) -> Answer:
        machine = stepfunctions._state_machines.get(data.get("stateMachineArn")) or {}
        arn = f"{machine.get('stateMachineArn', '')}:{data.get('name')}".replace(":stateMachine:", ":execution:")
        running = stepfunctions._executions.get(arn)
        if running and running["status"] == "RUNNING" and running["input"] == data.get("input", "{}"):
            return json_response({"executionArn": arn, "startDate": running["startDate"]})
        return start(data)

    return started


def _of_machine(extract: Callable[..., str]) -> Callable[..., str]:
    """The machine is what a role needs grants on to answer a token, as CDK gives them."""

    def extracted(service: str, method: str, path: str, headers: Any, body: bytes, *rest: Any) -> str:
        if service == "states" and headers.get("x-amz-target", "").rpartition(".")[2] in SENDS:
            try:
                token = json.loads(body)["taskToken"]
            except (ValueError, KeyError, TypeError):
                token = None
            if token in _machines:
                return _machines[token]
        return extract(service, method, path, headers, body, *rest)

    return extracted
