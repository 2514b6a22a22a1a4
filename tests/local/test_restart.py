"""A platform that was ended goes on where it was; after a hard end, or when told to forget, it begins anew."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from local.emulator.restart import KEPT
from local.platform.client import Connection, connect
from local.platform.process import LOG, forget, running, start, stop
from tests.local.conftest import RUNTIME, Function, role, zipped
from tests.local.test_task_tokens import ASK, Waiting
from tests.waiting import eventually

TAKES = """
import base64, time

def handler(event, context):
    for record in event["Records"]:
        if "kinesis" in record:
            print("TOOK", base64.b64decode(record["kinesis"]["data"]).decode(), flush=True)
        else:
            print("TOOK", record["dynamodb"]["Keys"]["id"]["S"], flush=True)
    return {"batchItemFailures": []}
"""


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    stop(tmp_path)


def takes(here: Connection) -> Function:
    """A function that reads the stream `stream` and the changes of the table `table`, when its mappings are on."""
    arn = here.client("lambda").create_function(
        FunctionName="takes", Runtime=RUNTIME, Handler="index.handler", Role=role(here),
        Code={"ZipFile": zipped(index_dot_py=TAKES)},
    )["FunctionArn"]  # fmt: skip
    here.client("kinesis").create_stream(StreamName="stream", ShardCount=1)
    stream = here.client("kinesis").describe_stream_summary(StreamName="stream")["StreamDescriptionSummary"]
    table = here.client("dynamodb").create_table(
        TableName="table", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}], BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )["TableDescription"]  # fmt: skip
    for source in (stream["StreamARN"], table["LatestStreamArn"]):
        here.client("lambda").create_event_source_mapping(
            FunctionName="takes", EventSourceArn=source, StartingPosition="TRIM_HORIZON", BatchSize=3,
            FunctionResponseTypes=["ReportBatchItemFailures"],
        )  # fmt: skip
    made = Function(here, "takes", arn)
    made.settle()
    return made


def put(here: Connection, *names: str) -> None:
    records = [{"Data": f"s-{each}".encode(), "PartitionKey": "k"} for each in names]
    here.client("kinesis").put_records(StreamName="stream", Records=records)
    for each in names:
        here.client("dynamodb").put_item(TableName="table", Item={"id": {"S": f"t-{each}"}, "data": {"B": b"\x00\xff"}})


def switch(here: Connection, *, on: bool) -> None:
    client = here.client("lambda")
    for mapping in client.list_event_source_mappings(FunctionName="takes")["EventSourceMappings"]:
        client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=on)


def test_everything_is_there_again_and_event_sources_go_on(state: Path) -> None:
    first = start(state, port=0)
    here = connect("local", state)
    made = takes(here)
    here.client("s3").create_bucket(Bucket="bucket")
    here.client("s3").put_object(Bucket="bucket", Key="a/b", Body=b"\x00body")
    queue = here.client("sqs").create_queue(QueueName="queue")["QueueUrl"]
    here.client("sqs").send_message(QueueUrl=queue, MessageBody="message")
    template = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}, "Outputs": {"Out": {"Value": {"Ref": "Topic"}}}}
    here.client("cloudformation").create_stack(StackName="stack", TemplateBody=json.dumps(template))
    here.client("cloudformation").get_waiter("stack_create_complete").wait(StackName="stack", WaiterConfig={"Delay": 1})
    put(here, "1", "2")
    eventually(lambda: len(made.lines("TOOK")) == 4, "the first records")
    switch(here, on=False)
    put(here, "3", "4", "5", "6")
    (state / "deployed").write_text("what is deployed")
    assert stop(state)

    again = start(state, port=first.port)
    assert again.pid != first.pid
    here = connect("local", state)
    made = Function(here, made.name, made.arn)
    assert (state / "deployed").read_text() == "what is deployed"
    assert "goes on with the state" in (state / LOG).read_text()
    assert here.outputs("stack")["Out"].startswith("arn:aws:sns:")
    assert here.client("s3").get_object(Bucket="bucket", Key="a/b")["Body"].read() == b"\x00body"
    (message,) = here.client("sqs").receive_message(QueueUrl=queue)["Messages"]
    assert message["Body"] == "message"
    item = here.client("dynamodb").get_item(TableName="table", Key={"id": {"S": "t-1"}})["Item"]
    assert item["data"]["B"] == b"\x00\xff"
    switch(here, on=True)
    put(here, "7", "8")
    wanted = [f"{source}-{number}" for source in ("s", "t") for number in range(1, 9)]
    eventually(lambda: set(made.lines("TOOK")) >= set(wanted), "what waited, and what came")
    assert sorted(made.lines("TOOK")) == wanted  # and nothing twice


def test_a_batch_in_delivery_at_the_end_is_delivered_again(state: Path) -> None:
    first = start(state, port=0)
    here = connect("local", state)
    made = takes(here)
    code = TAKES.replace("import base64, time", "import base64, time, os").replace(
        "    for record", "    if not os.path.exists(os.environ['GO']): print('BEGAN'); time.sleep(60)\n    for record"
    )
    client = here.client("lambda")
    client.update_function_code(FunctionName="takes", ZipFile=zipped(index_dot_py=code))
    made.settle()
    go = state / "go"
    client.update_function_configuration(FunctionName="takes", Timeout=90, Environment={"Variables": {"GO": str(go)}})
    made.settle()
    put(here, "1")
    eventually(lambda: any("takes" in line for line in _commands(first.pid)), "the function's process")
    assert stop(state)
    go.touch()
    start(state, port=first.port)
    made = Function(connect("local", state), made.name, made.arn)
    eventually(lambda: sorted(made.lines("TOOK")) == ["s-1", "t-1"], "the records")


def test_an_execution_goes_on_where_it_was(state: Path) -> None:
    first = start(state, port=0)
    here = connect("local", state)
    arn = here.client("lambda").create_function(
        FunctionName="ask", Runtime=RUNTIME, Handler="index.handler", Role=role(here),
        Code={"ZipFile": zipped(index_dot_py=ASK)},
    )["FunctionArn"]  # fmt: skip
    asked = Function(here, "ask", arn)
    asked.settle()
    reviewed, stopped, late = (Waiting(here, asked, **more) for more in ({}, {}, {"TimeoutSeconds": 15}))
    tokens = [waiting.token for waiting in (reviewed, stopped, late)]
    assert stop(state)

    start(state, port=first.port)
    assert {each.described()["status"] for each in (reviewed, stopped)} == {"RUNNING"}
    assert reviewed.start(reviewed.mark) == reviewed.execution
    given = json.dumps({"outcome": "normal"})
    answer = reviewed.client.send_task_success
    eventually(lambda: _done(lambda: answer(taskToken=tokens[0], output=given)), "the state that waits again")
    ended = reviewed.ended()
    assert (ended["status"], ended["study"], ended["review"]) == ("SUCCEEDED", reviewed.mark, {"outcome": "normal"})
    stopped.client.stop_execution(executionArn=stopped.execution)
    assert stopped.refused("send_task_success", taskToken=tokens[1], output="{}") == "TaskTimedOut"
    assert late.ended()["caught"] == "States.Timeout"
    assert [len(each.calls()) for each in (reviewed, stopped, late)] == [1, 1, 1]  # nobody was asked twice
    assert "goes on in Ask" in (state / LOG).read_text()


def _done(call: Callable[[], object]) -> bool:
    try:
        call()
    except ClientError:
        return False
    return True


def _commands(parent: int) -> list[str]:
    """Environment of the processes of the platform's group."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if os.getpgid(int(path.name)) == parent and path.name != str(parent):
                found.append((path / "environ").read_bytes().decode(errors="replace"))
        except (OSError, ProcessLookupError):
            continue
    return found


def test_after_a_hard_end_it_begins_anew_and_says_so_and_when_told_to_forget(state: Path) -> None:
    first = start(state, port=0)
    connect("local", state).client("s3").create_bucket(Bucket="bucket")
    (state / "deployed").write_text("what is deployed")
    (state / "sagemaker").mkdir(exist_ok=True)
    (state / "sagemaker" / "record").touch()
    assert stop(state)
    start(state, port=first.port)
    connect("local", state).client("s3").head_bucket(Bucket="bucket")
    platform = running(state)
    assert platform
    os.killpg(platform.pid, signal.SIGKILL)
    eventually(lambda: running(state) is None, "the end")
    start(state, port=0)
    with pytest.raises(ClientError, match="404"):
        connect("local", state).client("s3").head_bucket(Bucket="bucket")
    assert "was not ended cleanly: this one begins with empty state" in (state / LOG).read_text()
    assert not (state / "deployed").exists()
    assert not (state / "sagemaker" / "record").exists()

    connect("local", state).client("s3").create_bucket(Bucket="bucket")
    assert forget(state)
    assert running(state) is None
    assert not [name for name in KEPT if (state / name).exists()]
    assert not forget(state)
