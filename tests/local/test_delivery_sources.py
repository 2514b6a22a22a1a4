"""What is put to a Kinesis stream lies in the lake as Parquet of the Glue table, once, whatever happens in between."""

import base64
import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from local.platform.account import ACCOUNT, REGION
from local.platform.client import Connection, connect
from local.platform.process import Platform, start, stop
from tests.local.conftest import Function, name
from tests.local.lake import DAYS, Lake, Source, interaction
from tests.waiting import eventually


@pytest.fixture(scope="module")
def lake(here: Connection) -> Lake:
    return Lake(here)


@pytest.fixture
def source(here: Connection) -> Source:
    return Source(here)


def test_records_become_rows_of_the_table_in_few_objects(lake: Lake, source: Source) -> None:
    table = lake.table(**DAYS)
    source.put(interaction(-1))  # before the delivery stream exists: AWS begins with what comes after
    before = datetime.now(UTC).date()
    arrived = eventually(lambda: _arrived(source), "the record")
    eventually(lambda: datetime.now(UTC).timestamp() > arrived + 1, "a second")
    stream = source.delivery(lake.destination(table))
    source.put(*(interaction(number) for number in range(1200)))
    assert Counter(lake.events(f"{table}/", 1200)) == {f"e{number}": 1 for number in range(1200)}
    found = lake.objects(f"{table}/")
    assert len(found) <= 5  # MiniStack makes one of each record
    days = {f"{table}/dt={day:%Y-%m-%d}/{stream}-1-" for day in (before, datetime.now(UTC).date())}
    assert all(key.startswith(tuple(days)) and key.endswith(".parquet") for key in found)
    row = next(row for row in lake.rows(f"{table}/") if row["event_id"] == "e5")
    assert row == {"event_id": "e5", "user_id": "u2", "value": 5.0, "context": [("page", "home")]}
    assert not lake.objects(f"errors/{table}/")


def _arrived(source: Source) -> float | None:
    """When the first record of the stream came."""
    kinesis = source.here.client("kinesis")
    for shard in kinesis.list_shards(StreamName=source.name)["Shards"]:
        iterator = kinesis.get_shard_iterator(
            StreamName=source.name, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )
        for record in kinesis.get_records(ShardIterator=iterator["ShardIterator"])["Records"]:
            return float(record["ApproximateArrivalTimestamp"].timestamp())
    return None


def test_records_that_do_not_fit_are_kept_with_the_reason(lake: Lake, source: Source) -> None:
    table = lake.table(**DAYS)
    stream = source.delivery(lake.destination(table))
    bad = [b"not json", b'{"value": "much"}', b"[1]", b""]
    source.put(interaction(1), *bad, interaction(2))
    assert sorted(lake.events(f"{table}/", 2)) == ["e1", "e2"]
    failures = eventually(
        lambda: found if len(found := lake.failures(f"errors/{table}/format-conversion-failed/")) == 4 else None,
        "the failures",
    )
    codes = {base64.b64decode(failure["rawData"]): failure["lastErrorCode"] for failure in failures}
    malformed, unparsed = "DataFormatConversion.MalformedData", "DataFormatConversion.ParserError"
    assert codes == dict(zip(bad, (unparsed, malformed, malformed, malformed), strict=True))
    told = next(failure for failure in failures if "much" in failure["lastErrorMessage"])
    assert told["dataCatalogTable"] == {
        "catalogId": ACCOUNT, "databaseName": lake.database, "tableName": table, "region": REGION,
        "versionId": "LATEST",
    }  # fmt: skip
    assert told["sequenceNumber"]
    assert abs(told["arrivalTimestamp"] / 1000 - datetime.now(UTC).timestamp()) < 60

    def count(metric: str) -> float:
        found = lake.here.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Firehose", MetricName=metric, Dimensions=[{"Name": "DeliveryStreamName", "Value": stream}],
            StartTime=datetime.fromtimestamp(0, UTC), EndTime=datetime.now(UTC), Period=86400, Statistics=["Sum"],
        )  # fmt: skip
        return sum(point["Sum"] for point in found["Datapoints"])

    eventually(lambda: count("DeliveryToS3.Records") == 6, "the metrics")
    assert (count("SucceedConversion.Records"), count("FailedConversion.Records")) == (2, 4)


