"""The local platform by itself: loopback, start and end, IAM, the environment of functions, stream failures.

The last three hold what we changed in MiniStack (local/emulator, local/streams.py): they fail when an upgrade moves it.
"""

import io
import json
import os
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.platform.account import ACCOUNT, REGION
from local.platform.client import Connection, connect
from local.platform.errors import PlatformError
from local.platform.process import Platform, running, start, stop
from tests.waiting import eventually

TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
HANDLER = """
import importlib.util, json, os, sys
import boto3
from of_the_layer import WORD

def handler(event, context):
    if "statement" in event:
        client = boto3.client("dynamodb")
        return client.batch_execute_statement(Statements=[{"Statement": event["statement"]}])["Responses"]
    if "Records" in event:
        poison = [r["kinesis"]["sequenceNumber"] for r in event["Records"] if r["kinesis"]["partitionKey"] == "poison"]
        print("keys", *(r["kinesis"]["partitionKey"] for r in event["Records"]))
        return {"batchItemFailures": [{"itemIdentifier": number} for number in poison[:1]]}
    model = open(os.environ["MODEL_URI"]).read()
    found = [name for name in ("cuatro", "functions", "local", "typer") if importlib.util.find_spec(name)]
    return {"variables": dict(os.environ), "model": model, "word": WORD, "found": found}
"""


def zipped(**files: str) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        for name, text in files.items():
            opened.writestr(name.replace("__", "/").replace("_dot_", "."), text)
    return archive.getvalue()


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform with nothing deployed, started by a user who has settings of their own."""
    state = tmp_path_factory.mktemp("bare")
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("AWS_ENDPOINT_URL", raising=False)
        environment.setenv("AWS_PROFILE", "of-the-user")
        environment.setenv("SECRET_OF_THE_USER", "1")
        platform = start(state, port=0)
        environment.undo()
        yield platform
    stop(state)


@pytest.fixture(scope="module")
def here(bare: Platform) -> Connection:
    return connect("local", bare.state)


@pytest.fixture(scope="module")
def allow(here: Connection) -> Callable[..., None]:
    """Sets what the function's role may do; nothing before."""
    iam = here.client("iam")
    iam.create_role(RoleName="probe", AssumeRolePolicyDocument=json.dumps({"Statement": [TRUST]}))

    def grant(action: str, resource: str) -> None:
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource}]}
        iam.put_role_policy(RoleName="probe", PolicyName="probe", PolicyDocument=json.dumps(policy))

    return grant


@pytest.fixture(scope="module")
def invoke(here: Connection, allow: Callable[..., None]) -> Callable[[Any], Any]:
    """Event -> answer of a function with a layer; raises AssertionError with the function's error."""
    client = here.client("lambda")
    layer = zipped(python__of_the_layer_dot_py="WORD = 'hello'", models__m_dot_onnx="weights")
    version = client.publish_layer_version(LayerName="probe", Content={"ZipFile": layer})["LayerVersionArn"]
    client.create_function(
        FunctionName="probe",
        Runtime="python3.11",
        Handler="probe.handler",
        Role=f"arn:aws:iam::{ACCOUNT}:role/probe",
        Code={"ZipFile": zipped(probe_dot_py=HANDLER)},
        Layers=[version],
        Timeout=30,
        Environment={"Variables": {"MODEL_URI": "/opt/models/m.onnx", "OWN": "own"}},
    )

    def call(event: Any) -> Any:
        answer = client.invoke(FunctionName="probe", Payload=json.dumps(event))
        body = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, body
        return body

    return call


def test_only_loopback_listens(bare: Platform) -> None:
    if not Path("/proc").exists():
        pytest.skip("needs Linux's /proc to see who listens")
    links = [str(file.readlink()) for file in Path(f"/proc/{bare.pid}/fd").iterdir() if file.is_symlink()]
    inodes = {found[1] for link in links if (found := re.match(r"socket:\[(\d+)\]", link))}
    rows = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    listening = {row[1] for row in rows if row[3] == "0A" and row[9] in inodes}
    assert listening == {f"0100007F:{port:04X}" for port in (bare.port, bare.secure_port)}


def test_a_second_start_finds_the_first_and_another_state_is_another_platform(bare: Platform, tmp_path: Path) -> None:
    assert start(bare.state, port=0) == bare
    try:
        other = start(tmp_path, port=0)
        assert (other.pid, other.port) != (bare.pid, bare.port)
    finally:
        assert stop(tmp_path)
    assert running(tmp_path) is None
    assert not stop(tmp_path)
    assert running(bare.state) == bare


