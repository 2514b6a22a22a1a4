"""The state machine that reads a study: every way leads to an end, every path to something that is there by then."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from cdk.reading_definition import JOBS, definition

MACHINE = definition({job: f"arn:of:{job}" for job in JOBS}, review_days=30)
TOP: dict[str, Any] = MACHINE["States"]
ITEM: dict[str, Any] = TOP["Read"]["ItemProcessor"]["States"]
ERRORS = ("Unavailable", "Rejected", "Refused", "Lambda.Unknown", "States.Timeout", "ReviewExpired", "ReviewCancelled")


def following(state: dict[str, Any]) -> set[str]:
    found = {state[name] for name in ("Next", "Default") if name in state}
    return found | {each["Next"] for name in ("Choices", "Catch") for each in state.get(name, [])}


def reachable(states: dict[str, Any], start: str) -> set[str]:
    seen, left = set(), {start}
    while left:
        name = left.pop()
        seen.add(name)
        left |= following(states[name]) - seen
    return seen


@pytest.mark.parametrize(("states", "start"), [(TOP, "Read"), (ITEM, "Validate")])
def test_every_state_is_reached_and_every_way_ends(states: dict[str, Any], start: str) -> None:
    assert reachable(states, start) == set(states)
    for name, state in states.items():
        assert following(state) or state.get("End") or state["Type"] in {"Succeed", "Fail"}, name


def test_every_function_is_called_by_one_state_and_conclude_by_two() -> None:
    called = [
        state["Parameters"]["FunctionName"] for state in (*TOP.values(), *ITEM.values()) if state["Type"] == "Task"
    ]
    assert sorted(called) == sorted([f"arn:of:{job}" for job in (*JOBS, "conclude")])


@pytest.mark.parametrize("name", [name for name, state in TOP.items() if state["Type"] in {"Task", "Map"}])
def test_whatever_fails_the_study_says_so(name: str) -> None:
    """Only the state that says it may fail without another one being told."""
    if name == "ConcludeFailed":
        assert "Catch" not in TOP[name]
        return
    for error in ERRORS:
        caught = next(each for each in TOP[name]["Catch"] if {error, "States.ALL"} & set(each["ErrorEquals"]))
        unreviewed = name == "Review" and error in {"States.Timeout", "ReviewExpired"}
        assert caught["Next"] == ("Conclude" if unreviewed or name == "Deliver" else "ConcludeFailed"), error


@pytest.mark.parametrize("name", [name for name, state in (TOP | ITEM).items() if state["Type"] == "Task"])
def test_what_may_pass_is_tried_again_and_bad_input_is_not(name: str) -> None:
    tried = {error for each in (TOP | ITEM)[name]["Retry"] for error in each["ErrorEquals"]}
    assert "Unavailable" in tried
    assert "Lambda.TooManyRequestsException" in tried
    assert not tried & {"Rejected", "Refused", "States.ALL", "States.TaskFailed", "States.Timeout"}


def test_a_rejected_instance_is_set_aside_after_each_step_that_may_reject() -> None:
    for step in ("Validate", "Deidentify", "Normalise"):
        choice = ITEM[ITEM[step]["Next"]]
        assert choice["Choices"] == [{"Variable": "$.state", "StringEquals": "rejected", "Next": "SetAside"}]


def test_of_a_failure_its_name_is_handed_on_and_not_its_cause() -> None:
    assert list(paths(TOP["ConcludeFailed"]["Parameters"])) == ["$.study", "$.revision", "$.error.Error"]


def paths(value: Any) -> Iterator[str]:
    for name, each in value.items():
        if isinstance(each, dict):
            yield from paths(each)
        elif name.endswith(".$"):
            yield each


def test_no_path_leads_to_what_no_step_gives() -> None:
    given = {"study", "revision", "instances", "items", "routing.route", "routing.ask", "error.Error"}
    of_an_item = {"instance", "state", "code", "finding", "probability", "unsure", "why", "model_version", "distance"}
    for states, names in ((TOP, given), (ITEM, of_an_item)):
        for state in states.values():
            found = [*paths(state.get("Parameters", {})), *paths(state.get("ItemSelector", {}))]
            found += [each["Variable"] for each in state.get("Choices", [])]
            ours = {path.removeprefix("$.") for path in found if re.match(r"\$\.", path)}
            assert ours <= names, ours - names


def test_a_review_has_longer_than_its_queue_gives_it_and_the_machine_longer_still() -> None:
    day = 86_400
    assert TOP["Review"]["TimeoutSeconds"] == 31 * day
    assert MACHINE["TimeoutSeconds"] > 31 * day
