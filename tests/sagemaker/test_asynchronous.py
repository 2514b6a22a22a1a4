"""InvokeEndpointAsync: accepted at once, answered in S3, told by SNS."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.platform.process import Platform
from tests.checked import Aws, unique
from tests.sagemaker.endpoint_calls import Endpoints
from tests.sagemaker.programs import register
from tests.waiting import eventually


class Topic:
    """An SNS topic and the queue that hears it."""

    def __init__(self, aws: Aws) -> None:
        self.sqs = aws.client("sqs")
        self.queue = self.sqs.create_queue(QueueName=unique("heard"))["QueueUrl"]
        asked = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=["QueueArn"])
        queue_arn = asked["Attributes"]["QueueArn"]
        self.arn = aws.client("sns").create_topic(Name=unique("told"))["TopicArn"]
        allowed = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": queue_arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": self.arn}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        self.sqs.set_queue_attributes(QueueUrl=self.queue, Attributes={"Policy": policy})
        aws.client("sns").subscribe(
            TopicArn=self.arn,
            Protocol="sqs",
            Endpoint=queue_arn,
            Attributes={"RawMessageDelivery": "true"},
        )

    def heard(self) -> dict[str, Any]:
        """The next message."""

        def probe() -> dict[str, Any] | None:
            messages = self.sqs.receive_message(QueueUrl=self.queue).get("Messages")
            return json.loads(messages[0]["Body"]) if messages else None

        return eventually(probe, "a message of the topic")


@pytest.fixture(scope="module")
def successes(aws: Aws) -> Topic:
    return Topic(aws)


@pytest.fixture(scope="module")
def failures(aws: Aws) -> Topic:
    return Topic(aws)


@pytest.fixture(scope="module")
def endpoints(platform: Platform, aws: Aws, bucket: str, successes: Topic, failures: Topic) -> Endpoints:
    """Endpoints of the serve program whose role may write answers and tell of them."""
    objects = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": f"arn:aws:s3:::{bucket}/*"}
    topics = {"Effect": "Allow", "Action": "sns:Publish", "Resource": [successes.arn, failures.arn]}
    return Endpoints(aws, register(platform, "serving", "serve_program.py"), aws.role(objects, topics), bucket)


@pytest.fixture(scope="module")
def endpoint(endpoints: Endpoints, successes: Topic, failures: Topic) -> str:
    """An asynchronous endpoint."""
    output = {
        "S3OutputPath": f"s3://{endpoints.bucket}/answers",
        "S3FailurePath": f"s3://{endpoints.bucket}/errors",
        "NotificationConfig": {"SuccessTopic": successes.arn, "ErrorTopic": failures.arn},
    }
    return endpoints.serving(AsyncInferenceConfig={"OutputConfig": output})


def stored(endpoints: Endpoints, content: bytes) -> str:
    """S3 URI of a request's body."""
    key = unique("requests/body")
    endpoints.aws.client("s3").put_object(Bucket=endpoints.bucket, Key=key, Body=content)
    return f"s3://{endpoints.bucket}/{key}"


def read(endpoints: Endpoints, uri: str) -> str:
    """An object, once it is there."""
    s3 = endpoints.aws.client("s3")
    key = uri.removeprefix(f"s3://{endpoints.bucket}/")

    def probe() -> str | None:
        try:
            return str(s3.get_object(Bucket=endpoints.bucket, Key=key)["Body"].read().decode())
        except s3.exceptions.NoSuchKey:
            return None

    return eventually(probe, uri)


def test_the_answer_is_stored_and_told(endpoints: Endpoints, endpoint: str, successes: Topic) -> None:
    uri = stored(endpoints, b"1,2,3")
    accepted = endpoints.runtime.invoke_endpoint_async(
        EndpointName=endpoint, InputLocation=uri, ContentType="text/csv", InferenceId="seven"
    )
    assert accepted["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert accepted["InferenceId"] == "seven"
    assert accepted["OutputLocation"].startswith(f"s3://{endpoints.bucket}/answers/")
    assert read(endpoints, accepted["OutputLocation"]) == "1,2,3"
    told = successes.heard()
    assert told["invocationStatus"] == "Completed"
    assert told["requestParameters"]["inputLocation"] == uri
    assert told["responseParameters"] == {"contentType": "text/csv", "outputLocation": accepted["OutputLocation"]}
    assert told["inferenceId"] == "seven"


def test_what_the_container_refuses_is_stored_and_told(endpoints: Endpoints, endpoint: str, failures: Topic) -> None:
    uri = stored(endpoints, b'{"do": "refuse", "status": 400}')
    accepted = endpoints.runtime.invoke_endpoint_async(
        EndpointName=endpoint, InputLocation=uri, ContentType="application/json"
    )
    assert "Received client error (400) from primary" in read(endpoints, accepted["FailureLocation"])
    told = failures.heard()
    assert (told["invocationStatus"], told["requestParameters"]["endpointName"]) == ("Failed", endpoint)
    assert "row 1 has 3 features, not 4" in told["failureReason"]


def test_an_input_that_is_not_there_is_a_failure(endpoints: Endpoints, endpoint: str) -> None:
    accepted = endpoints.runtime.invoke_endpoint_async(
        EndpointName=endpoint, InputLocation=f"s3://{endpoints.bucket}/none", ContentType="text/csv"
    )
    assert "The specified key does not exist" in read(endpoints, accepted["FailureLocation"])


def test_each_kind_of_endpoint_has_its_operation(endpoints: Endpoints, endpoint: str) -> None:
    with pytest.raises(ClientError, match="call InvokeEndpointAsync"):
        endpoints.tell(endpoint)
    with pytest.raises(ClientError, match="call InvokeEndpoint"):
        endpoints.runtime.invoke_endpoint_async(
            EndpointName=endpoints.serving(), InputLocation=stored(endpoints, b"1"), ContentType="text/csv"
        )
    with pytest.raises(ClientError, match="Endpoint none of account 000000000000 not found"):
        endpoints.runtime.invoke_endpoint_async(EndpointName="none", InputLocation="s3://a/b")
