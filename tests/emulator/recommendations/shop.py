"""The deployed recommendations pipeline as a test sees it: interactions in, lists out, the lake behind."""

import gzip
import json
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlencode

from functions.recommendations.experiment import assigned
from functions.recommendations.policy import Policy
from functions.recommendations.profile import Profile, decode
from functions.recommendations.shelves import ALL, popular
from tests.emulator.deployed import Answer, Deployed, Item, name, rfc3339
from tests.waiting import DEADLINE_S, eventually


def interaction(ago: timedelta = timedelta(0), **fields: Any) -> Item:
    """A view of a user of its own, `ago` before now; None leaves a field out."""
    made = {
        "version": 1,
        "event_id": name("e"),
        "user_id": name("u"),
        "item_id": name("i"),
        "kind": "view",
        "time": rfc3339(datetime.now(UTC) - ago),
    }
    return {key: value for key, value in (made | fields).items() if value is not None}


class Shop(Deployed):
    """With the questions that tests ask of profiles, lists, shelves and the lake."""

    def list_of(self, user_id: str, headers: dict[str, str] | None = None, **query: Any) -> Answer:
        """GET /recommendations/{user_id}."""
        return self.call("GET", f"/recommendations/{quote(user_id, safe='')}?{urlencode(query)}", headers=headers)

    def shown(self, user_id: str, **query: Any) -> Item:
        """The list; it must be there."""
        answer = self.list_of(user_id, **query)
        assert answer.status == 200, answer
        body: Item = answer.body
        return body

    @cached_property
    def policy(self) -> Policy:
        """As the functions have it."""
        configuration = self.client("lambda").get_function_configuration(FunctionName=self.outputs["ApiFunction"])
        return Policy.from_json(configuration["Environment"]["Variables"]["POLICY"])

    def somebody(self, arm: str = "model", prefix: str = "u") -> str:
        """A user whom no other test has, in this arm of the experiment."""
        return next(
            user for user in (name(prefix) for _ in range(10_000)) if assigned(self.policy.experiment, user).name == arm
        )

    def profile(self, user_id: str) -> Profile | None:
        """As `record` stored it."""
        item = self.item("ProfilesTable", user_id=user_id)
        return decode(item["p"]) if item else None

    def knows(self, user_id: str, *items: str, deadline_s: float = DEADLINE_S) -> Profile:
        """The profile, once it has all these items."""

        def probe() -> Profile | None:
            found = self.profile(user_id)
            return found if found and {entry.item for entry in found.entries} >= set(items) else None

        return eventually(probe, f"{items} in the profile of {user_id}", deadline_s)

    def popular(self, shelf: str = ALL) -> dict[str, float]:
        """Item -> decayed count on a shelf."""
        item = self.item("ShelvesTable", shelf=shelf)
        return {each.item: each.count for each in popular(item["p"])} if item else {}

    def lines(self, kind: str) -> list[Item]:
        """Lines of lists/ or feedback/ in the lake."""
        s3, bucket = self.client("s3"), self.outputs["LakeBucket"]
        keys = [key for key in self.lake(kind) if key.endswith(".gz")]
        texts = [gzip.decompress(s3.get_object(Bucket=bucket, Key=key)["Body"].read()) for key in keys]
        return [json.loads(line) for text in texts for line in text.splitlines()]

    def lake(self, kind: str) -> list[str]:
        """Keys of objects of recommendations/<kind>/."""
        pages = self.client("s3").get_paginator("list_objects_v2")
        found = pages.paginate(Bucket=self.outputs["LakeBucket"], Prefix=f"recommendations/{kind}/")
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

    def stock(self, items: Iterable[Item]) -> None:
        """Items into the catalogue, by the command line."""
        self.cuatro("catalog", "import", "-", given="".join(f"{json.dumps(item)}\n" for item in items))


def today() -> str:
    """The lake's day, in UTC."""
    return time.strftime("%Y-%m-%d", time.gmtime())
