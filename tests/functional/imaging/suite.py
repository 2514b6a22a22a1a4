"""The imaging pipeline in one process: requests and objects go in, tests look at what is left behind."""

import base64
import json
from collections.abc import Mapping, Sequence
from email.parser import BytesParser
from typing import Any, NamedTuple
from uuid import uuid4

from functions.imaging.pseudonym import Pseudonyms
from tests.functional.aws_in_memory import Wire
from tests.functional.stage import CREDENTIALS, REGION, Context, Stage, client

ACCOUNT = "123456789012"
MACHINE = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:read"
SECRET = "the-secret-of-the-pseudonyms-has-32-characters-and-more"  # noqa: S105
TOKENS = {"north": "token-of-north-clinic", "south": "token-of-south-clinic"}
QUEUES = {"quiet": {}, "audit.fifo": {"FifoQueue": "true"}}
ENVIRONMENT = {
    **CREDENTIALS,
    "IDENTIFIED_BUCKET": "identified", "DEIDENTIFIED_BUCKET": "deidentified", "STUDIES_TABLE": "studies",
    "INSTANCES_TABLE": "instances", "PSEUDONYM_SECRET_ARN": "pseudonyms", "SENDERS_SECRET_ARN": "senders",
    "QUIET_QUEUE_URL": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/quiet",
    "AUDIT_QUEUE_URL": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/audit.fifo",
    "READING_MACHINE_ARN": MACHINE, "BUS_NAME": "suite", "POLICY": "{}",
    "POWERTOOLS_SERVICE_NAME": "imaging", "POWERTOOLS_METRICS_NAMESPACE": "Cuatro",
}  # fmt: skip
NAMES = Pseudonyms(SECRET.encode())


class Answer(NamedTuple):
    """Of the senders' API; body as it went over the wire."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def parts(self) -> list[bytes]:
        """Of a multipart answer, by the parser of Python's library."""
        message = BytesParser().parsebytes(
            b"Content-Type: " + self.headers["Content-Type"].encode() + b"\r\n\r\n" + self.body
        )
        return [part.get_payload(decode=True) for part in message.get_payload()]


