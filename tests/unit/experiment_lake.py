"""What the tests of `cuatro experiment` share: a mocked lake, lists and clicks to fill it with, the command to run."""

import gzip
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import boto3
import numpy as np
import pyarrow as pa
import pytest
import typer
from moto import mock_aws
from pyarrow import parquet
from typer.testing import CliRunner

from functions.recommendations.lists import FeedbackRecorded, Place, Served, ServedItem, line
from functions.recommendations.policy import Policy
from local.cli import experiment as command
from local.platform import client
from local.platform.client import Connection

NOW = datetime.now(UTC)
POLICY = {
    "experiment": {
        "name": "ranking-1",
        "arms": [
            {"name": "model", "share": 0.5},
            {"name": "hold-out", "share": 0.5, "changes": {"ranker": "popular"}},
        ],
    }
}


class World:
    """A bucket of a lake, and the command."""

    def __init__(self, connection: Connection) -> None:
        self.s3 = connection.client("s3")
        self._objects = 0

    def put(self, kind: str, lines: list[bytes], at: datetime = NOW) -> None:
        half = len(lines) // 2  # Firehose's object may be several gzip streams
        body = gzip.compress(b"".join(each + b"\n" for each in lines[:half])) + gzip.compress(
            b"".join(each + b"\n" for each in lines[half:])
        )
        self.put_body(kind, body, at)

    def put_body(self, kind: str, body: bytes, at: datetime = NOW) -> None:
        self._objects += 1
        key = f"recommendations/{kind}/dt={at:%Y-%m-%d}/{self._objects}.gz"
        self.s3.put_object(Bucket="lake", Key=key, Body=body)

    def purchases(self, list_ids: list[str]) -> None:
        rows = [{"list_id": each, "kind": "purchase", "time": NOW.isoformat(), "user_id": "u"} for each in list_ids]
        rows.append({"list_id": None, "kind": "view", "time": NOW.isoformat(), "user_id": "u"})
        sink = BytesIO()
        parquet.write_table(pa.Table.from_pylist(rows), sink)
        self.put_body("interactions", sink.getvalue())

    def run(self, *arguments: str, columns: int = 200) -> str:
        app = typer.Typer()
        app.command()(command.experiment)
        result = CliRunner().invoke(app, list(arguments), env={"COLUMNS": str(columns), "NO_COLOR": "1"})
        if result.exception:
            raise result.exception
        return result.output


@pytest.fixture(name="world")
def mocked(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        connection = Connection("aws", None, boto3.Session(region_name="us-east-1"), "us-east-1")
        connection.client("s3").create_bucket(Bucket="lake")
        found = World(connection)
        monkeypatch.setattr(client, "connect", lambda target, state: connection)
        monkeypatch.setattr(Connection, "outputs", lambda self, stack: {"ApiFunction": "api", "LakeBucket": "lake"})
        running = Policy.from_json(json.dumps(POLICY)).experiment
        monkeypatch.setattr(command, "_running", lambda connection, function: running)  # moto's Lambda needs Docker
        yield found


def served(number: int, user: str, arm: str, at: datetime = NOW, **changes: Any) -> Served:
    items = tuple(ServedItem(f"i-{place}", 1.0, None, "model") for place in range(1, 6))
    return Served(
        **{
            "list_id": f"l-{number}", "user_id": user, "served_at": at.isoformat(), "arm": arm,
            "experiment": "ranking-1", "model_version": "1", "context": {}, "items": items, "latency_ms": 3.0,
            **changes,
        }
    )  # fmt: skip


def click(of: Served, place: int = 1, at: datetime = NOW) -> FeedbackRecorded:
    return FeedbackRecorded(
        list_id=of.list_id, user_id=of.user_id, event_id=f"e-{of.list_id}-{place}", kind="click",
        items=(Place(f"i-{place}", place),), time=at.isoformat(), arm=of.arm, experiment=of.experiment,
    )  # fmt: skip


def fill(world: World, users: int, rates: dict[str, float], seed: int = 1, at: datetime = NOW) -> list[Served]:
    """Users of both arms alternate, each with three lists, a list is clicked at the arm's rate."""
    chance = np.random.default_rng(seed)
    arms = list(rates)
    lists = [served(3 * user + n, f"u-{user}", arms[user % len(arms)], at) for user in range(users) for n in range(3)]
    world.put("lists", [line(each) for each in lists])
    clicks = [click(each, at=at) for each in lists if chance.random() < rates[each.arm]]
    world.put("feedback", [line(each) for each in clicks])
    return lists


def row(shown: str, name: str) -> list[str]:
    """Cells of the first row that begins so."""
    (found, *_) = [each for each in shown.splitlines() if each.startswith(name)]
    return re.split(r"\s{2,}", found.strip())
