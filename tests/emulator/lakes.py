"""A deployed pipeline with a lake: its objects, the lines in them, and SQL by its tables."""

import gzip
import json
from typing import Any

from tests.emulator.deployed import Deployed, Item
from tests.waiting import eventually


class WithLake(Deployed):
    """Of the pipeline that the outputs are of."""

    @property
    def pipeline(self) -> str:
        """The word that names it, as the database is named after the stack."""
        return self.outputs["GlueDatabase"].removeprefix("cuatro")

    def lines(self, kind: str) -> list[Item]:
        """Lines of JSON of <pipeline>/<kind>/."""
        s3, bucket = self.client("s3"), self.outputs["LakeBucket"]
        keys = [key for key in self.lake(kind) if key.endswith(".gz")]
        texts = [gzip.decompress(s3.get_object(Bucket=bucket, Key=key)["Body"].read()) for key in keys]
        return [json.loads(line) for text in texts for line in text.splitlines()]

    def lake(self, kind: str) -> list[str]:
        """Keys of objects of <pipeline>/<kind>/."""
        pages = self.client("s3").get_paginator("list_objects_v2")
        found = pages.paginate(Bucket=self.outputs["LakeBucket"], Prefix=f"{self.pipeline}/{kind}/")
        return [each["Key"] for page in found for each in page.get("Contents", [])]

    def query(self, sql: str) -> list[list[str | None]]:
        """Rows of an Athena query in the stack's workgroup and database."""
        athena, database = self.client("athena"), self.outputs["GlueDatabase"]
        started = athena.start_query_execution(
            QueryString=sql, QueryExecutionContext={"Database": database}, WorkGroup=database
        )["QueryExecutionId"]

        def ended() -> dict[str, Any] | None:
            status: dict[str, Any] = athena.get_query_execution(QueryExecutionId=started)["QueryExecution"]["Status"]
            return status if status["State"] not in {"QUEUED", "RUNNING"} else None

        status = eventually(ended, f"the end of {sql}")
        assert status["State"] == "SUCCEEDED", status
        rows = athena.get_query_results(QueryExecutionId=started)["ResultSet"]["Rows"]
        return [[cell.get("VarCharValue") for cell in row["Data"]] for row in rows[1:]]
