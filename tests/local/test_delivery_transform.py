"""What is put to a stream with a function goes through it in batches, and lies in S3 by the keys that it gives."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.platform.account import ACCOUNT, REGION
from local.platform.client import Connection, connect
from local.platform.process import LOG, Platform, start, stop
from tests.local.conftest import RUNTIME, Function, name, role, zipped
from tests.local.lake import Lake
from tests.local.transforms import (
    TRANSFORM,
    called_with,
    calls,
    count,
    failed,
    lines,
    partitioned,
    post,
    processor,
    put,
    raw,
    stream,
)
from tests.waiting import eventually

Make = Callable[..., Function]


@pytest.fixture(scope="module")
def lake(here: Connection) -> Lake:
    return Lake(here)


@pytest.fixture(scope="module")
def transform(function: Make) -> Function:
    return function(TRANSFORM)


def test_records_are_transformed_and_sorted_by_the_functions_keys(lake: Lake, transform: Function) -> None:
    prefix = name("scored")
    delivery = stream(lake, partitioned(processor("Lambda", LambdaArn=transform.arn), prefix=prefix))
    began, already = int(time.time() * 1000), len(calls(transform))
    posts = [post(number, brand=f"b{number % 3}", dt=f"2026-11-{22 + number % 2}") for number in range(60)]
    ids = [each for at in range(0, 60, 20) for each in put(lake.here, delivery, *posts[at : at + 20])]
    put(lake.here, delivery, post(60, do="Dropped"))
    found = eventually(lambda: found if count(found := lines(lake, prefix)) >= 60 else None, "the lines", 60)
    assert {at.removeprefix(f"{prefix}/") for at in found} == {
        f"brand=b{brand}/dt=2026-11-{day}" for brand in range(3) for day in (22, 23)
    }
    assert sorted(each["n"] for some in found.values() for each in some) == list(range(60))
    assert all(f"brand={each['brand']}/dt={each['dt']}" in at for at, some in found.items() for each in some)
    assert {each["label"] for some in found.values() for each in some} == {"positive"}
    assert len(lake.objects(prefix)) <= 30  # not one a record
    told = called_with(transform, 61, already)
    assert len(told) <= 4
    assert {each["stream"] for each in told} == {f"arn:aws:firehose:{REGION}:{ACCOUNT}:deliverystream/{delivery}"}
    assert {each["region"] for each in told} == {REGION}
    assert [each for call in told for each in call["ids"]][:60] == ids
    assert all(began <= at <= time.time() * 1000 for each in told for at in each["at"])
    assert not lake.objects(f"errors/{prefix}")


def test_failures_lie_under_processing_failed_as_firehose_tells_them(lake: Lake, transform: Function) -> None:
    prefix = name("scored")
    delivery = stream(lake, partitioned(processor("Lambda", LambdaArn=transform.arn), prefix=prefix))
    began = int(time.time() * 1000)
    without = {"n": 3, "brand": "acme"}
    put(lake.here, delivery, post(1), post(2, do="ProcessingFailed"), without)
    told = eventually(failed(lake, prefix, 2), "the failures", 60)
    by_number = {raw(each)["n"]: each for each in told}
    assert raw(by_number[2]) == post(2, do="ProcessingFailed")
    assert raw(by_number[3]) == without  # as it came, not as the function made it
    first = by_number[2]
    assert set(first) == {
        "attemptsMade", "arrivalTimestamp", "errorCode", "errorMessage", "attemptEndingTimestamp", "rawData",
        "lambdaArn",
    }  # fmt: skip
    assert (first["attemptsMade"], first["errorCode"]) == (1, "Lambda.ProcessingFailedStatus")
    assert first["lambdaArn"] == transform.arn
    assert began <= first["arrivalTimestamp"] <= first["attemptEndingTimestamp"] <= time.time() * 1000
    assert "Partition keys missing" in by_number[3]["errorMessage"]
    assert "dt" in by_number[3]["errorMessage"]
    found = eventually(lambda: lines(lake, prefix) or None, "the good one", 60)
    assert [each["n"] for some in found.values() for each in some] == [1]


@pytest.mark.parametrize(("do", "code"), [("omit", "MissingRecordId"), ("twice", "DuplicatedRecordId"),
                                          ("Maybe", "JsonProcessingException")])  # fmt: skip
def test_an_answer_against_the_contract_fails_its_batch(lake: Lake, transform: Function, do: str, code: str) -> None:
    prefix = name("scored")
    delivery = stream(lake, partitioned(processor("Lambda", LambdaArn=transform.arn), prefix=prefix))
    put(lake.here, delivery, post(1), post(2, do=do))
    told = eventually(failed(lake, prefix, 2), "the failures", 60)
    assert {(each["errorCode"], each["attemptsMade"]) for each in told} == {(f"Lambda.{code}", 1)}
    assert sorted(raw(each)["n"] for each in told) == [1, 2]
    assert not lake.objects(prefix)


def test_a_batch_is_tried_again_with_the_same_ids_until_the_function_answers(
    lake: Lake, function: Make, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    made = function(TRANSFORM, Environment={"Variables": {"GO": str(go)}})
    prefix = name("scored")
    settings = partitioned(processor("Lambda", LambdaArn=made.arn, NumberOfRetries="300"), prefix=prefix)
    delivery = stream(lake, settings)
    ids = put(lake.here, delivery, post(1), post(2))
    eventually(lambda: len(calls(made)) >= 2, "two tries", 60)
    go.touch()
    found = eventually(lambda: lines(lake, prefix) or None, "the lines", 60)
    assert Counter(each["n"] for some in found.values() for each in some) == {1: 1, 2: 1}
    assert all(each["ids"] == ids for each in calls(made))
    assert not lake.objects(f"errors/{prefix}")


def test_a_function_that_goes_on_failing_is_called_four_times_and_loses_nothing(lake: Lake, function: Make) -> None:
    made = function(TRANSFORM, Environment={"Variables": {"GO": "never"}})
    prefix = name("scored")
    delivery = stream(lake, partitioned(processor("Lambda", LambdaArn=made.arn), prefix=prefix))
    put(lake.here, delivery, post(1), post(2))
    told = eventually(failed(lake, prefix, 2), "the failures", 60)
    assert {(each["errorCode"], each["attemptsMade"]) for each in told} == {("Lambda.FunctionError", 4)}
    assert sorted(raw(each)["n"] for each in told) == [1, 2]
    eventually(lambda: len(calls(made)) == 4, "the calls in the log")


def test_batches_are_as_large_as_the_processor_says(lake: Lake, function: Make) -> None:
    made, prefix = function(TRANSFORM), name("scored")
    settings = partitioned(processor("Lambda", LambdaArn=made.arn, BufferSizeInMBs="0.2"), prefix=prefix)
    delivery = stream(lake, settings)
    put(lake.here, delivery, *(post(number, text="x" * 50_000) for number in range(10)))
    eventually(lambda: count(lines(lake, prefix)) == 10, "the lines", 60)
    sizes = [len(each["n"]) for each in called_with(made, 10)]
    assert sizes == [4, 4, 2]
    assert [number for each in calls(made) for number in each["n"]] == list(range(10))


def test_the_role_must_be_allowed_to_call_the_function_and_an_alias_is_called_as_such(
    lake: Lake, function: Make, bare: Platform
) -> None:
    made, prefix = function(TRANSFORM), name("scored")
    alias = made.here.client("lambda").create_alias(
        FunctionName=made.name, Name="live", FunctionVersion=made.publish()
    )["AliasArn"]
    settings = partitioned(processor("Lambda", LambdaArn=alias, NumberOfRetries="0"), prefix=prefix)
    puts = stream(lake, settings, Action="s3:PutObject")
    put(lake.here, puts, post(1))
    (told,) = eventually(failed(lake, prefix, 1), "the failure", 60)
    assert told["errorCode"] == "Lambda.InvokeAccessDenied"
    assert not calls(made)
    both = stream(lake, settings, Action=["s3:PutObject", "lambda:InvokeFunction"])
    put(lake.here, both, post(2))
    eventually(lambda: lines(lake, prefix) or None, "the line", 60)
    assert [each["as"] for each in eventually(lambda: calls(made), "the call")] == [alias]


def test_what_may_not_be_put_waits_and_its_function_is_not_called_again(
    lake: Lake, function: Make, bare: Platform
) -> None:
    made, prefix = function(TRANSFORM), name("scored")
    settings = partitioned(processor("Lambda", LambdaArn=made.arn), prefix=prefix)
    settings["RoleARN"] = role(lake.here, "firehose", Action="lambda:InvokeFunction")
    delivery = stream(lake, settings)
    put(lake.here, delivery, post(1))
    eventually(lambda: f"{delivery}: its role may not put objects" in bare.log.read_text(), "the refusal", 60)
    allowed = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    lake.here.client("iam").put_role_policy(
        RoleName=settings["RoleARN"].rpartition("/")[2], PolicyName="this",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}),
    )  # fmt: skip
    eventually(lambda: count(lines(lake, prefix)) == 1, "the line", 60)
    assert len(calls(made)) == 1


def test_a_function_may_put_to_another_stream_while_it_transforms(lake: Lake, function: Make) -> None:
    """As the one that classifies posts does: the platform must not wait for itself."""
    prefix = name("scored")
    place = "brand=!{partitionKeyFromQuery:brand}/dt=!{partitionKeyFromQuery:dt}/"
    extraction = processor(
        "MetadataExtraction", JsonParsingEngine="JQ-1.6", MetadataExtractionQuery="{brand: .brand, dt: .time[0:10]}"
    )
    delimiter = processor("AppendDelimiterToRecord", Delimiter="\\n")
    other = stream(lake, partitioned(extraction, delimiter, place=place, prefix=f"raw-{prefix}"))
    code = (
        "import base64, boto3\nfirehose = boto3.client('firehose')\ndef handler(event, context):\n"
        "    records = [{'Data': base64.b64decode(each['data'])} for each in event['records']]\n"
        f"    firehose.put_record_batch(DeliveryStreamName='{other}', Records=records)\n"
        "    return {'records': [{'recordId': each['recordId'], 'result': 'Ok', 'data': each['data'],"
        " 'metadata': {'partitionKeys': {'brand': 'all', 'dt': 'never'}}} for each in event['records']]}"
    )
    processors = (processor("Lambda", LambdaArn=function(code).arn), delimiter)
    delivery = stream(lake, partitioned(*processors, prefix=prefix))
    put(lake.here, delivery, post(1, time="2026-11-21T10:00:00Z"), post(2, "b", time="2026-11-22T10:00:00Z"))
    eventually(lambda: count(lines(lake, f"raw-{prefix}")) == 2, "the raw lines", 60)
    assert set(lines(lake, f"raw-{prefix}")) == {
        f"raw-{prefix}/brand=acme/dt=2026-11-21", f"raw-{prefix}/brand=b/dt=2026-11-22",
    }  # fmt: skip
    eventually(lambda: set(lines(lake, prefix)) == {f"{prefix}/brand=all/dt=never"}, "the others", 60)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    stop(tmp_path)


def test_what_waits_goes_on_after_a_restart_with_its_id_and_what_was_transformed_is_only_put(state: Path) -> None:
    first, go = start(state, port=0), state / "go"
    lake = Lake(connect("local", state))

    def made(this: str, **variables: str) -> Function:
        arn = lake.here.client("lambda").create_function(
            FunctionName=this, Runtime=RUNTIME, Handler="index.handler", Role=role(lake.here),
            Code={"ZipFile": zipped(index_dot_py=TRANSFORM)}, Environment={"Variables": variables},
        )["FunctionArn"]  # fmt: skip
        found = Function(lake.here, this, arn)
        found.settle()
        return found

    def settings(function: Function) -> dict[str, Any]:
        return partitioned(processor("Lambda", LambdaArn=function.arn, NumberOfRetries="300"), prefix=function.name) | {
            "RoleARN": role(lake.here, "firehose", Action="lambda:InvokeFunction")
        }

    waits, done = made("waits", GO=str(go)), made("done")
    of_waits, of_done = settings(waits), settings(done)
    roles = [each["RoleARN"].rpartition("/")[2] for each in (of_waits, of_done)]
    ids = put(lake.here, stream(lake, of_waits), post(1), post(2))
    put(lake.here, stream(lake, of_done), post(3))
    eventually(lambda: calls(waits) and calls(done), "a try of each", 60)
    eventually(lambda: "its role may not put objects" in (state / LOG).read_text(), "the refusal", 60)
    assert stop(state)
    go.touch()
    start(state, port=first.port)
    lake.here = waits.here = done.here = connect("local", state)
    for each in roles:
        document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        lake.here.client("iam").put_role_policy(RoleName=each, PolicyName="this", PolicyDocument=json.dumps(document))
    found = eventually(lambda: found if count(found := lines(lake, "waits")) else None, "the lines", 60)
    assert Counter(each["n"] for some in found.values() for each in some) == {1: 1, 2: 1}
    assert all(each["ids"] == ids for each in calls(waits))
    eventually(lambda: count(lines(lake, "done")) == 1, "the other line", 60)
    assert (len(calls(done)), lake.objects("errors/")) == (1, {})
