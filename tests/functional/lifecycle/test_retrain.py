"""Retraining starts once, whoever asks and however often; a dead one blocks nobody."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from cuatro.errors import Refused, Rejected, Unavailable
from functions.lifecycle.retrain import start
from tests.functional.lifecycle.deployment import Deployment
from tests.functional.suite import Context

Retrain = Callable[..., dict[str, Any]]


@pytest.fixture
def retrain(deployment: Deployment) -> Retrain:
    from functions.lifecycle.retrain.handler import handler  # noqa: PLC0415 - reads the test's environment

    def call(event: dict[str, Any] | None = None, request: str = "request-1") -> dict[str, Any]:
        context = Context()
        context.aws_request_id = request
        return handler({"reason": "by ann"} if event is None else event, context)

    return call


def alarm(state: str = "ALARM") -> dict[str, Any]:
    message = {"AlarmName": "InputDrift", "NewStateValue": state, "NewStateReason": "PSI 0.4 > 0.25", "Region": "x"}
    return {"Records": [{"EventSource": "aws:sns", "Sns": {"Message": json.dumps(message)}}]}


def test_a_person_starts_one_with_parameters(deployment: Deployment, retrain: Retrain) -> None:
    answer = retrain({"reason": "a new pattern", "parameters": {"TrainDays": "14"}})
    assert (answer["started"], answer["why"]) == (True, "a new pattern")
    (started,) = deployment.registry.started
    assert started["PipelineName"] == "cuatrofraud"
    parameters = {each["Name"]: each["Value"] for each in started["PipelineParameters"]}
    assert parameters == {"Reason": "a new pattern", "TrainDays": "14"}
    assert deployment.item("retraining")["execution_arn"] == answer["execution_arn"]


def test_alarm_and_schedule_start_one_and_an_alarm_that_ended_none(deployment: Deployment, retrain: Retrain) -> None:
    assert retrain(alarm("OK")) == {"started": False, "execution_arn": "", "why": "the alarm has ended"}
    answer = retrain(alarm())
    assert answer["why"] == "alarm InputDrift: PSI 0.4 > 0.25"
    deployment.registry.executions[answer["execution_arn"]] = "Succeeded"
    assert retrain({"source": "aws.events", "detail-type": "Scheduled Event"}, "request-2")["why"] == "schedule"
    assert len(deployment.registry.started) == 2


def test_a_second_one_does_not_start_while_the_first_runs(deployment: Deployment, retrain: Retrain) -> None:
    first = retrain()
    second = retrain(request="request-2")
    assert (second["started"], second["execution_arn"]) == (False, first["execution_arn"])
    assert "a retraining runs since 20" in second["why"]
    assert len(deployment.registry.started) == 1


@pytest.mark.parametrize("end", ["Succeeded", "Failed", "Stopped", None])
def test_one_that_has_ended_or_is_unknown_blocks_nobody(
    deployment: Deployment, retrain: Retrain, end: str | None
) -> None:
    first = retrain()["execution_arn"]
    if end:
        deployment.registry.executions[first] = end
    else:
        del deployment.registry.executions[first]
        deployment.registry.started.clear()
    assert retrain(request="request-2")["started"]


def test_of_two_at_the_same_time_one_starts(deployment: Deployment, retrain: Retrain) -> None:
    answers: list[dict[str, Any]] = []

    def other() -> None:
        if not answers:
            answers.append({})
            answers[0] = retrain(request="request-2")

    deployment.wire.first("UpdateItem", other)
    mine = retrain()
    assert sorted([mine["started"], answers[0]["started"]]) == [False, True]
    assert len(deployment.registry.started) == 1


def test_who_dies_between_lock_and_start_blocks_others_for_minutes_only(
    deployment: Deployment, retrain: Retrain, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment.registry.failing = "StartPipelineExecution"
    with pytest.raises(Unavailable):
        retrain()
    deployment.registry.failing = ""
    assert retrain(request="request-2")["why"] == "another retraining is being started"
    assert retrain()["started"], "its own repeat goes on"
    deployment.registry.executions.clear()
    deployment.registry.started.clear()
    deployment.registry.failing = "StartPipelineExecution"
    with pytest.raises(Unavailable):
        retrain(request="request-3")
    deployment.registry.failing = ""
    now = time.time() + start.STARTING_S
    monkeypatch.setattr(time, "time", lambda: now)
    assert retrain(request="request-4")["started"]


def test_after_a_refusal_the_next_one_starts(deployment: Deployment, retrain: Retrain) -> None:
    def refuse(_asked: dict[str, Any]) -> dict[str, Any]:
        raise Refused("StartPipelineExecution", "ValidationException", "unknown parameter")

    honest = deployment.registry._StartPipelineExecution
    deployment.registry._StartPipelineExecution = refuse  # type: ignore[method-assign]
    with pytest.raises(Refused):
        retrain()
    deployment.registry._StartPipelineExecution = honest  # type: ignore[method-assign]
    assert retrain(request="request-2")["started"]


@pytest.mark.parametrize(
    "event",
    [{"resaon": "typo"}, {"reason": 5}, {"Records": [{"Sns": {"Message": "hello"}}]}, {"Records": [{"body": "x"}]}],
)
def test_what_nobody_understands_starts_nothing(
    deployment: Deployment, retrain: Retrain, event: dict[str, Any]
) -> None:
    with pytest.raises(Rejected):
        retrain(event)
    assert deployment.registry.started == []
