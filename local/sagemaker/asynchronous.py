"""InvokeEndpointAsync: a request whose body lies in S3 -> 202 at once; the answer in S3, success or error told by SNS.

What was accepted is kept until it is answered: after a restart of the platform it is done then, once more if need be.
"""

import json
import logging
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from botocore.exceptions import BotoCoreError

from local.aws import storage
from local.aws.errors import AwsError, ValidationException
from local.aws.service import Input, Operation, Output, Service
from local.aws.storage import StorageError
from local.aws.store import Record
from local.sagemaker import invocations, statuses
from local.sagemaker.serving import endpoints

LOG = logging.getLogger(__name__)

TABLE = "async-invocation"
TIMEOUT_S = 900.0  # AWS's default; a request may ask for up to 3,600
TTL_S = 21600.0
LOOK_S = 0.2
AT_ONCE = 4  # of an endpoint whose ClientConfig says nothing
_REQUEST = ("EndpointName", "ContentType", "Accept", "CustomAttributes", "InputLocation")
_UNSERVED = ("Body", "S3OutputPathExtension", "Filename")


def invoke(service: Service, given: Input) -> Output:
    """InvokeEndpointAsync."""
    for member in _UNSERVED:
        if given.get(member):
            raise ValidationException(f"{member} is not served by the local platform, only by AWS: see docs/parity.md.")
    if "InputLocation" not in given:
        raise ValidationException("InputLocation is needed: the S3 URI of the request's body.")
    name = given["EndpointName"]
    endpoint = service.store.table(statuses.TABLE).find(name)
    if endpoint is None or "_plan" not in endpoint:
        raise ValidationException(f"Endpoint {name} of account {service.account} not found.")
    config = endpoint["_plan"]["async"]
    if not config:
        raise ValidationException(f"Endpoint {name} is not an asynchronous endpoint: call InvokeEndpoint.")
    key, output = str(uuid.uuid4()), config["OutputConfig"]
    record = {
        "request": {member: given[member] for member in _REQUEST if member in given},
        "id": key,
        "inference_id": given.get("InferenceId", str(uuid.uuid4())),
        "output": storage.join(output["S3OutputPath"], f"{key}.out"),
        "failure": storage.join(output.get("S3FailurePath", output["S3OutputPath"]), f"{key}-error.out"),
        "timeout_s": given.get("InvocationTimeoutSeconds", TIMEOUT_S),
        "until": time.time() + given.get("RequestTTLSeconds", TTL_S),
        "received": time.time(),
        "topics": output.get("NotificationConfig", {}),
        "role": endpoint["_plan"]["variants"][0]["model"].get("ExecutionRoleArn"),
        "at_once": config.get("ClientConfig", {}).get("MaxConcurrentInvocationsPerInstance", AT_ONCE),
    }
    service.store.table(TABLE).put(key, record)
    queues(service).put(record)
    return {
        "InferenceId": record["inference_id"],
        "OutputLocation": record["output"],
        "FailureLocation": record["failure"],
    }


class Queues:
    """Accepted requests, worked off by a few threads for each endpoint."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._lock = threading.Lock()
        self._pools: dict[str, ThreadPoolExecutor] = {}

    def put(self, record: Record) -> None:
        """Takes a request in."""
        name = record["request"]["EndpointName"]
        with self._lock:
            if name not in self._pools:
                self._pools[name] = ThreadPoolExecutor(record["at_once"], f"async-{name}")
            self._pools[name].submit(self._work, record)

    def end(self) -> None:
        """Begins no more; what is not answered stays in the store."""
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)

    def _work(self, record: Record) -> None:
        try:
            answer(self._service, record)
        except Exception:
            LOG.exception("the asynchronous invocation %s has no answer", record["id"])
        if endpoints(self._service).ending.is_set():
            return  # it is kept, and done when the platform is there again
        self._service.store.table(TABLE).delete(record["id"])


def answer(service: Service, record: Record) -> None:
    """Answers one request: its answer or its error to S3, and what became of it to SNS."""
    role = record["role"]
    s3 = storage.client(service, role) if role else service.client("s3")
    with TemporaryDirectory() as scratch:
        file = Path(scratch, "body")
        try:
            _in_time(record)
            storage.fetch(s3, record["request"]["InputLocation"], file)
            given = {**record["request"], "Body": file.read_bytes(), "InferenceId": record["inference_id"]}
            reply = invocations.ask(service, given, record["timeout_s"], asynchronous=True).reply
            file.write_bytes(reply.body)
            storage.put(s3, file, record["output"], "Failed to upload the response")
        except (AwsError, StorageError) as error:
            if endpoints(service).ending.is_set():
                return
            reason = error.message if isinstance(error, AwsError) else str(error)
            file.write_text(reason)
            storage.put(s3, file, record["failure"], "Failed to upload the error")
            _tell(service, record, "Failed", {"failureReason": reason})
            return
    response = {"contentType": reply.headers.get("content-type"), "outputLocation": record["output"]}
    _tell(service, record, "Completed", {"responseParameters": response})


def _in_time(record: Record) -> None:
    if time.time() > record["until"]:
        raise StorageError("The request was not begun within its RequestTTLSeconds.")


def _tell(service: Service, record: Record, status: str, more: dict[str, Any]) -> None:
    """What became of it, as SageMaker tells it, to the topic for successes or the one for errors."""
    topic = record["topics"].get("SuccessTopic" if status == "Completed" else "ErrorTopic")
    if not topic:
        return
    request = record["request"]
    message = {
        "awsRegion": service.region,
        "eventTime": _time(time.time()),
        "receivedTime": _time(record["received"]),
        "invocationStatus": status,
        "requestParameters": {
            "contentType": request.get("ContentType"),
            "endpointName": request["EndpointName"],
            "inputLocation": request["InputLocation"],
        },
        **more,
        "inferenceId": record["inference_id"],
        "eventVersion": "1.0",
        "eventSource": "aws:sagemaker",
        "eventName": "InferenceResult",
    }
    role = record["role"]
    client = service.client("sns", service.credentials(role)) if role else service.client("sns")
    client.publish(TopicArn=topic, Message=json.dumps(message))


def _answers(service: Service) -> bool:
    try:
        service.client("sts").get_caller_identity()
    except BotoCoreError:
        return False
    return True


def _time(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def recover(service: Service) -> None:
    """Requests that were accepted and not answered are done as soon as the platform answers."""
    left = service.store.table(TABLE).all()

    def put() -> None:
        while not _answers(service):
            time.sleep(LOOK_S)
        for record in left:
            queues(service).put(record)

    if left:
        threading.Thread(target=put, name="async-left", daemon=True).start()


def end(service: Service) -> None:
    """Begins no more."""
    queues(service).end()


def queues(service: Service) -> Queues:
    """Those of this platform."""
    return service.part(Queues)


OPERATIONS: dict[str, Operation] = {"InvokeEndpointAsync": invoke}
