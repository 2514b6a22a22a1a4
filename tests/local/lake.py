"""A lake of a test: a bucket, Glue tables, a Kinesis stream and delivery streams that read it; and what lies in it."""

import io
import json
from typing import Any

from pyarrow import parquet

from local.platform.account import ACCOUNT, REGION
from local.platform.client import Connection
from tests.local.conftest import name, role
from tests.waiting import eventually

COLUMNS = [
    {"Name": "event_id", "Type": "string"},
    {"Name": "user_id", "Type": "string"},
    {"Name": "value", "Type": "double"},
    {"Name": "context", "Type": "map<string,string>"},
]
PARQUET = {
    "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
}
JSON_LINES = {
    "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
    "SerdeInfo": {"SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe"},
}
DAYS = {
    "projection.enabled": "true",
    "projection.dt.type": "date",
    "projection.dt.format": "yyyy-MM-dd",
    "projection.dt.range": "2024-01-01,NOW",
}


ITEMS = "array<struct<item:string,score:double>>"
LISTS = [{"Name": "list_id", "Type": "string"}, {"Name": "items", "Type": ITEMS}, {"Name": "at", "Type": "timestamp"}]


class Lake:
    """One bucket and one database."""

    def __init__(self, here: Connection) -> None:
        self.here, self.bucket, self.database = here, name("lake"), name("db").replace("-", "_")
        here.client("s3").create_bucket(Bucket=self.bucket)
        here.client("glue").create_database(DatabaseInput={"Name": self.database})

    def table(self, storage: dict[str, Any] = PARQUET, columns: Any = COLUMNS, **parameters: str) -> str:
        """A table of its own prefix, partitioned by `dt`, which `parameters` project."""
        this = name("t").replace("-", "_")
        self.here.client("glue").create_table(
            DatabaseName=self.database,
            TableInput={
                "Name": this,
                "TableType": "EXTERNAL_TABLE",
                "Parameters": parameters,
                "PartitionKeys": [{"Name": "dt", "Type": "string"}],
                "StorageDescriptor": {"Columns": columns, "Location": f"s3://{self.bucket}/{this}/", **storage},
            },
        )
        return this

    def put(self, key: str, data: bytes | str) -> None:
        self.here.client("s3").put_object(Bucket=self.bucket, Key=key, Body=data)

    def objects(self, prefix: str) -> dict[str, bytes]:
        client = self.here.client("s3")
        found = client.list_objects_v2(Bucket=self.bucket, Prefix=prefix).get("Contents", [])
        return {each["Key"]: client.get_object(Bucket=self.bucket, Key=each["Key"])["Body"].read() for each in found}

    def rows(self, prefix: str) -> list[dict[str, Any]]:
        """Rows of the Parquet objects."""
        read = [parquet.ParquetFile(io.BytesIO(data)).read() for data in self.objects(prefix).values()]
        return [row for table in read for row in table.to_pylist()]

    def events(self, prefix: str, wanted: int) -> list[str]:
        """Ids of the events of the Parquet objects, when there are as many as wanted."""

        def found() -> list[str] | None:
            rows = self.rows(prefix)
            return [row["event_id"] for row in rows] if len(rows) >= wanted else None

        return eventually(found, f"{wanted} events below {prefix}", 30)

    def failures(self, prefix: str) -> list[dict[str, Any]]:
        """Lines of the objects of JSON."""
        return [json.loads(line) for data in self.objects(prefix).values() for line in data.splitlines()]

    def destination(self, table: str | None, put: str = "*", read: str = "*", **more: Any) -> dict[str, Any]:
        """Settings of a delivery to the table's prefix, whose roles may put to and read from these resources."""
        where = table or name("raw")
        settings: dict[str, Any] = {
            "RoleARN": role(self.here, "firehose", Resource=put), "BucketARN": f"arn:aws:s3:::{self.bucket}",
            "Prefix": f"{where}/dt=!{{timestamp:yyyy-MM-dd}}/",
            "ErrorOutputPrefix": f"errors/{where}/!{{firehose:error-output-type}}/",
            "BufferingHints": {"IntervalInSeconds": 60, "SizeInMBs": 64},
        }  # fmt: skip
        if table:
            settings["DataFormatConversionConfiguration"] = {
                "Enabled": True,
                "InputFormatConfiguration": {"Deserializer": {"OpenXJsonSerDe": {}}},
                "OutputFormatConfiguration": {"Serializer": {"ParquetSerDe": {}}},
                "SchemaConfiguration": {
                    "DatabaseName": self.database, "TableName": table, "Region": REGION,
                    "RoleARN": role(self.here, "firehose", Resource=read),
                },
            }  # fmt: skip
        return settings | more


