"""Endpoints in the life that they have: created, asked, weighted, updated under load, deleted."""

import json
import threading
from collections import Counter
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.platform.process import Platform
from tests.checked import Aws, unique
from tests.sagemaker.endpoint_calls import SERVERLESS, Endpoints, ended
from tests.sagemaker.programs import register
from tests.waiting import eventually


@pytest.fixture(scope="module")
def endpoints(platform: Platform, aws: Aws, role: str, bucket: str) -> Endpoints:
    """Endpoints of the serve program."""
    return Endpoints(aws, register(platform, "serving", "serve_program.py"), role, bucket)


@pytest.fixture(scope="module")
def endpoint(endpoints: Endpoints) -> str:
    """One in service, for tests that do not change it."""
    return endpoints.serving()


def test_an_endpoint_is_described_as_it_was_configured(endpoints: Endpoints, endpoint: str) -> None:
    found = endpoints.describe(endpoint)
    assert found["EndpointArn"].endswith(f":endpoint/{endpoint}")
    (variant,) = found["ProductionVariants"]
    assert (variant["CurrentInstanceCount"], variant["CurrentWeight"]) == (1, 1.0)
    assert variant["DeployedImages"][0]["SpecifiedImage"] == endpoints.image
    names = [each["EndpointName"] for each in endpoints.sagemaker.list_endpoints(NameContains=endpoint)["Endpoints"]]
    assert names == [endpoint]
    failed = endpoints.sagemaker.list_endpoints(NameContains=endpoint, StatusEquals="Failed")
    assert failed["Endpoints"] == []


def test_the_container_gets_what_sagemaker_gives(endpoints: Endpoints) -> None:
    model = endpoints.model(environment={"CUATRO_MODEL": "fraud"})
    told = endpoints.tell(
        endpoints.serving({"ModelName": model}),
        Accept="application/json",
        CustomAttributes="trace=1",
        InferenceId="request-7",
    )
    environment, headers = told["environment"], told["headers"]
    assert environment["CUATRO_MODEL"] == "fraud"
    assert environment["AWS_REGION"] == "us-east-1"
    assert environment["AWS_ACCESS_KEY_ID"].startswith("ASIA")
    assert headers["content-type"] == headers["accept"] == "application/json"
    assert headers["x-amzn-sagemaker-custom-attributes"] == "trace=1"
    assert headers["x-amzn-sagemaker-inference-id"] == "request-7"


def test_body_and_content_type_go_through_as_they_are(endpoints: Endpoints, endpoint: str) -> None:
    body = bytes(range(256)) * 1000
    answer = endpoints.runtime.invoke_endpoint(
        EndpointName=endpoint, ContentType="application/x-npy", Body=body, CustomAttributes="trace=1"
    )
    assert answer["Body"].read() == body
    assert answer["ContentType"] == "application/x-npy"
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    assert answer["CustomAttributes"] == "TRACE=1"


def test_variants_get_their_share_and_can_be_named(endpoints: Endpoints) -> None:
    name = endpoints.serving(
        {"VariantName": "old", "InitialVariantWeight": 3.0}, {"VariantName": "new", "InitialVariantWeight": 1.0}
    )
    assert Counter(endpoints.tell(name)["variant"] for _ in range(8)) == {"old": 6, "new": 2}
    assert endpoints.tell(name, TargetVariant="new")["variant"] == "new"
    with pytest.raises(ClientError, match="Variant other not found for Request"):
        endpoints.tell(name, TargetVariant="other")
    desired = [{"VariantName": "old", "DesiredWeight": 0.0}, {"VariantName": "new", "DesiredInstanceCount": 2}]
    endpoints.sagemaker.update_endpoint_weights_and_capacities(EndpointName=name, DesiredWeightsAndCapacities=desired)
    described = {each["VariantName"]: each for each in endpoints.settled(name)["ProductionVariants"]}
    assert (described["old"]["CurrentWeight"], described["new"]["CurrentInstanceCount"]) == (0.0, 2)
    assert {endpoints.tell(name)["variant"] for _ in range(4)} == {"new"}


def test_an_update_fails_no_request(endpoints: Endpoints) -> None:
    first, second = endpoints.model(), endpoints.model()
    name = endpoints.serving({"ModelName": first})
    old = endpoints.tell(name)
    answered: list[str] = []
    failures: list[BaseException] = []
    ending = threading.Event()

    def ask() -> None:
        while not ending.is_set():
            try:
                answered.append(endpoints.invoke(name, {"do": "sleep", "seconds": 0.02})["model"])
            except BaseException as error:  # noqa: BLE001 - a thread's error is the test's
                failures.append(error)
                return

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    eventually(lambda: len(answered) > 20, "requests before the update")
    config = endpoints.config({"ModelName": second})
    endpoints.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config)
    assert endpoints.describe(name)["EndpointStatus"] == "Updating"
    assert endpoints.settled(name)["EndpointConfigName"] == config
    reached = len(answered)
    eventually(lambda: len(answered) > reached + 20, "requests after the update")
    ending.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert answered[0] == first
    assert set(answered[reached + 4 :]) == {second}
    assert answered == sorted(answered, key=[first, second].index)
    eventually(lambda: ended(old["pid"]), "the end of the old worker")


