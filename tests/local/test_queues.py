"""Objects and messages reach functions through queues as on AWS: by prefix, in order, later, and again when failed."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.platform.account import ACCOUNT
from local.platform.client import Connection
from tests.local.conftest import Function, name, role
from tests.waiting import eventually

TAKES = """
import json, time
def handler(event, context):
    failed = []
    for record in event["Records"]:
        body = json.loads(record["body"])
        print("TOOK", json.dumps({"at": time.time(), "sent": int(record["attributes"]["SentTimestamp"]) / 1000,
                                  "tries": record["attributes"]["ApproximateReceiveCount"], "body": body}))
        if isinstance(body, dict) and body.get("bad"):
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
"""


class Queue:
    """A queue that a function reads."""

    def __init__(self, here: Connection, made: Function, called: str = "", **attributes: str) -> None:
        self.here, self.made, sqs = here, made, here.client("sqs")
        self.url = sqs.create_queue(QueueName=called or name("q"), Attributes=attributes)["QueueUrl"]
        named = sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])
        self.arn = named["Attributes"]["QueueArn"]
        allowed = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage",
                   "Resource": self.arn}  # fmt: skip
        sqs.set_queue_attributes(QueueUrl=self.url, Attributes={"Policy": json.dumps({"Statement": [allowed]})})
        here.client("lambda").create_event_source_mapping(
            FunctionName=made.name,
            EventSourceArn=self.arn,
            BatchSize=5,
            FunctionResponseTypes=["ReportBatchItemFailures"],
        )

    def send(self, body: Any, **options: Any) -> None:
        self.here.client("sqs").send_message(QueueUrl=self.url, MessageBody=json.dumps(body), **options)

    def took(self, enough: int) -> list[dict[str, Any]]:
        def lines() -> list[dict[str, Any]] | None:
            found = [json.loads(line) for line in self.made.lines("TOOK")]
            return found if len(found) >= enough else None

        return eventually(lines, f"{enough} messages")


@pytest.fixture
def queue(here: Connection, function: Callable[..., Function]) -> Callable[..., Queue]:
    def made(called: str = "", **attributes: str) -> Queue:
        reader = function(TAKES, Timeout=5)
        reader.call({"Records": []})  # warm: no message is held while the function starts
        return Queue(here, reader, called, VisibilityTimeout="6", **attributes)

    return made


@pytest.fixture
def bucket(here: Connection) -> str:
    this = name("bucket")
    here.client("s3").create_bucket(Bucket=this)
    return this


def notify(here: Connection, bucket: str, queue: Queue, *prefixes: str) -> None:
    configurations = [
        {"QueueArn": queue.arn, "Events": ["s3:ObjectCreated:*"],
         "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": prefix}]}}}
        for prefix in prefixes
    ]  # fmt: skip
    here.client("s3").put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"QueueConfigurations": configurations}
    )


def test_objects_of_a_prefix_are_told(here: Connection, bucket: str, queue: Callable[..., Queue]) -> None:
    arrivals, s3 = queue(), here.client("s3")
    notify(here, bucket, arrivals, "inbox/", "drop/")
    for key in ("results/a", "inbox/north/one", "drop/folder with space/ü.dcm"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x" * 7)
    s3.copy_object(Bucket=bucket, Key="inbox/copy", CopySource=f"{bucket}/results/a")
    upload = {"Bucket": bucket, "Key": "inbox/parts"}
    upload["UploadId"] = s3.create_multipart_upload(**upload)["UploadId"]
    tag = s3.upload_part(**upload, PartNumber=1, Body=b"y")["ETag"]
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": tag}]})

    def told() -> dict[str, Any] | None:
        bodies = [json.loads(line)["body"] for line in arrivals.made.lines("TOOK")]
        found = {each["s3"]["object"]["key"]: each for body in bodies for each in body.get("Records", [])}
        return found if len(found) >= 4 else None

    found = eventually(told, "four objects")
    assert set(found) == {"inbox/north/one", "drop/folder+with+space/%C3%BC.dcm", "inbox/copy", "inbox/parts"}
    one = found["inbox/north/one"]
    assert (one["eventName"], one["s3"]["bucket"]["name"]) == ("ObjectCreated:Put", bucket)
    assert one["s3"]["object"]["size"] == 7
    assert found["inbox/parts"]["eventName"] == "ObjectCreated:CompleteMultipartUpload"


def test_a_message_waits_for_its_delay(queue: Callable[..., Queue]) -> None:
    quiet = queue(DelaySeconds="2")
    quiet.send("the queue's delay")
    quiet.send("its own delay", DelaySeconds=4)
    quiet.send("none", DelaySeconds=0)
    waited = {took["body"]: took["at"] - took["sent"] for took in quiet.took(3)}
    assert waited["the queue's delay"] >= 1.9
    assert waited["its own delay"] >= 3.9
    assert waited["none"] < waited["its own delay"]


def test_a_fifo_queue_is_in_order_once_and_a_failure_holds_its_group(queue: Callable[..., Queue]) -> None:
    ledger = queue(f"{name('q')}.fifo", FifoQueue="true")
    for number in range(12):
        for _ in range(2):  # the second is the same message
            ledger.send(number, MessageGroupId="ledger", MessageDeduplicationId=f"d{number}")
    assert [took["body"] for took in ledger.took(12)] == list(range(12))
    ledger.send({"bad": True}, MessageGroupId="ledger", MessageDeduplicationId="bad")
    eventually(lambda: len(ledger.took(13)) >= 14 or None, "the failed message again")
    ledger.send("behind it", MessageGroupId="ledger", MessageDeduplicationId="behind")
    ledger.send("elsewhere", MessageGroupId="another", MessageDeduplicationId="elsewhere")
    eventually(lambda: any(took["body"] == "elsewhere" for took in ledger.took(14)), "the other group's message")
    assert not any(took["body"] == "behind it" for took in ledger.took(14))


def test_only_failed_messages_come_again_and_end_in_the_dead_letter_queue(
    here: Connection, queue: Callable[..., Queue]
) -> None:
    sqs = here.client("sqs")
    dead = sqs.create_queue(QueueName=name("dead"))["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    arrivals = queue(RedrivePolicy=json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 2}))
    for at in range(3):
        arrivals.send({"at": at, "bad": at == 1})
    message = eventually(lambda: sqs.receive_message(QueueUrl=dead).get("Messages"), "the dead letter")[0]
    assert json.loads(message["Body"])["at"] == 1
    tries = [(took["body"]["at"], took["tries"]) for took in arrivals.took(4)]
    assert sorted(tries) == [(0, "1"), (1, "1"), (1, "2"), (2, "1")]


def test_a_mapping_needs_what_its_function_needs(here: Connection, function: Callable[..., Function]) -> None:
    sqs, lambdas = here.client("sqs"), here.client("lambda")
    url = sqs.create_queue(QueueName=name("q"), Attributes={"VisibilityTimeout": "10"})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    without = function(TAKES, Timeout=5, Role=role(here, Action=["sqs:DeleteMessage", "sqs:GetQueueAttributes"]))
    with pytest.raises(ClientError, match="does not have permissions to call ReceiveMessage on SQS"):
        lambdas.create_event_source_mapping(FunctionName=without.name, EventSourceArn=arn)
    with pytest.raises(ClientError, match="visibility timeout: 10 seconds is less than Function timeout: 20 seconds"):
        lambdas.create_event_source_mapping(FunctionName=function(TAKES).name, EventSourceArn=arn)


def test_messages_wait_while_the_key_may_not_be_used(
    here: Connection, bucket: str, queue: Callable[..., Queue]
) -> None:
    kms, s3 = here.client("kms"), here.client("s3")
    root = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"}
    key = kms.create_key(Policy=json.dumps({"Statement": [root]}))["KeyMetadata"]["Arn"]
    arrivals = queue(KmsMasterKeyId=key)
    with pytest.raises(ClientError, match="Unable to validate"):
        notify(here, bucket, arrivals, "inbox/")
    of_s3 = {**root, "Principal": {"Service": "s3.amazonaws.com"}, "Action": ["kms:GenerateDataKey", "kms:Decrypt"]}
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps({"Statement": [root, of_s3]}))
    notify(here, bucket, arrivals, "inbox/")
    s3.put_object(Bucket=bucket, Key="inbox/before", Body=b"")
    eventually(lambda: "inbox/before" in str(arrivals.took(1)), "the first object")
    kms.disable_key(KeyId=key)
    time.sleep(1)  # what was asked before counts no more
    s3.put_object(Bucket=bucket, Key="inbox/meanwhile", Body=b"")
    time.sleep(1.5)
    assert "inbox/meanwhile" not in str(arrivals.took(1))
    kms.enable_key(KeyId=key)
    eventually(lambda: "inbox/meanwhile" in str(arrivals.took(1)), "the object that waited")


def test_a_queue_that_does_not_let_s3_in_is_refused_at_once(here: Connection, bucket: str) -> None:
    sqs = here.client("sqs")
    url = sqs.create_queue(QueueName=name("closed"))["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    for target in (arn, f"{arn}-none"):
        wanted = {"QueueConfigurations": [{"QueueArn": target, "Events": ["s3:ObjectCreated:*"]}]}
        with pytest.raises(ClientError, match="Unable to validate the following destination configurations"):
            here.client("s3").put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=wanted)
