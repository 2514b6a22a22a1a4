"""A shop's history becomes the lake that the suite would have written, and trains the model that it would have."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import make_archive

import pandas as pd
import pyarrow.parquet as pq
import pytest

from cdk.stacks.recommendations_lake import INTERACTIONS
from models.recommendations import backfill, dataset, gate
from models.recommendations.simulator import interactions
from models.recommendations.world import World
from tests.models.container_process import prepared, run

OPENED = datetime(2026, 11, 1, tzinfo=UTC)
DAYS = 20


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return interactions(World(people=500, newcomers=0), 0, DAYS, OPENED)


@pytest.fixture(scope="module")
def lake(table: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("lake")
    for key, content in backfill.files(table):
        path = base / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return base


def test_the_columns_are_the_table_s_and_a_file_holds_its_day(table: pd.DataFrame, lake: Path) -> None:
    kinds = {"int32": "int", "double": "double", "string": "string", "map<string, string>": "map<string,string>"}
    assert {field.name: kinds[str(field.type)] for field in backfill.SCHEMA} == INTERACTIONS
    rows = 0
    for path in lake.rglob("*.parquet"):
        found = pq.read_table(path)
        assert found.schema.equals(backfill.SCHEMA)
        assert {f"dt={time[:10]}" for time in found["time"].to_pylist()} == {path.parent.name}
        rows += len(found)
    assert rows == len(table)


def test_what_it_writes_is_what_serving_would_have_taken(table: pd.DataFrame, lake: Path) -> None:
    windows = dataset.Windows.of(OPENED + timedelta(days=DAYS), DAYS - 3, 3)
    built = dataset.build(str(lake), windows)
    left_out = built.summary["left_out"]
    assert (left_out["unreadable"], left_out["rejected"], left_out["duplicates"]) == (0, 0, 0)
    before = table[table["time"] < windows.train[1]]
    assert len(built.train) + left_out["disliked"] == len(before.drop_duplicates(["user_id", "item_id"]))


def test_from_lake_to_evaluation_as_the_pipeline_runs_it(lake: Path, tmp_path: Path) -> None:
    """The same three steps, in processes of their own; the champion is a model of the days before."""

    def trained(name: str, last: float) -> Path:
        windows = dataset.Windows.of(OPENED + timedelta(days=last), last - 3, 3)
        built = dataset.build(str(lake), windows)
        built.write(tmp_path / name)
        given = {"seed": "7", "ease_items": "0", "data_hash": built.summary["data_hash"]}
        channels = {"train": tmp_path / name / "train", "champion": tmp_path / name / "summary"}
        base = prepared(tmp_path / f"{name}-job", given, channels)
        ended = run("train", base, CUATRO_MODEL="recommendations")
        assert ended.returncode == 0, ended.stdout
        return base / "model"

    found = {}
    for name, last in (("champion", 8.0), ("challenger", float(DAYS))):
        archive = make_archive(str(tmp_path / f"{name}-packed" / "model"), "gztar", trained(name, last))
        found[name] = gate.Contender(Path(archive).parent)
    cases, popularity = gate.inputs(tmp_path / "challenger" / "evaluate")
    told = gate.evaluated(found["champion"], found["challenger"], cases, popularity)
    assert told["sane"] == 1
    assert told["gain"]["ndcg_10"] > 0
    assert told["challenger"]["known"] == 1


def test_any_file_with_users_items_and_times_will_do(tmp_path: Path) -> None:
    file = tmp_path / "history.csv"
    file.write_text(
        "user_id,item_id,kind,time,value,country\n"
        "anna,tent,view,2026-11-02T23:30:00-02:00,,DE\n"
        "anna,tent,purchase,2026-11-03T10:00:00Z,129.5,\n"
    )
    ((key, content),) = backfill.files(backfill.read(file), "old-")
    assert key == "interactions/dt=2026-11-03/backfill.parquet"
    first, second = pq.read_table(io.BytesIO(content)).to_pylist()
    assert (first["user_id"], first["event_id"], first["time"]) == (
        "old-anna",
        "old-backfill-0",
        "2026-11-03T01:30:00Z",
    )
    assert (first["kind"], first["value"], first["context"]) == ("view", None, [("country", "DE")])
    assert (second["kind"], second["value"], second["context"]) == ("purchase", 129.5, [])
    bare = tmp_path / "bare.tsv"
    bare.write_text("u\ti\t5\t1700000000\n")
    ((_, content),) = backfill.files(backfill.read(bare))
    (only,) = pq.read_table(io.BytesIO(content)).to_pylist()
    assert (only["kind"], only["time"]) == ("view", "2023-11-14T22:13:20Z")


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.csv", "user_id,item_id\na,b\n", "without a time"),
        ("a.csv", "user_id,item_id,time,kind\na,b,2026-11-01,stare\n", "stare"),
        ("a.txt", "one\n", "no line has a user and an item"),
    ],
)
def test_a_file_that_is_no_history_says_why(tmp_path: Path, name: str, content: str, why: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match=why):
        backfill.read(tmp_path / name)


def test_the_command_writes_a_lake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    backfill.main(["--interactions", "simulated", "--out", str(tmp_path), "--days", "2", "--people", "40"])
    assert "interactions of" in capsys.readouterr().out
    assert list(tmp_path.rglob("backfill.parquet"))
    with pytest.raises(SystemExit):
        backfill.main(["--interactions", str(tmp_path / "none.csv"), "--out", str(tmp_path)])