def test_an_update_to_a_model_that_does_not_start_leaves_the_old_one_serving(endpoints: Endpoints) -> None:
    good = endpoints.model()
    name = endpoints.serving({"ModelName": good, **SERVERLESS})
    bad = endpoints.model(endpoints.artefact(fault="exit"))
    config = endpoints.config({"ModelName": bad, **SERVERLESS})
    endpoints.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config)
    found = endpoints.settled(name)
    assert found["EndpointStatus"] == "InService"
    assert "did not pass the ping health check" in found["FailureReason"]
    assert found["EndpointConfigName"] != config
    assert endpoints.tell(name)["model"] == good


def test_weights_and_counts_are_retained_on_request(endpoints: Endpoints) -> None:
    name = endpoints.serving({})
    endpoints.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name,
        DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredWeight": 0.5, "DesiredInstanceCount": 3}],
    )
    endpoints.settled(name)
    endpoints.sagemaker.update_endpoint(
        EndpointName=name,
        EndpointConfigName=endpoints.config({}),
        RetainAllVariantProperties=True,
        ExcludeRetainedVariantProperties=[{"VariantPropertyType": "DesiredWeight"}],
    )
    (variant,) = endpoints.settled(name)["ProductionVariants"]
    assert (variant["CurrentWeight"], variant["CurrentInstanceCount"]) == (1.0, 3)


def test_a_deleted_endpoint_is_gone_with_its_worker(endpoints: Endpoints) -> None:
    name = endpoints.serving()
    pid = endpoints.tell(name)["pid"]
    endpoints.delete(name)
    assert ended(pid)
    with pytest.raises(ClientError, match=f"Endpoint {name} of account 000000000000 not found") as failed:
        endpoints.tell(name)
    assert failed.value.response["Error"]["Code"] == "ValidationError"
    assert failed.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_every_status_is_told_on_the_bus(aws: Aws, endpoints: Endpoints) -> None:
    queue = aws.client("sqs").create_queue(QueueName=unique("statuses"))["QueueUrl"]
    arn = aws.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    rule = unique("statuses")
    pattern = '{"source": ["aws.sagemaker"], "detail-type": ["SageMaker Endpoint State Change"]}'
    aws.client("events").put_rule(Name=rule, EventPattern=pattern)
    aws.client("events").put_targets(Rule=rule, Targets=[{"Id": "queue", "Arn": arn}])
    name = endpoints.serving()
    endpoints.delete(name)
    assert told(aws, queue, name) == ["CREATING", "IN_SERVICE", "DELETING", "DELETED"]
    aws.client("events").remove_targets(Rule=rule, Ids=["queue"])
    aws.client("events").delete_rule(Name=rule)


def told(aws: Aws, queue: str, name: str) -> list[str]:
    """Statuses that the bus told of an endpoint, until it is deleted."""
    found: list[str] = []

    def probe() -> bool:
        for message in aws.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", ()):
            aws.client("sqs").delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            detail = json.loads(message["Body"])["detail"]
            if detail["EndpointName"] == name:
                found.append(detail["EndpointStatus"])
        return "DELETED" in found

    eventually(probe, "the event of the deletion")
    return found


def test_invocations_are_measured(aws: Aws, endpoints: Endpoints) -> None:
    name = endpoints.serving()
    endpoints.tell(name)
    with pytest.raises(ClientError):
        endpoints.invoke(name, {"do": "refuse", "status": 400})

    def total(metric: str) -> float | None:
        points: Any = aws.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/SageMaker",
            MetricName=metric,
            Dimensions=[{"Name": "EndpointName", "Value": name}, {"Name": "VariantName", "Value": "AllTraffic"}],
            StartTime=0,
            EndTime=4102444800,
            Period=86400,
            Statistics=["Sum"],
        )["Datapoints"]
        return sum(point["Sum"] for point in points)

    eventually(lambda: total("Invocations") == 2, "both invocations in CloudWatch")
    assert total("Invocation4XXErrors") == 1
    assert total("Invocation5XXErrors") == 0
    assert (total("ModelLatency") or 0) > 0
