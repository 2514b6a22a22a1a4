"""`serve` keeps SageMaker's contract in a real process: content types, batches, bad bodies, a model that is broken."""

import hashlib
import io
import json
import shutil
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from functions.fraud.features import FEATURES
from tests.models.container_process import ROOT, Server, free_port, run, serving

MODEL = ROOT / "models" / "fraud" / "model.onnx"
GOLDEN = json.loads((ROOT / "models" / "fraud" / "golden.json").read_text())
ROWS = [row["features"] for row in GOLDEN]
EXPECTED = [row["score"] for row in GOLDEN]
WIDTH = len(FEATURES)


def placed(base: Path) -> Path:
    (base / "model").mkdir(parents=True)
    shutil.copyfile(MODEL, base / "model" / "model.onnx")
    digest = hashlib.sha256(MODEL.read_bytes()).hexdigest()
    (base / "model" / "model.onnx.sha256").write_text(digest + "\n")
    return base


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(placed(tmp_path_factory.mktemp("serve"))) as started:
        yield started


def npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


BODIES = {
    "application/json": json.dumps({"instances": ROWS}).encode(),
    "application/jsonlines": b"\n".join(json.dumps({"features": row}).encode() for row in ROWS) + b"\n",
    "text/csv": "\n".join(",".join(map(repr, row)) for row in ROWS).encode(),
    "application/x-npy": npy(np.array(ROWS, np.float32)),
}


@pytest.mark.parametrize("kind", BODIES)
def test_every_content_type_gives_the_golden_scores(server: Server, kind: str) -> None:
    answer = server.invoke(BODIES[kind], f"{kind}; charset=utf-8")
    assert (answer.status, answer.kind) == (200, "application/json")
    told = json.loads(answer.body)
    assert told["scores"] == pytest.approx(EXPECTED, abs=1e-6)
    assert told["version"].startswith("fraud-")
    assert set(told["thresholds"]) == {"review", "decline"}
    assert len(told["baseline"]) == WIDTH
    assert "reference" not in told


def test_npy_in_any_order_and_kind(server: Server) -> None:
    array = np.asfortranarray(np.array(ROWS, np.float64))
    assert json.loads(server.invoke(npy(array), "application/x-npy").body)["scores"] == pytest.approx(
        EXPECTED, abs=1e-6
    )


def test_the_answer_comes_as_it_is_asked_for(server: Server) -> None:
    body = BODIES["application/json"]
    lines = server.invoke(body, Accept="application/jsonlines")
    assert lines.kind == "application/jsonlines"
    assert [json.loads(line)["score"] for line in lines.body.splitlines()] == pytest.approx(EXPECTED, abs=1e-6)
    csv = server.invoke(body, Accept="text/csv, application/json;q=0.5")
    assert [float(line) for line in csv.body.splitlines()] == pytest.approx(EXPECTED, abs=1e-6)
    assert server.invoke(body, Accept="*/*").kind == "application/json"


def test_no_instances_tell_what_the_model_is(server: Server) -> None:
    told = json.loads(server.invoke(b'{"instances": []}').body)
    assert told["scores"] == []
    assert set(told["reference"]["features"]) == set(FEATURES)
    assert tuple(told["features"]) == FEATURES


def test_a_row_scores_the_same_alone_and_among_others(server: Server) -> None:
    alone = json.loads(server.invoke(json.dumps({"instances": ROWS[3:4]}).encode()).body)["scores"]
    many = json.loads(server.invoke(json.dumps({"instances": ROWS * 20}).encode()).body)["scores"]
    assert many == pytest.approx(EXPECTED * 20, abs=1e-6)
    assert alone[0] == many[3]


ROW = ",".join(["1"] * WIDTH)
BAD = [
    ("application/json", b"{", "instances"),
    ("application/json", b'{"rows": []}', "instances"),
    ("application/json", b'{"instances": [[1, 2]]}', f"row 1 has 2 values, the model takes {WIDTH}"),
    ("application/json", b'{"instances": [[%s], 7]}' % ROW.encode(), "row 2 is no list"),
    ("application/json", b'{"instances": [[%s,"x"]]}' % ROW[:-2].encode(), "row 1: 'x' is not a number"),
    ("application/json", b'{"instances": [[%s,true]]}' % ROW[:-2].encode(), "row 1: True is not a number"),
    ("application/json", b'{"instances": [[%s,1e99]]}' % ROW[:-2].encode(), "row 1 has a value that is not finite"),
    ("application/json", b"[" * 100_000, "instances"),
    ("application/jsonlines", b'{"features": [1]}\n\n{"feat', "line 3"),
    ("application/jsonlines", b'\xff{"features": [1]}', "line 1"),
    ("text/csv", ROW.encode() + b"\n" + ROW[:-2].encode() + b",much", "row 2: could not convert"),
    ("text/csv", ROW[:-2].encode() + b",nan", "row 1 has a value that is not finite"),
    ("text/csv", b"\xff\xfe", "UTF-8"),
    ("application/x-npy", b"PK\x03\x04", "not a .npy file"),
    ("application/x-npy", npy(np.array([["a"]])), "not a matrix of numbers"),
    ("application/x-npy", npy(np.ones(3)), "not a matrix of numbers"),
    ("application/x-npy", npy(np.ones((2, 3), np.float32)), "rows have 3 values"),
    ("application/x-npy", npy(np.ones((9, WIDTH), np.float32))[:-8], "bytes follow"),
    ("application/x-npy", npy(np.array([{"a": 1}], object)), "not a matrix of numbers"),
]