class Suite(Stage):
    """Tables, buckets and queues in memory, and the functions."""

    def __init__(self, wire: Wire) -> None:
        super().__init__(wire, {"studies": "study", "instances": "instance"}, "unused", {})
        self._index("studies", "by_patient", "p", ("t", "N"))
        self._index("studies", "by_sender", "o", ("t", "N"))
        self._index("instances", "by_study", "study", ("instance", "S"))
        for bucket in ("identified", "deidentified"):
            self.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
            self.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        for queue, attributes in QUEUES.items():
            client("sqs").create_queue(QueueName=queue, Attributes=attributes)
        client("secretsmanager").create_secret(Name="pseudonyms", SecretString=SECRET)
        self.set_senders({})
        definition = json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}})
        client("stepfunctions").create_state_machine(
            name="read", definition=definition, roleArn=f"arn:aws:iam::{ACCOUNT}:role/read"
        )
        wire.calls.clear()

    def set_senders(self, changes: Mapping[str, Mapping[str, Any]]) -> None:
        """The senders' secret; changes: fields of their entries."""
        from hashlib import sha256  # noqa: PLC0415

        entries: dict[str, Any] = {
            name: {"sha256": sha256(TOKENS.get(name, name).encode()).hexdigest(), **changes.get(name, {})}
            for name in {**TOKENS, **changes}
        }
        secrets = client("secretsmanager")
        if "senders" in {each["Name"] for each in secrets.list_secrets()["SecretList"]}:
            secrets.put_secret_value(SecretId="senders", SecretString=json.dumps(entries))
        else:
            secrets.create_secret(Name="senders", SecretString=json.dumps(entries))

    # What comes in

    def call(  # noqa: PLR0917
        self,
        method: str,
        resource: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        sender: str = "north",
        query: Mapping[str, Sequence[str]] | None = None,
        proto: str = "https",
        **path: str,
    ) -> Answer:
        """One request as API Gateway passes it on when the authorizer has let it in."""
        from functions.imaging.api.handler import handler  # noqa: PLC0415 - reads the test's environment

        where = "/v1" + resource.format(**path)
        answer = handler(
            {
                "requestContext": {
                    "resourcePath": resource, "httpMethod": method, "requestId": "request-1", "path": where,
                    "authorizer": {"sender": sender} if sender else None,
                },
                "headers": {"Host": "imaging.test", "X-Forwarded-Proto": proto, **(headers or {})},
                "multiValueQueryStringParameters": {name: list(given) for name, given in (query or {}).items()} or None,
                "pathParameters": path or None,
                "stageVariables": None,
                "body": base64.b64encode(body).decode() if body else None,
                "isBase64Encoded": bool(body),
            },
            Context(),
        )  # fmt: skip
        text = answer["body"] or ""
        data = base64.b64decode(text) if answer["isBase64Encoded"] else text.encode()
        return Answer(answer["statusCode"], answer["headers"], data)

    def stow(
        self, *contents: bytes, study: str = "", sender: str = "north", accept: str = "application/dicom+json"
    ) -> Answer:
        """POST /studies, or to one of them."""
        boundary = uuid4().hex
        parts = [
            f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode() + each + b"\r\n" for each in contents
        ]
        body = b"".join(parts) + f"--{boundary}--\r\n".encode()
        headers = {
            "Content-Type": f'multipart/related; type="application/dicom"; boundary={boundary}', "Accept": accept,
        }  # fmt: skip
        path = {"study": study} if study else {}
        return self.call("POST", "/studies/{study}" if study else "/studies", body, headers, sender, **path)

    def drop(self, key: str, content: bytes) -> None:
        """An object that somebody put into the bucket."""
        self.s3.put_object(Bucket="identified", Key=key, Body=content)

    def receive(self, *keys: str) -> dict[str, Any]:
        """One delivery of S3's messages about these objects; without keys about all that wait."""
        from functions.imaging.receive.handler import handler  # noqa: PLC0415

        wanted = keys or tuple(key for key in self.objects("identified") if key.startswith(("inbox/", "drop/")))
        return handler({"Records": [notification(key) for key in wanted]}, Context())

    def begin(self, *bodies: Mapping[str, Any]) -> dict[str, Any]:
        """One delivery of messages of the quiet queue."""
        from functions.imaging.begin.handler import handler  # noqa: PLC0415

        records = [{"messageId": f"message-{number}", "body": json.dumps(body)} for number, body in enumerate(bodies)]
        return handler({"Records": records}, Context())

    # What is left behind

    def objects(self, bucket: str, prefix: str = "") -> dict[str, bytes]:
        """Content by key."""
        listing = self.s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
        return {each["Key"]: self.s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read() for each in listing}

    def messages(self, queue: str) -> list[dict[str, Any]]:
        """What lies in a queue, also what is delayed."""
        from moto.sqs.models import sqs_backends  # noqa: PLC0415

        held = sqs_backends[ACCOUNT][REGION].queues[queue]
        return [json.loads(each.body) for each in held._messages]

    def audited(self, action: str) -> list[dict[str, Any]]:
        """Audit events of that action."""
        return [each for each in self.messages("audit.fifo") if each["action"] == action]

    def executions(self) -> dict[str, Any]:
        """Input of the state machine's executions by name."""
        step = client("stepfunctions")
        found = step.list_executions(stateMachineArn=MACHINE)["executions"]
        return {
            each["name"]: json.loads(step.describe_execution(executionArn=each["executionArn"])["input"])
            for each in found
        }

    @staticmethod
    def _index(table: str, name: str, key: str, sort: tuple[str, str]) -> None:
        client("dynamodb").update_table(
            TableName=table,
            AttributeDefinitions=[
                {"AttributeName": key, "AttributeType": "S"},
                {"AttributeName": sort[0], "AttributeType": sort[1]},
            ],
            GlobalSecondaryIndexUpdates=[
                {
                    "Create": {
                        "IndexName": name,
                        "KeySchema": [
                            {"AttributeName": key, "KeyType": "HASH"},
                            {"AttributeName": sort[0], "KeyType": "RANGE"},
                        ],
                        "Projection": {"ProjectionType": "ALL"},
                    }
                }
            ],
        )


def notification(key: str) -> dict[str, Any]:
    """SQS's record with S3's message about one new object."""
    from urllib.parse import quote_plus  # noqa: PLC0415

    body = {
        "Records": [
            {
                "eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
                "s3": {"bucket": {"name": "identified"}, "object": {"key": quote_plus(key, safe="/"), "size": 1}},
            }
        ]
    }  # fmt: skip
    return {"messageId": uuid4().hex, "body": json.dumps(body)}
