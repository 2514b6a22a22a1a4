"""`serve` of the recommendations' model in a real process: JSON, JSON Lines, golden lists, bad bodies by instance."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from cuatro.adapters.ranker import OnnxRanker
from cuatro.ranking import Taken
from tests.models.container_process import ROOT, Server, free_port, run, serving

SHIPPED = ROOT / "models" / "recommendations"
GOLDEN = json.loads((SHIPPED / "golden.json").read_text())
RANKER = OnnxRanker(SHIPPED / "model.onnx")
NAMES = RANKER.names


def instance(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "items": [NAMES[item] for item in row["items"]],
        "ages": [age + 3 for age in row["ages"]],  # days ago, not days before the newest
        "exclude": [NAMES[item] for item in row["exclude"]],
        "k": len(row["top"]),
    }


INSTANCES = [instance(row) for row in GOLDEN]
LINES = b"".join(json.dumps(each).encode() + b"\n" for each in INSTANCES)


def placed(base: Path) -> Path:
    (base / "model").mkdir(parents=True)
    shutil.copyfile(SHIPPED / "model.onnx", base / "model" / "model.onnx")
    digest = hashlib.sha256((SHIPPED / "model.onnx").read_bytes()).hexdigest()
    (base / "model" / "model.onnx.sha256").write_text(digest + "\n")
    return base


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(placed(tmp_path_factory.mktemp("serve")), CUATRO_MODEL="recommendations") as started:
        yield started


def as_golden(predictions: list[dict[str, Any]]) -> None:
    assert len(predictions) == len(GOLDEN)
    for row, given in zip(GOLDEN, predictions, strict=True):
        assert given["items"] == [NAMES[item] for item in row["top"]]
        assert given["scores"] == pytest.approx(row["scores"], rel=1e-5, abs=1e-9)
        reasons = [NAMES[row["items"][at]] if at >= 0 else None for at in row["because"]]
        assert given["because"] == reasons


def test_json_gives_the_golden_lists_and_the_version(server: Server) -> None:
    answer = server.invoke(json.dumps({"instances": INSTANCES}).encode(), "application/json; charset=utf-8")
    assert (answer.status, answer.kind) == (200, "application/json")
    told = json.loads(answer.body)
    assert told["model_version"] == json.loads((SHIPPED / "metrics.json").read_text())["version"]
    as_golden(told["predictions"])


def test_json_lines_give_a_list_a_line_as_a_batch_transform_joins_them(server: Server) -> None:
    answer = server.invoke(LINES, "application/jsonlines", Accept="application/jsonlines")
    assert (answer.status, answer.kind) == (200, "application/jsonlines")
    as_golden([json.loads(line) for line in answer.body.splitlines()])
    mixed = server.invoke(LINES, "application/jsonlines")
    as_golden(json.loads(mixed.body)["predictions"])


def test_it_ranks_as_the_function_does(server: Server) -> None:
    profile = [Taken(NAMES[40], 2.0), Taken("no such item", 3.0), Taken(NAMES[7], 30.5)]
    expected = RANKER.rank("somebody", profile, {NAMES[1]}, 15)
    asked = {"items": [each.item for each in profile], "ages": [each.age_days for each in profile], "k": 15}
    body = json.dumps({"instances": [{**asked, "exclude": [NAMES[1], "nor this"]}]}).encode()
    (given,) = json.loads(server.invoke(body).body)["predictions"]
    assert given["items"] == expected.items
    assert given["because"] == expected.because


def test_an_empty_profile_gets_the_popular_items_and_no_ages_mean_order_alone(server: Server) -> None:
    body = json.dumps({"instances": [{}, {"items": NAMES[:2]}, {"items": NAMES[:2], "ages": [0, 0]}]}).encode()
    cold, bare, same = json.loads(server.invoke(body).body)["predictions"]
    assert len(cold["items"]) == 20
    assert cold["because"] == [None] * 20
    most = max(NAMES, key=lambda item: RANKER.popularity(item) or 0)
    assert cold["items"][0] == most
    assert bare == same
    assert json.loads(server.invoke(b'{"instances": []}').body)["predictions"] == []


BAD = [
    ("application/json", b"{", "instances"),
    ("application/json", b'{"instances": {}}', "instances"),
    ("application/json", b"[" * 100_000, "instances"),
    ("application/json", b'{"instances": [{}, {"items": [7]}]}', "instance 2: Expected `str`"),
    ("application/json", b'{"instances": [{"items": ["a", "b"], "ages": [1]}]}', "instance 1 has 2 items and 1 ages"),
    ("application/json", b'{"instances": [{"ages": [-1], "items": ["a"]}]}', "instance 1: Expected `float` >= 0"),
    ("application/json", b'{"instances": [{"k": 0}]}', "instance 1: Expected `int` >= 1"),
    ("application/json", b'{"instances": [{"k": 1001}]}', "instance 1: Expected `int` <= 1000"),
    ("application/json", b'{"instances": [{"exlude": []}]}', "unknown field `exlude`"),
    ("application/jsonlines", b'{"items": []}\n\n{"ite', "line 3"),
    ("application/jsonlines", b'{"items": ["\xff"]}', "line 1"),
]


@pytest.mark.parametrize(("kind", "body", "why"), BAD)
def test_a_bad_body_is_refused_with_instance_and_reason(server: Server, kind: str, body: bytes, why: str) -> None:
    answer = server.invoke(body, kind)
    assert answer.status == 400
    assert why in json.loads(answer.body)["error"]


def test_what_is_not_served_says_what_is(server: Server) -> None:
    unknown = server.invoke(b"1,2", "text/csv")
    assert (unknown.status, "application/jsonlines" in json.loads(unknown.body)["error"]) == (415, True)
    assert server.invoke(LINES, "application/jsonlines", Accept="text/csv").status == 406
    assert server.invoke(LINES, "application/jsonlines", Accept="text/*, */*;q=0.1").kind == "application/json"


def test_requests_come_side_by_side(server: Server) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: server.invoke(LINES, "application/jsonlines"), range(24)))
    for answer in answers:
        as_golden(json.loads(answer.body)["predictions"])


@pytest.mark.parametrize(
    ("model", "why"), [("models/fraud/model.onnx", "is no ranker"), (None, "there is no model.onnx")]
)
def test_what_is_no_ranker_is_not_served(tmp_path: Path, model: str | None, why: str) -> None:
    (tmp_path / "model").mkdir()
    if model:
        shutil.copyfile(ROOT / model, tmp_path / "model" / "model.onnx")
    ended = run("serve", tmp_path, SAGEMAKER_BIND_TO_PORT=str(free_port()), CUATRO_MODEL="recommendations")
    assert (ended.returncode, why in ended.stdout) == (1, True), ended.stdout


def test_the_ranker_is_not_served_as_a_model_that_scores_rows(tmp_path: Path) -> None:
    ended = run("serve", placed(tmp_path), SAGEMAKER_BIND_TO_PORT=str(free_port()), CUATRO_MODEL="fraud")
    assert (ended.returncode, "does not take a matrix" in ended.stdout) == (1, True), ended.stdout