class Source:
    """A Kinesis stream."""

    def __init__(self, here: Connection, shards: int = 2) -> None:
        self.here, self.name = here, name("stream")
        self.arn = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{self.name}"
        here.client("kinesis").create_stream(StreamName=self.name, ShardCount=shards)

    def put(self, *records: Any) -> None:
        """Puts documents, or bytes as they are."""
        kinesis = self.here.client("kinesis")
        data = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in records]
        for at in range(0, len(data), 500):
            entries = [
                {"Data": each, "PartitionKey": str(number)} for number, each in enumerate(data[at : at + 500], start=at)
            ]
            assert kinesis.put_records(StreamName=self.name, Records=entries)["FailedRecordCount"] == 0

    def delivery(self, destination: dict[str, Any], **statement: Any) -> str:
        """A delivery stream that reads this stream with a role that may do all, or what `statement` says."""
        this = name("delivery")
        self.here.client("firehose").create_delivery_stream(
            DeliveryStreamName=this,
            DeliveryStreamType="KinesisStreamAsSource",
            KinesisStreamSourceConfiguration={
                "KinesisStreamARN": self.arn,
                "RoleARN": role(self.here, "firehose", **statement),
            },
            ExtendedS3DestinationConfiguration=destination,
        )
        return this


class Athena:
    """Queries of one workgroup."""

    def __init__(self, lake: Lake) -> None:
        self.lake, self.client, self.group = lake, lake.here.client("athena"), name("group")
        self.client.create_work_group(
            Name=self.group,
            Configuration={
                "ResultConfiguration": {"OutputLocation": f"s3://{lake.bucket}/results/"},
                "EnforceWorkGroupConfiguration": True,
                "BytesScannedCutoffPerQuery": 10_000_000,
            },
        )

    def execution(self, query: str, **request: Any) -> dict[str, Any]:
        """The query's execution when it has ended."""
        identity = self.client.start_query_execution(
            QueryString=query, WorkGroup=self.group,
            QueryExecutionContext={"Database": self.lake.database}, **request,
        )["QueryExecutionId"]  # fmt: skip

        def ended() -> dict[str, Any] | None:
            found = self.client.get_query_execution(QueryExecutionId=identity)["QueryExecution"]
            return found if found["Status"]["State"] not in {"QUEUED", "RUNNING"} else None

        return eventually(ended, "the answer")

    def rows(self, query: str, **request: Any) -> list[tuple[str | None, ...]]:
        """The answer's rows, as text."""
        execution = self.execution(query, **request)
        assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
        found = self.client.get_query_results(QueryExecutionId=execution["QueryExecutionId"])["ResultSet"]["Rows"]
        return [tuple(datum.get("VarCharValue") for datum in row["Data"]) for row in found[1:]]

    def reason(self, query: str) -> str:
        """Why a query fails."""
        status = self.execution(query)["Status"]
        assert status["State"] == "FAILED"
        return str(status["StateChangeReason"])


def interaction(number: int, **more: Any) -> dict[str, Any]:
    return {"event_id": f"e{number}", "user_id": f"u{number % 3}", "value": number, "context": {"page": "home"}} | more