def test_what_may_not_be_put_is_tried_until_it_may(lake: Lake, source: Source, bare: Platform) -> None:
    table = lake.table(**DAYS)
    settings = lake.destination(table, put=f"arn:aws:s3:::{lake.bucket}/elsewhere/*")
    stream = source.delivery(settings)
    source.put(interaction(1), b"bad", interaction(2))
    eventually(lambda: f"{stream}: its role may not put objects" in bare.log.read_text(), "the refusal")
    assert not lake.objects(table)
    allowed = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{lake.bucket}/*"}
    lake.here.client("iam").put_role_policy(
        RoleName=settings["RoleARN"].rpartition("/")[2], PolicyName="this",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}),
    )  # fmt: skip
    assert sorted(lake.events(f"{table}/", 2)) == ["e1", "e2"]
    assert len(eventually(lambda: lake.failures(f"errors/{table}/") or None, "the bad one")) == 1


def test_a_bucket_that_is_gone_loses_nothing(here: Connection, source: Source) -> None:
    lake = Lake(here)
    here.client("s3").delete_bucket(Bucket=lake.bucket)
    source.delivery(lake.destination(None))
    source.put(b"1\n", b"2\n")
    eventually(lambda: _arrived(source), "the records")
    here.client("s3").create_bucket(Bucket=lake.bucket)
    (lines,) = eventually(lambda: list(lake.objects("").values()) or None, "the object", 30)
    assert sorted(lines.split()) == [b"1", b"2"]


def test_two_streams_read_one_source_beside_a_function(
    lake: Lake, source: Source, function: Callable[..., Function]
) -> None:
    made = function(
        "import base64\ndef handler(event, context):\n    for record in event['Records']:\n"
        "        print('TOOK', base64.b64decode(record['kinesis']['data']).decode())"
    )
    made.here.client("lambda").create_event_source_mapping(
        FunctionName=made.name, EventSourceArn=source.arn, StartingPosition="TRIM_HORIZON", BatchSize=100
    )
    table = lake.table(**DAYS)
    source.delivery(lake.destination(table))
    raw = lake.destination(None, CompressionFormat="UNCOMPRESSED")
    source.delivery(raw)
    source.put(*(interaction(number) for number in range(30)))
    assert sorted(lake.events(f"{table}/", 30)) == sorted(f"e{number}" for number in range(30))
    eventually(lambda: len(made.lines("TOOK ")) == 30, "the function's")
    text = b"".join(eventually(lambda: lake.objects(raw["Prefix"].partition("/")[0]) or None, "raw").values())
    assert text.count(b"event_id") == 30  # joined as they are


def test_a_batch_that_is_put_directly_is_converted_too(here: Connection, lake: Lake) -> None:
    table, this = lake.table(**DAYS), name("delivery")
    here.client("firehose").create_delivery_stream(
        DeliveryStreamName=this, ExtendedS3DestinationConfiguration=lake.destination(table)
    )
    records = [{"Data": json.dumps(interaction(number)).encode()} for number in range(10)] + [{"Data": b"bad"}]
    here.client("firehose").put_record_batch(DeliveryStreamName=this, Records=records)
    assert sorted(lake.events(f"{table}/", 10)) == [f"e{number}" for number in range(10)]
    assert len(lake.objects(f"{table}/")) == 1
    (failure,) = lake.failures(f"errors/{table}/")
    assert failure["sequenceNumber"] is None


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    stop(tmp_path)


def test_delivery_goes_on_after_a_restart_where_it_was(state: Path) -> None:
    start(state, port=0)
    here = connect("local", state)
    lake, source = Lake(here), Source(here)
    table = lake.table(**DAYS)
    source.delivery(lake.destination(table))
    source.put(*(interaction(number) for number in range(10)))
    lake.events(f"{table}/", 10)
    source.put(*(interaction(number) for number in range(10, 40)))
    stop(state)  # before these are gathered
    start(state, port=0)
    here = connect("local", state)
    lake.here = source.here = here
    source.put(interaction(40))
    assert Counter(lake.events(f"{table}/", 41)) == {f"e{number}": 1 for number in range(41)}
