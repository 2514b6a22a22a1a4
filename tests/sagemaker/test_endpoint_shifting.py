"""UpdateEndpoint with a DeploymentConfig: traffic goes over in steps, and back when an alarm is on."""

from collections import Counter
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.platform.process import Platform
from tests.checked import Aws, unique
from tests.sagemaker.endpoint_calls import Endpoints
from tests.sagemaker.programs import register
from tests.waiting import eventually


@pytest.fixture(scope="module")
def endpoints(platform: Platform, aws: Aws, role: str, bucket: str) -> Endpoints:
    """Endpoints of the serve program."""
    return Endpoints(aws, register(platform, "serving", "serve_program.py"), role, bucket)


def routing(kind: str, wait_s: int, **size: Any) -> dict[str, Any]:
    """A BlueGreenUpdatePolicy."""
    configuration = {"Type": kind, "WaitIntervalInSeconds": wait_s, **size}
    return {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": configuration}}


def percent(value: int) -> dict[str, Any]:
    return {"Type": "CAPACITY_PERCENT", "Value": value}


def test_a_canary_gets_its_share_and_then_everything(endpoints: Endpoints) -> None:
    old, new = endpoints.model(), endpoints.model()
    name = endpoints.serving({"ModelName": old})
    endpoints.sagemaker.update_endpoint(
        EndpointName=name,
        EndpointConfigName=endpoints.config({"ModelName": new}),
        DeploymentConfig=routing("CANARY", 5, CanarySize=percent(25)),
    )
    eventually(lambda: endpoints.tell(name)["model"] == new, "the canary's first answer")
    assert Counter(endpoints.tell(name)["model"] for _ in range(8)) == {old: 6, new: 2}
    assert endpoints.describe(name)["EndpointStatus"] == "Updating"
    found = endpoints.settled(name)
    assert found["LastDeploymentConfig"]["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]["Type"] == "CANARY"
    assert {endpoints.tell(name)["model"] for _ in range(4)} == {new}


def test_an_alarm_takes_the_traffic_back(endpoints: Endpoints) -> None:
    cloudwatch, alarm = endpoints.aws.client("cloudwatch"), unique("alarm")
    cloudwatch.put_metric_alarm(
        AlarmName=alarm,
        Namespace="Cuatro",
        MetricName=alarm,
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="ignore",
    )
    good = endpoints.model()
    name = endpoints.serving({"ModelName": good})
    config = endpoints.config({})
    endpoints.sagemaker.update_endpoint(
        EndpointName=name,
        EndpointConfigName=config,
        DeploymentConfig={
            **routing("LINEAR", 60, LinearStepSize=percent(50)),
            "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": alarm}]},
        },
    )
    eventually(lambda: endpoints.tell(name)["model"] != good, "the new model's first answer")
    cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="the test")
    found = endpoints.settled(name)
    assert found["EndpointStatus"] == "InService"
    assert alarm in found["FailureReason"]
    assert found["EndpointConfigName"] != config
    assert {endpoints.tell(name)["model"] for _ in range(4)} == {good}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (routing("CANARY", 1), "CanarySize is needed"),
        (routing("LINEAR", 1, LinearStepSize=percent(60)), "must not be more than 50%"),
        ({"RollingUpdatePolicy": {"MaximumBatchSize": percent(50), "WaitIntervalInSeconds": 1}}, "only by AWS"),
    ],
)  # fmt: skip
def test_what_cannot_be_shifted_is_refused(endpoints: Endpoints, given: dict[str, Any], expected: str) -> None:
    name = endpoints.serving()
    with pytest.raises(ClientError, match=expected):
        endpoints.sagemaker.update_endpoint(
            EndpointName=name, EndpointConfigName=endpoints.config({}), DeploymentConfig=given
        )
    assert endpoints.describe(name)["EndpointStatus"] == "InService"
