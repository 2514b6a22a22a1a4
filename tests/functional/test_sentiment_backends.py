"""Whoever classifies: the same promises. The model in this process, behind `serve`, and containers of other formats.

Hugging Face's and BlazingText's containers run only on AWS: stand-ins answer in their documented shapes.
"""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from cuatro.adapters import aws
from cuatro.adapters.backends import backend
from cuatro.adapters.classifier import TOKENIZER, classifier
from cuatro.adapters.endpoint import invoked
from cuatro.adapters.sentiment_endpoint import TEXTS_A_CALL, EndpointBackend
from cuatro.classification import Text
from cuatro.config import Misconfigured
from cuatro.errors import ModelMismatch, Refused, Unavailable
from cuatro.posts import LABELS
from functions.sentiment import features
from tests.backend_contract import PLAIN, keeps_the_contract
from tests.functional import tiny_classifier
from tests.functional.invoke_endpoint import PORTS, front, served
from tests.functional.tiny_classifier import UNSURE_BELOW

Answer = Callable[[Any], Any]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_classifier.save(tmp_path_factory.mktemp("classifier"))


@pytest.fixture(scope="module")
def address(path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    base = tmp_path_factory.mktemp("base") / "ml"
    with front() as url, served("own", path, base, "sentiment", TOKENIZER):
        yield url


@pytest.fixture(autouse=True)
def endpoints(address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in {
        "AWS_ENDPOINT_URL": address, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(aws, "backoff", lambda *_: None)
    for cached in (aws._client, aws._session, backend, classifier):
        cached.cache_clear()
    yield
    for cached in (aws._client, aws._session, backend, classifier):
        cached.cache_clear()


@pytest.fixture
def container(path: Path) -> Iterator[Callable[[Answer], list[Any]]]:
    """Starts a container at the endpoint `other` that answers as given; the bodies that it got."""
    servers: list[ThreadingHTTPServer] = []

    def start(answer: Answer) -> list[Any]:
        got: list[Any] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                got.append(body)
                content = json.dumps(answer(body)).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                return

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        PORTS["other"] = server.server_address[1]
        return got

    yield start
    PORTS.pop("other", None)
    for server in servers:
        server.shutdown()
        server.server_close()


def rows(path: Path, texts: list[str]) -> list[list[float]]:
    found: list[list[float]] = classifier(str(path), features).classify(texts).tolist()
    return found


def hugging_face(path: Path) -> Answer:
    """text-classification of Hugging Face's inference toolkit with top_k: all classes, the likeliest first."""

    def answer(body: Any) -> Any:
        assert body["parameters"] == {"top_k": None, "truncation": True}
        found = [zip(("LABEL_0", "LABEL_1", "LABEL_2"), row, strict=True) for row in rows(path, body["inputs"])]
        return [[{"label": label, "score": score} for label, score in sorted(row, key=lambda each: -each[1])]
                for row in found]  # fmt: skip

    return answer


def blazing_text(path: Path) -> Answer:
    """BlazingText's supervised mode: labels with their prefix, the likeliest first."""

    def answer(body: Any) -> Any:
        assert body["configuration"] == {"k": 3}
        told = []
        for row in rows(path, body["instances"]):
            best = sorted(zip(LABELS, row, strict=True), key=lambda each: -each[1])
            told.append({"label": [f"__label__{label}" for label, _ in best], "prob": [score for _, score in best]})
        return told

    return answer


def test_every_backend_keeps_the_contract(path: Path, container: Callable[[Answer], list[Any]]) -> None:
    keeps_the_contract(backend("onnx", str(path), features))
    keeps_the_contract(backend("sagemaker:own"))
    container(hugging_face(path))
    keeps_the_contract(backend("huggingface:other"))
    container(blazing_text(path))
    keeps_the_contract(backend("blazingtext:other"))


def test_the_model_says_the_same_wherever_it_runs(path: Path) -> None:
    texts = [text for text, _ in PLAIN]
    here, there = backend("onnx", str(path), features), backend("onnx", "sagemaker:own", features)
    for one, other in zip(here.classify(texts), there.classify(texts), strict=True):
        assert one.probabilities == pytest.approx(other.probabilities, abs=1e-6)
        assert (one.label, one.unsure, one.model_version) == (other.label, other.unsure, other.model_version)
    assert (there.name, there.version) == ("sagemaker", "tiny-1")


def test_the_unsure_band_is_the_models_unless_the_policy_says_otherwise(path: Path) -> None:
    torn = [Text("I love it, but the box came broken", "en")]
    for uri in (str(path), "sagemaker:own"):
        (found,) = backend("onnx", uri, features).classify(torn)
        assert max(found.probabilities) < UNSURE_BELOW
        assert found.unsure
        assert not backend("onnx", uri, features, 0.34).classify(torn)[0].unsure
        assert backend("onnx", uri, features, 1.0).classify([PLAIN[0][0]])[0].unsure


def test_long_batches_are_several_calls(container: Callable[[Answer], list[Any]]) -> None:
    got = container(lambda body: {"predictions": [{"probabilities": [0.2, 0.2, 0.6]}] * len(body["instances"]),
                                  "model_version": "v"})  # fmt: skip
    many = [Text(f"post {number}", "en") for number in range(2 * TEXTS_A_CALL + 1)]
    assert len(backend("sagemaker:other").classify(many)) == len(many)
    assert [len(body["instances"]) for body in got] == [TEXTS_A_CALL, TEXTS_A_CALL, 1]
    assert [each["text"] for body in got for each in body["instances"]] == [each.text for each in many]
    backend("sagemaker:other").classify([Text("x" * 1_000_000, "en")] * 3)
    assert [len(body["instances"]) for body in got[3:]] == [2, 1]


@pytest.mark.parametrize(
    ("kind", "answer", "words"),
    [
        ("sagemaker", {"predictions": []}, "model_version"),
        ("sagemaker", {"predictions": [], "model_version": "v"}, "0 answers for 1 texts"),
        ("sagemaker", {"predictions": [{"probabilities": [0.5, 0.5]}], "model_version": "v"}, "three classes"),
        ("sagemaker", {"predictions": [{"probabilities": [0, 0, 0]}], "model_version": "v"}, "three classes"),
        ("sagemaker", {"predictions": [{"probabilities": [-1, 1, 1]}], "model_version": "v"}, "three classes"),
        ("sagemaker", [1], "does not answer as a sagemaker endpoint"),
        ("huggingface", [[{"label": "joy", "score": 1.0}]], "'joy'"),
        ("huggingface", [{"label": "positive", "score": 1.0}], "does not answer as a huggingface endpoint"),
        ("blazingtext", [{"label": ["__label__sports"], "prob": [1.0]}], "'sports'"),
    ],
)
def test_a_wrong_answer_is_a_wrong_model(
    container: Callable[[Answer], list[Any]], kind: str, answer: Any, words: str
) -> None:
    container(lambda _: answer)
    with pytest.raises(ModelMismatch, match=words):
        EndpointBackend(kind, "other").classify([Text("a post", "en")])


def test_who_is_away_is_asked_again_and_who_is_not_there_is_refused() -> None:
    PORTS["gone"] = 1
    try:
        with pytest.raises(Unavailable):
            backend("sagemaker:gone").classify([Text("a post", "en")])
    finally:
        del PORTS["gone"]
    with pytest.raises(Refused, match="not found"):
        backend("sagemaker:never").classify([Text("a post", "en")])


def test_serve_speaks_lines_and_names_the_bad_one() -> None:
    lines = b'{"text": "I love it"}\n\n{"text": "awful", "language": "en"}\n'
    found = invoked("own", lines, "application/jsonlines")
    assert [each["probabilities"].index(max(each["probabilities"])) for each in json.loads(found)["predictions"]] == [
        2,
        0,
    ]
    for body, words in (
        (b'{"text": "a"}\n{"text": 7}', "line 2: Expected `str`"), (b'{"text": "a", "lang": "en"}', "unknown field"),
        (b"{", "line 1"), (b"\xff", "line 1"), (b'{"text": "' + b"x" * 100_001 + b'"}', "length <= 100000"),
    ):  # fmt: skip
        with pytest.raises(ModelMismatch, match=words):
            invoked("own", body, "application/jsonlines")
    for whole in (b'{"instances": 1}', b"[]", b"[" * 100_000):
        with pytest.raises(ModelMismatch, match=r"not \{"):
            invoked("own", whole, "application/json")


def test_names_that_are_none_are_told(tmp_path: Path) -> None:
    for name in ("", "xgboost", "sagemaker:", "sagemaker", "bedrock:x"):
        with pytest.raises(Misconfigured, match="no backend"):
            backend(name)
    with pytest.raises(FileNotFoundError):
        backend("onnx", str(tmp_path / "model.onnx"), features)