@pytest.mark.parametrize(("kind", "body", "why"), BAD)
def test_a_bad_body_is_refused_with_row_and_reason(server: Server, kind: str, body: bytes, why: str) -> None:
    answer = server.invoke(body, kind)
    assert answer.status == 400
    assert why in json.loads(answer.body)["error"]


def test_what_is_not_served_says_what_is(server: Server) -> None:
    body = BODIES["text/csv"]
    unknown = server.invoke(body, "application/x-parquet")
    assert (unknown.status, "text/csv" in json.loads(unknown.body)["error"]) == (415, True)
    assert server.invoke(body, "text/csv", Accept="image/png").status == 406
    assert server.request("GET", "/invocations").status == 405
    assert server.request("POST", "/ping", b"").status == 405
    assert server.request("GET", "/").status == 404


def test_a_body_that_is_too_big_is_turned_away_and_the_largest_is_not(server: Server) -> None:
    limit = 25 * 1024 * 1024
    line = BODIES["text/csv"].splitlines()[0] + b"\n"
    largest = line * 1000 + b"\n" * (limit - 1000 * len(line))
    assert len(server.invoke(largest, "text/csv", Accept="text/csv").body.splitlines()) == 1000
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        head = f"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nContent-Length: {limit + 1}\r\n\r\n"
        connection.sendall(head.encode())
        assert b" 413 " in connection.recv(1000)
    assert server.up()


def test_requests_come_side_by_side(server: Server) -> None:
    parts = [[ROWS[at % len(ROWS)]] * 50 for at in range(40)]
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda part: server.invoke(json.dumps({"instances": part}).encode()), parts))
    for at, answer in enumerate(answers):
        assert json.loads(answer.body)["scores"] == pytest.approx([EXPECTED[at % len(ROWS)]] * 50, abs=1e-6)


def test_a_model_that_was_changed_is_not_served(tmp_path: Path) -> None:
    model = placed(tmp_path) / "model" / "model.onnx"
    model.write_bytes(model.read_bytes()[:-1] + b"\0")
    ended = run("serve", tmp_path, SAGEMAKER_BIND_TO_PORT=str(free_port()))
    assert ended.returncode == 1
    assert "has not the checksum" in ended.stdout


@pytest.mark.parametrize(("content", "why"), [(b"not a model", "no ONNX model"), (None, "there is no model.onnx")])
def test_a_model_that_cannot_be_loaded_ends_the_server(tmp_path: Path, content: bytes | None, why: str) -> None:
    (tmp_path / "model").mkdir()
    if content:
        (tmp_path / "model" / "model.onnx").write_bytes(content)
    ended = run("serve", tmp_path, SAGEMAKER_BIND_TO_PORT=str(free_port()))
    assert (ended.returncode, why in ended.stdout) == (1, True), ended.stdout


def test_a_model_compiled_for_inferentia_is_not_served_without_its_runtime(tmp_path: Path) -> None:
    (placed(tmp_path) / "model" / "model.neuron-128.pt").write_bytes(b"compiled")
    ended = run("serve", tmp_path, SAGEMAKER_BIND_TO_PORT=str(free_port()))
    assert (ended.returncode, "Neuron SDK" in ended.stdout) == (1, True), ended.stdout


def test_a_port_that_is_taken_is_told(tmp_path: Path, server: Server) -> None:
    ended = run("serve", placed(tmp_path), SAGEMAKER_BIND_TO_PORT=str(server.port))
    assert ended.returncode == 1
    assert f"cannot listen on port {server.port}: Address already in use" in ended.stdout


def test_sigterm_ends_it(tmp_path: Path) -> None:
    with serving(placed(tmp_path)) as started:
        started.process.send_signal(signal.SIGTERM)
        assert started.process.wait(30) == 0
