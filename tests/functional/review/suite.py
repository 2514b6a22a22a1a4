"""The review queue in one process: questions and requests go in; tasks, answers, reminders, audit events are left."""

import json
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from unittest import mock
from urllib.parse import quote

import msgspec
from botocore.awsrequest import AWSPreparedRequest

from cuatro.audit import WITHHELD, decode
from functions.review.asking import task_id
from functions.review.task import Task
from tests.functional.aws_in_memory import Wire
from tests.functional.stage import CREDENTIALS, REGION, Context, Stage, client
from tests.unit.review_tasks import asked

FLOW = f"arn:aws:sagemaker:{REGION}:123456789012:flow-definition/chest-radiographs"
ENVIRONMENT = {
    **CREDENTIALS,
    "REVIEWS_TABLE": "reviews", "AUDIT_QUEUE_URL": f"https://sqs.{REGION}.amazonaws.com/123456789012/audit.fifo",
    "FLOW_DEFINITION_ARN": "", "TRUSTED_BACKENDS": "", "LINK_S": "300",
    "REVIEW_TOPIC_ARN": f"arn:aws:sns:{REGION}:123456789012:overdue",
    "POWERTOOLS_SERVICE_NAME": "review", "POWERTOOLS_METRICS_NAMESPACE": "Cuatro",
}  # fmt: skip
INDICES = {"by_queue": ("q", "t"), "by_clock": ("w", "z"), "by_subject": ("s", "t")}
ATTACHMENT = {"name": "image-1", "bucket": "lake", "key": "studies/a/b/image.png", "type": "image/png"}
Answer = tuple[int, Any]


