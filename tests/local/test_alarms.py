"""An alarm follows its own metric, by CloudWatch's rules for periods, datapoints and missing data."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.platform.client import Connection
from tests.local.conftest import name
from tests.waiting import eventually

MINUTE = 60


class Watched:
    """A metric of its own, and alarms on it."""

    def __init__(self, here: Connection) -> None:
        self.here, self.client, self.space = here, here.client("cloudwatch"), name("Space")

    def put(self, *minutes: float | None, dimension: str = "one", **datum: Any) -> None:
        """Values of the last minutes, the newest last; None is none."""
        now = datetime.now(UTC)
        data = [
            {
                "MetricName": "M", "Dimensions": [{"Name": "of", "Value": dimension}], "Value": value,
                "Timestamp": now - timedelta(seconds=MINUTE * ago + 20), **datum,
            }
            for ago, value in enumerate(reversed(minutes))
            if value is not None
        ]  # fmt: skip
        self.client.put_metric_data(Namespace=self.space, MetricData=data)

    def alarm(self, periods: int = 1, **settings: Any) -> Callable[[], str]:
        this = name("alarm")
        defaults: dict[str, Any] = {
            "Statistic": "Sum", "Threshold": 1, "ComparisonOperator": "GreaterThanOrEqualToThreshold", "Period": MINUTE,
        }  # fmt: skip
        if "ExtendedStatistic" in settings:
            del defaults["Statistic"]
        self.client.put_metric_alarm(
            AlarmName=this, Namespace=self.space, MetricName="M", Dimensions=[{"Name": "of", "Value": "one"}],
            EvaluationPeriods=periods, **(defaults | settings),
        )  # fmt: skip

        def state() -> str:
            (described,) = self.client.describe_alarms(AlarmNames=[this])["MetricAlarms"]
            return str(described["StateValue"])

        return state

    def becomes(self, state: Callable[[], str], wanted: str) -> None:
        eventually(lambda: state() == wanted, f"the state {wanted}, not {state()}", 10)


@pytest.fixture
def watched(here: Connection) -> Watched:
    return Watched(here)


def test_an_alarm_follows_its_own_dimensions_only(watched: Watched) -> None:
    state, calm = watched.alarm(), watched.alarm(Threshold=5)
    watched.put(9, dimension="other")
    watched.put(2)
    watched.becomes(state, "ALARM")
    watched.becomes(calm, "OK")


@pytest.mark.parametrize(
    ("points", "periods", "needed", "states"),
    [
        # Columns: missing, ignore (as it was: INSUFFICIENT_DATA), breaching, notBreaching
        ((9, 9, 9), 3, 3, ("ALARM", "ALARM", "ALARM", "ALARM")),
        ((9, 0, 9), 3, 3, ("OK", "OK", "OK", "OK")),
        ((9, 0, 9), 3, 2, ("ALARM", "ALARM", "ALARM", "ALARM")),
        ((0, None, None), 3, 3, ("OK", "OK", "OK", "OK")),
        ((None, 9, None), 3, 3, ("ALARM", "INSUFFICIENT_DATA", "ALARM", "OK")),
        ((0, None, 9), 3, 2, ("OK", "OK", "ALARM", "OK")),
        ((None, 9, None), 3, 2, ("ALARM", "INSUFFICIENT_DATA", "ALARM", "OK")),
    ],
)
def test_missing_data_are_treated_as_the_alarm_says(
    watched: Watched, points: tuple[float | None, ...], periods: int, needed: int, states: tuple[str, ...]
) -> None:
    watched.put(*points)
    for treat, wanted in zip(("missing", "ignore", "breaching", "notBreaching"), states, strict=True):
        watched.becomes(watched.alarm(periods, DatapointsToAlarm=needed, TreatMissingData=treat), wanted)


def test_no_data_at_all(watched: Watched) -> None:
    watched.becomes(watched.alarm(TreatMissingData="breaching"), "ALARM")
    watched.becomes(watched.alarm(TreatMissingData="notBreaching"), "OK")
    assert watched.alarm(TreatMissingData="missing")() == "INSUFFICIENT_DATA"


def test_time_alone_changes_a_state(watched: Watched) -> None:
    state = watched.alarm(Period=10, TreatMissingData="notBreaching")
    watched.client.put_metric_data(
        Namespace=watched.space,
        MetricData=[
            {"MetricName": "M", "Dimensions": [{"Name": "of", "Value": "one"}], "Value": 3,
             "Timestamp": datetime.now(UTC) - timedelta(seconds=7)}
        ],
    )  # fmt: skip
    watched.becomes(state, "ALARM")
    watched.becomes(state, "OK")  # when the period has passed, without a further value


def test_percentiles_and_the_other_comparison(watched: Watched) -> None:
    slow = watched.alarm(ExtendedStatistic="p90", Threshold=50)
    few = watched.alarm(Statistic="SampleCount", Threshold=100, ComparisonOperator="LessThanThreshold")
    for value in range(1, 101):
        watched.put(float(value), Unit="Count") if value % 10 == 0 else None
    watched.becomes(slow, "ALARM")
    watched.becomes(few, "ALARM")


def test_a_change_goes_to_its_topic_and_to_the_default_bus(watched: Watched) -> None:
    here = watched.here
    topic = here.client("sns").create_topic(Name=name("topic"))["TopicArn"]
    sqs, urls = here.client("sqs"), {}
    for what in ("sns", "bus"):
        urls[what] = sqs.create_queue(QueueName=name(what))["QueueUrl"]
    arns = {
        what: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        for what, url in urls.items()
    }
    allow = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
    for url in urls.values():
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Statement": [allow]})})
    here.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arns["sns"])
    events, rule = here.client("events"), name("rule")
    pattern = {"source": ["aws.cloudwatch"], "detail-type": ["CloudWatch Alarm State Change"]}
    events.put_rule(Name=rule, EventPattern=json.dumps(pattern | {"detail": {"state": {"value": ["ALARM"]}}}))
    events.put_targets(Rule=rule, Targets=[{"Id": "q", "Arn": arns["bus"]}])
    watched.put(7)
    state = watched.alarm(AlarmActions=[topic], AlarmDescription="too many")
    watched.becomes(state, "ALARM")

    def message(what: str) -> dict[str, Any]:
        def received() -> str | None:
            found = sqs.receive_message(QueueUrl=urls[what], WaitTimeSeconds=1).get("Messages", [])
            return found[0]["Body"] if found else None

        return json.loads(eventually(received, what))

    told = json.loads(message("sns")["Message"])
    assert (told["NewStateValue"], told["OldStateValue"]) == ("ALARM", "INSUFFICIENT_DATA")
    assert "7.0" in told["NewStateReason"]
    event = message("bus")
    detail = event["detail"]
    assert detail["alarmName"] == told["AlarmName"]
    assert detail["previousState"]["value"] == "INSUFFICIENT_DATA"
    assert json.loads(detail["state"]["reasonData"])["recentDatapoints"] == [7.0]
    assert detail["configuration"]["metrics"][0]["metricStat"]["metric"]["dimensions"] == {"of": "one"}
    history = watched.client.describe_alarm_history(AlarmName=detail["alarmName"], HistoryItemType="StateUpdate")
    assert any("to ALARM" in item["HistorySummary"] for item in history["AlarmHistoryItems"])
    events.remove_targets(Rule=rule, Ids=["q"])
    events.delete_rule(Name=rule)
