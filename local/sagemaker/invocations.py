"""InvokeEndpoint: body and headers -> a worker of the chosen variant -> its answer, captured and measured.

What a container answers with another status than 2xx, or not at all, is a ModelError with its status and text.
"""

import http.client
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.aws.errors import AwsError, ValidationException
from local.aws.servers import Gone, NotServed, Reply, Slow
from local.aws.service import Input, Operation, Output, Service
from local.sagemaker.capture import captures
from local.sagemaker.invocation_metrics import Ended, invocation_metrics
from local.sagemaker.serving import endpoints
from local.sagemaker.variants import Variant

TIMEOUT_S = 60.0  # as on AWS; CUATRO_INVOCATION_TIMEOUT_S changes it
LARGEST = 6 * 1024 * 1024  # bytes of a request, and of an answer
LARGEST_SERVERLESS = 4 * 1024 * 1024
TIMED_OUT = (
    "Your invocation timed out while waiting for a response from container primary. Review the latency metrics for "
    "each container in Amazon CloudWatch, resolve the issue, and try again."
)
# Member of the input -> header of the container's request.
_PASSED = {
    "ContentType": "Content-Type",
    "Accept": "Accept",
    "CustomAttributes": "X-Amzn-SageMaker-Custom-Attributes",
    "InferenceId": "X-Amzn-SageMaker-Inference-Id",
}
_UNSERVED = (
    "TargetModel", "TargetContainerHostname", "InferenceComponentName", "SessionId", "EnableExplanations",
    "PrefixAwareId",
)  # fmt: skip


@dataclass(frozen=True)
class Invoked:
    """A good answer and the variant that gave it."""

    variant: str
    reply: Reply


def invoke(service: Service, given: Input) -> Output:
    """InvokeEndpoint."""
    timeout_s = float(os.environ.get("CUATRO_INVOCATION_TIMEOUT_S", TIMEOUT_S))
    for member in _UNSERVED:
        if member in given:
            raise ValidationException(f"{member} is not served by the local platform, only by AWS: see docs/parity.md.")
    answered = ask(service, given, timeout_s, asynchronous=False)
    headers = answered.reply.headers
    return {
        "Body": answered.reply.body,
        "ContentType": headers.get("content-type"),
        "InvokedProductionVariant": answered.variant,
        "CustomAttributes": headers.get("x-amzn-sagemaker-custom-attributes"),
    }


def ask(service: Service, given: Input, timeout_s: float, asynchronous: bool) -> Invoked:
    """The answer to the body of `given`. Raises ModelError, ValidationException, ThrottlingException."""
    began = time.perf_counter()
    name, body = given["EndpointName"], given.get("Body", b"")
    serving = endpoints(service).find(name)
    if serving is None:
        raise ValidationException(f"Endpoint {name} of account {service.account} not found.")
    with serving.request(given.get("TargetVariant")) as (variant, plan):
        _check(plan, variant, body, asynchronous)
        sent = time.perf_counter()
        status = http.client.INTERNAL_SERVER_ERROR
        headers = {header: given[member] for member, header in _PASSED.items() if member in given}
        try:
            reply = variant.invoke(body, headers, timeout_s)
            status = reply.status
        except Slow as error:
            raise model_error(service, name, 0, TIMED_OUT) from error
        except (Gone, NotServed) as error:
            raise model_error(service, name, status, str(error)) from error
        finally:
            ended = Ended(status, time.perf_counter() - sent, sent - began)
            invocation_metrics(service).add(name, variant.name, variant.capacity, ended)
        if not 200 <= status < 300:
            raise model_error(service, name, status, reply.body.decode(errors="replace"))
        if len(reply.body) > LARGEST and not asynchronous:
            raise model_error(service, name, 500, f"The answer has {len(reply.body)} bytes, more than {LARGEST}.")
        if plan["capture"]:
            captures(service).take(name, variant, plan["capture"], given, reply)
        return Invoked(variant.name, reply)


def model_error(service: Service, endpoint: str, status: int, text: str) -> AwsError:
    """ModelError as AWS words it. Status 0: the container gave no answer."""
    group = f"/aws/sagemaker/Endpoints/{endpoint}"
    side = "client" if 400 <= status < 500 else "server"
    console = f"https://{service.region}.console.aws.amazon.com/cloudwatch/home?region={service.region}"
    return AwsError(
        "ModelError",
        f'Received {side} error ({status}) from primary with message "{text}". See '
        f"{console}#logEventViewer:group={group} in account {service.account} for more information.",
        424,
        {
            "OriginalStatusCode": status,
            "OriginalMessage": text,
            "LogStreamArn": f"arn:aws:logs:{service.region}:{service.account}:log-group:{group}",
        },
    )


def _check(plan: Mapping[str, Any], variant: Variant, body: bytes, asynchronous: bool) -> None:
    if bool(plan["async"]) != asynchronous:
        kind, operation = ("an asynchronous", "InvokeEndpointAsync") if plan["async"] else ("a", "InvokeEndpoint")
        raise ValidationException(f"This is {kind} endpoint: call {operation}.")
    if variant.serverless and len(body) > LARGEST_SERVERLESS:
        raise ValidationException(
            f"Value at 'body' failed to satisfy constraint: Member must have length less than or equal to "
            f"{LARGEST_SERVERLESS}"
        )


def end(service: Service) -> None:
    """Writes and sends what was captured and measured."""
    captures(service).end()
    invocation_metrics(service).end()


OPERATIONS: dict[str, Operation] = {"InvokeEndpoint": invoke}