def test_a_taken_port_is_said_and_what_to_do(bare: Platform, tmp_path: Path) -> None:
    with pytest.raises(PlatformError) as raised:
        start(tmp_path, port=bare.port)
    assert "--port 0" in raised.value.advice
    assert f"port {bare.port}" in raised.value.log


def test_functions_see_lambdas_environment_and_nothing_else(bare: Platform, invoke: Callable[[Any], Any]) -> None:
    seen = invoke({})
    assert (seen["model"], seen["word"], seen["found"]) == ("weights", "hello", [])
    variables = seen["variables"]
    assert variables["OWN"] == "own"
    assert variables["AWS_ENDPOINT_URL"] == bare.endpoint
    assert variables["AWS_ACCESS_KEY_ID"].startswith("ASIA")
    assert not {"SECRET_OF_THE_USER", "AWS_PROFILE", "AUTH", "GATEWAY_PORT", "HOME"} & set(variables)


def test_iam_is_enforced_for_functions(
    here: Connection, invoke: Callable[[Any], Any], allow: Callable[..., None]
) -> None:
    key = {"AttributeName": "id", "KeyType": "HASH"}
    for name in ("granted", "other"):
        here.client("dynamodb").create_table(
            TableName=name,
            KeySchema=[key],  # type: ignore[list-item]
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
    insert = {name: {"statement": f"INSERT INTO \"{name}\" VALUE {{'id': 'a'}}"} for name in ("granted", "other")}
    with pytest.raises(AssertionError, match="AccessDenied"):
        invoke(insert["granted"])
    allow("dynamodb:PartiQLInsert", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/granted")
    assert invoke(insert["granted"]) == [{"TableName": "granted"}]
    assert invoke(insert["granted"])[0]["Error"]["Code"] == "DuplicateItem"
    with pytest.raises(AssertionError, match="AccessDenied"):
        invoke(insert["other"])


def test_a_poison_record_ends_at_the_failure_destination(here: Connection, invoke: Callable[[Any], Any]) -> None:
    invoke({})
    kinesis, sqs = here.client("kinesis"), here.client("sqs")
    queue = sqs.create_queue(QueueName="failures")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    plain = {"Bool": {"aws:SecureTransport": "false"}}
    tls_only = {"Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": arn, "Condition": plain}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps({"Statement": [tls_only]})})
    kinesis.create_stream(StreamName="probe", ShardCount=1)
    kinesis.get_waiter("stream_exists").wait(StreamName="probe")
    source = kinesis.describe_stream_summary(StreamName="probe")["StreamDescriptionSummary"]["StreamARN"]
    here.client("lambda").create_event_source_mapping(
        FunctionName="probe",
        EventSourceArn=source,
        StartingPosition="TRIM_HORIZON",
        MaximumRetryAttempts=1,
        BisectBatchOnFunctionError=True,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        DestinationConfig={"OnFailure": {"Destination": arn}},
    )
    keys = ["a", "b", "poison", "c", "d"]
    kinesis.put_records(StreamName="probe", Records=[{"Data": b"x", "PartitionKey": key} for key in keys])

    def failed() -> list[Any]:
        return sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages", [])

    batch = json.loads(eventually(failed, "the failed batch in the queue")[0]["Body"])["KinesisBatchInfo"]
    assert (batch["batchSize"], batch["streamArn"]) == (1, source)

    def handed_over() -> set[str]:
        events = here.client("logs").filter_log_events(logGroupName="/aws/lambda/probe")["events"]
        return {key for event in events if event["message"].startswith("keys") for key in event["message"].split()[1:]}

    eventually(lambda: handed_over() == set(keys), "every record handed over")


def test_ending_the_platform_ends_its_functions(tmp_path: Path) -> None:
    try:
        start(tmp_path, port=0)
        connection = connect("local", tmp_path)
        document = json.dumps({"Statement": [TRUST]})
        role = connection.client("iam").create_role(RoleName="none", AssumeRolePolicyDocument=document)["Role"]["Arn"]
        code = zipped(probe_dot_py="import os\ndef handler(event, context):\n    return os.getpid()")
        functions = connection.client("lambda")
        functions.create_function(
            FunctionName="pid", Runtime="python3.11", Handler="probe.handler", Role=role, Code={"ZipFile": code}
        )
        pid = json.loads(functions.invoke(FunctionName="pid")["Payload"].read())
        os.kill(pid, 0)
    finally:
        assert stop(tmp_path)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_outputs_of_a_missing_stack_say_how_to_deploy(here: Connection) -> None:
    with pytest.raises(PlatformError, match="not deployed") as raised:
        here.outputs("CuatroFraud")
    assert isinstance(raised.value.__cause__, ClientError)
    assert "cuatro up" in raised.value.advice
