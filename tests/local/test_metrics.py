"""Metrics that functions print, and those that Lambda publishes of them, come out of CloudWatch as AWS gives them."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.platform.client import Connection
from tests.local.conftest import Function, name
from tests.waiting import eventually

PRINTS = """
import json, time

def handler(event, context):
    for line in event["lines"]:
        print(line if isinstance(line, str) else json.dumps(line))
    if event.get("raise"):
        raise ValueError("no")
"""


def embedded(
    namespace: str, dimensions: list[list[str]], *, at: datetime | None = None, **values: Any
) -> dict[str, Any]:
    metrics = [
        {"Name": each, "Unit": "Milliseconds" if each.endswith("Ms") else "Count"}
        for each in values
        if each[0].isupper()
    ]
    moment = (at or datetime.now(UTC)).timestamp() * 1000
    directive = {"Namespace": namespace, "Dimensions": dimensions, "Metrics": metrics}
    return {"_aws": {"Timestamp": int(moment), "CloudWatchMetrics": [directive]}} | values


def statistics(here: Connection, namespace: str, metric: str, **dimensions: str) -> list[dict[str, Any]]:
    """Datapoints of the last hours, a minute each, in order."""
    now = datetime.now(UTC)
    found = here.client("cloudwatch").get_metric_statistics(
        Namespace=namespace, MetricName=metric, Period=60, StartTime=now - timedelta(hours=6),
        EndTime=now + timedelta(minutes=1), Statistics=["Sum", "SampleCount", "Maximum"],
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
    )["Datapoints"]  # fmt: skip
    return sorted(found, key=lambda point: point["Timestamp"])


def test_embedded_metrics_of_a_line_are_published(here: Connection, function: Callable[..., Function]) -> None:
    space = name("Space")
    line = embedded(
        space, [["service"], ["service", "place"], []], service="fraud", place="x", Scored=3, TookMs=[1, 1, 5.5]
    )
    function(PRINTS).call({"lines": ["plain text", line, '{"_aws": {"CloudWatchMetrics": broken']})
    for dimensions in ({"service": "fraud"}, {"service": "fraud", "place": "x"}):
        scored = eventually(lambda its=dimensions: statistics(here, space, "Scored", **its), "the metric")
        assert [(point["Sum"], point["SampleCount"], point["Unit"]) for point in scored] == [(3, 1, "Count")]
        took = statistics(here, space, "TookMs", **dimensions)
        assert [(point["Sum"], point["SampleCount"], point["Maximum"]) for point in took] == [(7.5, 3, 5.5)]
        assert took[0]["Unit"] == "Milliseconds"
    listed = here.client("cloudwatch").list_metrics(Namespace=space)["Metrics"]
    sets = {frozenset(each["Name"] for each in metric["Dimensions"]) for metric in listed}
    assert sets == {frozenset({"service"}), frozenset({"service", "place"}), frozenset()}


def test_a_metric_keeps_the_time_that_its_line_says(here: Connection, function: Callable[..., Function]) -> None:
    space, earlier = name("Space"), datetime.now(UTC) - timedelta(hours=3)
    function(PRINTS).call({"lines": [embedded(space, [["service"]], at=earlier, service="fraud", Scored=1)]})
    (point,) = eventually(lambda: statistics(here, space, "Scored", service="fraud"), "the metric")
    assert abs(point["Timestamp"] - earlier) <= timedelta(minutes=1)


def test_lines_that_anybody_puts_into_a_log_are_published(here: Connection) -> None:
    logs, this = here.client("logs"), name("group")
    logs.create_log_group(logGroupName=this)
    logs.create_log_stream(logGroupName=this, logStreamName="s")
    line = json.dumps(embedded(this, [["service"]], service="training", Loss=0.5))
    now = int(datetime.now(UTC).timestamp() * 1000)
    logs.put_log_events(logGroupName=this, logStreamName="s", logEvents=[{"timestamp": now, "message": line}])
    assert [point["Sum"] for point in statistics(here, this, "Loss", service="training")] == [0.5]


def test_the_last_lines_of_a_call_belong_to_that_call(function: Callable[..., Function]) -> None:
    made = function(PRINTS)
    for at in range(5):
        answer = made.here.client("lambda").invoke(
            FunctionName=made.name, LogType="Tail", Payload=json.dumps({"lines": [f"LINE {at} {n}" for n in range(50)]})
        )
        seen = base64.b64decode(answer["LogResult"]).decode().splitlines()
        assert seen == [f"LINE {at} {n}" for n in range(50)]


def test_lambda_publishes_by_function_alias_and_version(here: Connection, function: Callable[..., Function]) -> None:
    made = function(PRINTS)
    version = made.publish()
    here.client("lambda").create_alias(FunctionName=made.name, Name="live", FunctionVersion=version)
    made.call({"lines": []})
    for failing in (False, True, True):
        made.call({"lines": [], "raise": failing}, qualifier="live")
    alias = {"FunctionName": made.name, "Resource": f"{made.name}:live"}
    for dimensions, calls in (
        ({"FunctionName": made.name}, 4),
        (alias, 3),
        (alias | {"ExecutedVersion": version}, 3),
        ({"FunctionName": made.name, "Resource": made.name}, 1),
    ):
        totals = {
            metric: sum(point["Sum"] for point in statistics(here, "AWS/Lambda", metric, **dimensions))
            for metric in ("Invocations", "Errors", "Throttles")
        }
        assert totals == {"Invocations": calls, "Errors": 0 if calls == 1 else 2, "Throttles": 0}, dimensions
        durations = statistics(here, "AWS/Lambda", "Duration", **dimensions)
        assert sum(point["SampleCount"] for point in durations) == calls


def test_an_error_has_the_type_of_the_exception(function: Callable[..., Function]) -> None:
    answer = function(PRINTS).call({"lines": [], "raise": True})
    assert answer["FunctionError"] == "Unhandled"
    body = answer["Payload"]
    assert (body["errorType"], body["errorMessage"]) == ("ValueError", "no")
    assert any("raise ValueError" in line for line in body["stackTrace"])


def test_a_process_has_one_log_stream_and_knows_its_name(here: Connection, function: Callable[..., Function]) -> None:
    made = function("def handler(event, context):\n    print('HERE', event)\n    return context.log_stream_name")
    version = made.publish()
    names = [made.call(number, qualifier=version)["Payload"] for number in range(3)]
    logs, group = here.client("logs"), f"/aws/lambda/{made.name}"
    assert [each["logStreamName"] for each in logs.describe_log_streams(logGroupName=group)["logStreams"]] == names[:1]
    assert set(names) == set(names[:1])
    assert f"[{version}]" in names[0]
    events = logs.get_log_events(logGroupName=group, logStreamName=names[0], startFromHead=True)["events"]
    first_words = [event["message"].split()[0] for event in events]
    assert first_words == ["START", "HERE", "END", "REPORT"] * 3


def test_a_process_goes_on_after_an_error(function: Callable[..., Function]) -> None:
    made = function("calls = []\ndef handler(event, context):\n    calls.append(event)\n    return len(calls) / event")
    assert [made.call(number)["Payload"] for number in (1, 2)] == [1, 1]
    assert made.call(0)["Payload"]["errorType"] == "ZeroDivisionError"
    assert made.call(1)["Payload"] == 4


@pytest.mark.parametrize("code", ["def handler(event, context): import os; os._exit(3)", "import nothing_like_it"])
def test_a_function_that_ends_or_cannot_start_is_an_error(function: Callable[..., Function], code: str) -> None:
    made = function(code)
    for _ in range(2):
        answer = made.call({})
        assert answer["FunctionError"] == "Unhandled"
        assert answer["Payload"]["errorType"].startswith("Runtime.")