class Suite(Stage):
    """Table, topic, audit queue; executions that wait by their tokens."""

    def __init__(self, wire: Wire) -> None:
        super().__init__(wire, {"reviews": "task"}, "unused", {})
        for name, (key, sort) in INDICES.items():
            keys = [{"AttributeName": key, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]
            index = {"IndexName": name, "KeySchema": keys, "Projection": {"ProjectionType": "ALL"}}
            client("dynamodb").update_table(
                TableName="reviews",
                AttributeDefinitions=[
                    {"AttributeName": each, "AttributeType": "S" if each in "qws" else "N"} for each in (key, sort)
                ],
                GlobalSecondaryIndexUpdates=[{"Create": index}],
            )
        sqs, sns = client("sqs"), client("sns")
        sqs.create_queue(QueueName="audit.fifo", Attributes={"FifoQueue": "true"})
        self._overdue = sqs.create_queue(QueueName="overdue")["QueueUrl"]
        sns.create_topic(Name="overdue")
        arn = f"arn:aws:sqs:{REGION}:123456789012:overdue"
        sns.subscribe(
            TopicArn=ENVIRONMENT["REVIEW_TOPIC_ARN"], Protocol="sqs", Endpoint=arn,
            Attributes={"RawMessageDelivery": "true"},
        )  # fmt: skip
        self.executions = Executions(wire)
        self.later_s = 0.0
        wire.calls.clear()

    # What comes in

    def ask(self, token: str = "token-1", **fields: Any) -> dict[str, Any]:  # noqa: S107 - no password
        """A state machine asks, and waits by the token."""
        self.executions.waiting.add(token)
        return self.invoke_ask({"token": token, "ask": asked(**fields)})

    def invoke_ask(self, event: dict[str, Any]) -> dict[str, Any]:
        from functions.review.ask.handler import handler  # noqa: PLC0415 - reads the test's environment

        return self._then("ask", lambda: handler(event, Context()))

    def remind(self, event: dict[str, Any] | None = None) -> dict[str, Any]:
        """The clock ticks, or something is told by EventBridge."""
        from functions.review.remind.handler import handler  # noqa: PLC0415

        return self._then("remind", lambda: handler(event or {"source": "aws.events"}, Context()))

    def call(self, who: str, method: str, resource: str, body: Any = None, **given: Any) -> Answer:
        """One request of the reviewer, whose session has their name; `query` and `headers` are what they say."""
        query, headers = given.pop("query", None), given.pop("headers", None)
        path = {name: quote(value, safe="") for name, value in given.items()}
        arn = f"arn:aws:sts::123456789012:assumed-role/Radiologists/{who}"
        return self._then(
            "api",
            lambda: self.request(
                lambda event, context: _answered(event, context, arn), (method, resource), body,
                headers=headers, path=path, query=query,
            )
        )  # fmt: skip

    def lease(self, who: str, task: str) -> Answer:
        return self.call(who, "POST", "/tasks/{task}/lease", task=task)

    def decide(self, who: str, task: str, choice: str, *reasons: str, note: str = "") -> Answer:
        body = {"choice": choice, "reasons": list(reasons), "note": note}
        return self.call(who, "POST", "/tasks/{task}/decision", body, task=task)

    def read(self, who: str, task: str, choice: str, *reasons: str, note: str = "") -> Answer:
        """Taken and decided."""
        status, answer = self.lease(who, task)
        assert status == 200, answer
        return self.decide(who, task, choice, *reasons, note=note)

    def show(self, who: str, task: str) -> Answer:
        return self.call(who, "GET", "/tasks/{task}", task=task)

    def listed(self, who: str = "ada", **query: str) -> Answer:
        """GET /tasks of the queue imaging."""
        wanted = {name: [value] for name, value in {"queue": "imaging", **query}.items()}
        return self.call(who, "GET", "/tasks", query=wanted)

    def before_next_write(self, act: Callable[[], Any]) -> None:
        """Somebody is faster: it happens when the table has been read, and before it is written."""

        def first() -> None:
            act()

        self.wire.first("UpdateItem", first)

    def wait(self, minutes: float) -> None:
        """So much later from now on."""
        self.later_s += minutes * 60

    def _then(self, job: str, act: Callable[[], Any]) -> Any:
        """With the function's clock as late as the tests have waited."""
        clock = SimpleNamespace(time=lambda: time.time() + self.later_s)
        with mock.patch(f"functions.review.{job}.handler.time", clock):
            return act()

    # What is left behind

    def task(self, once: str = "study-1") -> Task:
        """As it is in the table."""
        return msgspec.json.decode(self.items("reviews")[task_id("imaging", once)]["p"], type=Task)

    def audited(self) -> list[tuple[str, str, str]]:
        """(action, actor, object) of what was sent to the audit log since the last look."""
        return [(each["action"], each["actor"], each["object"]) for each in self.events_audited()]

    def events_audited(self) -> list[dict[str, Any]]:
        """Each is one that the ledger takes."""
        events = self._received(ENVIRONMENT["AUDIT_QUEUE_URL"])
        for event in events:
            assert WITHHELD not in msgspec.json.encode(decode(msgspec.json.encode(event))).decode()
        return events

    def told(self) -> list[dict[str, Any]]:
        """Reminders that people got since the last look."""
        return self._received(self._overdue)

    def _received(self, queue: str) -> list[dict[str, Any]]:
        found = []
        while messages := client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(json.loads(message["Body"]))
                client("sqs").delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return found


class Executions:
    """Of Step Functions, which moto does not run: those that wait by a token go on once, with what they were told."""

    def __init__(self, wire: Wire) -> None:
        self.waiting: set[str] = set()
        self.answers: dict[str, dict[str, Any]] = {}
        self.failures: dict[str, tuple[str, str]] = {}
        wire.doubles["states"] = self._told

    def _told(self, request: AWSPreparedRequest) -> tuple[int, str]:
        told = json.loads(request.body or b"{}")
        token = told["taskToken"]
        if token not in self.waiting:
            return 400, json.dumps({"__type": "TaskDoesNotExist", "message": "Provided task does not exist anymore"})
        self.waiting.discard(token)
        if "output" in told:
            self.answers[token] = json.loads(told["output"])
        else:
            self.failures[token] = (told["error"], told["cause"])
        return 200, "{}"


def _answered(event: dict[str, Any], context: Any, arn: str) -> dict[str, Any]:
    from functions.review.api.handler import handler  # noqa: PLC0415

    event["requestContext"]["identity"] = {"userArn": arn}
    return handler(event, context)
