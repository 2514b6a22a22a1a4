"""The state machine's own definition, run in one process: Amazon States Language as far as the definition uses it.

Waiting between attempts is left out. What a state hands on goes through JSON, as Step Functions does it.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

Json = Any
Function = Callable[[Json], Json]
STATE_BYTES = 262_144


class StateFailed(Exception):  # noqa: N818 - a state of the machine
    """By the name that a state machine sees: the exception's class, or what a task's answer said."""

    def __init__(self, name: str, cause: str = "") -> None:
        super().__init__(f"{name}: {cause}")
        self.name, self.cause = name, cause


class Machine:
    """functions: by the name in the definition. answer: what people say when a state waits for them.

    visited: states in their order, those of the items too.
    """

    def __init__(
        self, definition: Json, functions: Mapping[str, Function], answer: Callable[[Json], Json] | None = None
    ) -> None:
        self._definition, self._functions, self._answer = definition, functions, answer
        self.visited: list[str] = []
        self.handed_on: list[str] = []

    def run(self, given: Json) -> Json:
        """Output. Raises StateFailed for an execution that fails."""
        return self._states(self._definition["StartAt"], self._definition["States"], given, {})

    def _states(self, name: str, states: Json, state: Json, context: Json) -> Json:
        while True:
            self.visited.append(name)
            step = states[name]
            try:
                state, following = self._step(step, state, {**context, "Task": {"Token": f"token-of-{name}"}})
            except StateFailed as failed:
                catch = next((each for each in step.get("Catch", []) if _matches(each, failed)), None)
                if catch is None:
                    raise
                error = {"Error": failed.name, "Cause": failed.cause}
                state, following = _with(state, catch["ResultPath"], error), catch["Next"]
            text = json.dumps(state)
            assert len(text) <= STATE_BYTES
            self.handed_on.append(text)
            state = json.loads(text)
            if following is None:
                return state
            name = following

    def _step(self, step: Json, state: Json, context: Json) -> tuple[Json, str | None]:
        following = step.get("Next")
        match step["Type"]:
            case "Succeed":
                return state, None
            case "Fail":
                raise StateFailed(step["Error"], step["Cause"])
            case "Choice":
                chosen = [each["Next"] for each in step["Choices"] if _get(each["Variable"], state, context)
                          == each["StringEquals"]]  # fmt: skip
                return state, (*chosen, step["Default"])[0]
            case "Pass":
                return _filled(step["Parameters"], state, context), following
            case "Map":
                items = [self._item(step, state, each) for each in _get(step["ItemsPath"], state, context)]
                return _with(state, step["ResultPath"], items), following
        answer = self._task(step, _filled(step["Parameters"], state, context))
        if "ResultPath" in step:
            return _with(state, step["ResultPath"], answer), following
        return answer, following

    def _item(self, step: Json, state: Json, item: Json) -> Json:
        given = _filled(step["ItemSelector"], state, {"Map": {"Item": {"Value": item}}})
        inner = step["ItemProcessor"]
        return self._states(inner["StartAt"], inner["States"], given, {})

    def _task(self, step: Json, parameters: Json) -> Json:
        counts: dict[int, int] = {}
        while True:
            try:
                return self._called(step, parameters)
            except Exception as error:
                failed = error if isinstance(error, StateFailed) else StateFailed(type(error).__name__, str(error))
                place = next((at for at, each in enumerate(step["Retry"]) if _matches(each, failed)), None)
                if place is None or counts.get(place, 0) >= step["Retry"][place]["MaxAttempts"]:
                    raise failed from error
                counts[place] = counts.get(place, 0) + 1

    def _called(self, step: Json, parameters: Json) -> Json:
        answer = self._functions[parameters["FunctionName"]](json.loads(json.dumps(parameters["Payload"])))
        if step["Resource"].endswith("waitForTaskToken"):
            assert self._answer, "nobody is there to answer"
            return self._answer(parameters["Payload"])
        return json.loads(json.dumps(answer))


def _matches(rule: Json, failed: StateFailed) -> bool:
    return bool({failed.name, "States.ALL"} & set(rule["ErrorEquals"]))


def _get(path: str, state: Json, context: Json) -> Json:
    if path == "$":
        return state
    found = context if path.startswith("$$.") else state
    for name in path.removeprefix("$$.").removeprefix("$.").split("."):
        found = found[name]  # a path to nothing ends an execution
    return found


def _filled(template: Json, state: Json, context: Json) -> Json:
    found = {}
    for name, value in template.items():
        if isinstance(value, dict):
            found[name] = _filled(value, state, context)
        elif name.endswith(".$"):
            found[name.removesuffix(".$")] = _get(value, state, context)
        else:
            found[name] = value
    return found


def _with(state: Json, path: str, value: Json) -> Json:
    return {**state, path.removeprefix("$."): value}
