"""`cuatro compare sentiment`: a file of posts -> quality, latency and price of each backend, side by side."""

import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from cuatro import prices
from cuatro.adapters.backends import backend
from cuatro.adapters.bedrock import BedrockOpinion
from cuatro.adapters.comprehend import ComprehendBackend
from cuatro.adapters.sentiment_endpoint import EndpointBackend
from cuatro.classification import Text
from cuatro.config import Misconfigured
from functions.sentiment import features
from local.cli import compare
from local.comparison.candidates import Candidate, Prices, Wallet, candidate
from local.comparison.measured import measured
from local.comparison.posts import Labelled, UnreadableError, languages, read
from local.comparison.table import notes, show
from local.platform.errors import PlatformError
from tests.functional import tiny_classifier

LINES = [
    *({"text": f"I love it, simply great, {number}", "label": "positive", "language": "en"} for number in range(40)),
    *({"text": f"an awful, broken thing {number}", "label": "negative", "language": "en-GB"} for number in range(20)),
    *({"text": f"muy bueno {number}", "label": "positive", "language": "es"} for number in range(30)),
    *({"text": f"I love it, but it came broken, {number}", "label": "positive"} for number in range(10)),
]  # fmt: skip


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_classifier.save(tmp_path_factory.mktemp("compared"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "posts.jsonl"
    found.write_text("\n\n".join(json.dumps(line) for line in LINES), encoding="utf-8")
    return found


@pytest.fixture
def posts(file: Path) -> list[Labelled]:
    return read(file, lambda _: "en")


def test_a_file_is_read_with_the_languages_that_it_tells_or_that_are_heard(posts: list[Labelled], file: Path) -> None:
    assert len(posts) == len(LINES)
    assert languages(posts) == ["en", "es"]
    assert [len(read(file, lambda _: "de", limit)) for limit in (1, 7, 1_000)] == [1, 7, len(LINES)]
    assert {each.text.language for each in read(file, lambda _: "de", 50)} == {"en", "es", "de"}, "evenly over the file"


@pytest.mark.parametrize(
    ("line", "words"),
    [("{", "line 2"), ("[]", "line 2"), ('{"text": "a"}', "label"), ('{"text": 7, "label": "neutral"}', "string"),
     ('{"text": "a", "label": "mixed"}', "negative, neutral, positive")],
)  # fmt: skip
def test_a_bad_line_is_named(tmp_path: Path, line: str, words: str) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text(f'{{"text": "a", "label": "neutral"}}\n{line}\n', encoding="utf-8")
    with pytest.raises(UnreadableError, match=words):
        read(bad, lambda _: "en")


def test_what_is_measured_can_be_computed_by_hand(path: Path, posts: list[Labelled]) -> None:
    shares: list[float] = []
    found = measured(candidate("onnx", Prices(), path), posts, shares.append, singles=5)
    assert found.posts == len(LINES)
    assert (found.version, found.name) == ("tiny-1", "onnx")
    assert found.recalls == {"negative": 1.0, "positive": pytest.approx(70 / 80)}
    assert found.quality.macro_recall == pytest.approx((1 + 70 / 80) / 2)
    assert found.quality.accuracy == pytest.approx(0.9)
    assert found.by_language["es"].accuracy == 1
    assert 0 < found.p50_ms <= found.p99_ms
    assert (found.unsupported, found.opinions) == (0, 0)
    assert shares[-1] == 1.0
    assert shares == sorted(shares)
    seconds = 1 / found.posts_a_second
    assert found.cost.usd == pytest.approx(prices.compute(1000 * seconds, 1769) + 10 * prices.LAMBDA_REQUEST)
    assert json.loads(json.dumps(found.told()))["quality"]["accuracy"] == pytest.approx(0.9)


def test_second_opinions_are_counted_and_paid(path: Path, posts: list[Labelled]) -> None:
    def converse(**given: Any) -> dict[str, Any]:
        return {"output": {"message": {"role": "assistant", "content": [{"text": "positive"}]}},
                "usage": {"inputTokens": 1000, "outputTokens": 0, "totalTokens": 1000}}  # fmt: skip

    first = backend("onnx", str(path), features, 0.7)
    opinion = BedrockOpinion("amazon.nova-micro-v1:0", Wallet(10**6), 0.7, converse)
    found = measured(Candidate("onnx+bedrock", first, opinion), posts, lambda _: None, singles=1)
    assert 0 < found.opinions <= 10
    assert found.recalls["positive"] == pytest.approx((70 + found.changed) / 80)
    assert found.changed == found.opinions
    alone = measured(candidate("onnx", Prices(), path), posts, lambda _: None, singles=1)
    assert found.quality.accuracy > alone.quality.accuracy
    assert found.cost.usd >= found.opinions / len(posts) * 1000 * 35e-6, "35 millionths each"
    assert "second opinion on" in found.cost.basis


def test_prices_follow_what_is_asked() -> None:
    texts = [Text("a" * 300, "en"), Text("a" * 1_000, "en")]
    assert Candidate("c", ComprehendBackend()).cost(texts, 1.0, 2).usd == pytest.approx(1000 * (0.0003 + 0.001) / 2)
    hosted = Candidate("s", EndpointBackend("sagemaker", "e"), instance="ml.m5.large", posts_an_hour=1_000)
    assert hosted.cost(texts, 1.0, 2).usd == pytest.approx(0.115)


def test_names_that_are_none_are_told() -> None:
    for name in ("fasttext", "sagemaker:"):
        with pytest.raises(Misconfigured):
            candidate(name, Prices())
    with pytest.raises(Misconfigured, match=r"no price is known of an endpoint on ml\.x1\.huge"):
        candidate("sagemaker:e", Prices(instance="ml.x1.huge"))
    with pytest.raises(Misconfigured, match="no price"):
        candidate("comprehend+bedrock:nobody.knows", Prices())


def test_the_table_has_a_column_each_and_says_what_is_not_awss(path: Path, posts: list[Labelled]) -> None:
    found = [measured(candidate("onnx", Prices(), path), posts, lambda _: None, singles=2)]
    console = Console(record=True, width=120)
    show(console, [*found, found[0]._replace(name="comprehend")], local=True)
    text = console.export_text()
    for words in (
        "macro recall",
        "recall, negative",
        "macro recall, es",
        "USD per 1,000 posts",
        "tiny-1",
        "comprehend",
    ):
        assert words in text
    assert "not how AWS would answer" in text.replace("\n", " ")
    assert not [note for note in notes(found, local=True) if "not how AWS" in note], "nothing here was a service"


def test_the_command_writes_everything(file: Path, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.comparison.candidates.MODEL", path)
    out = tmp_path / "found.json"
    done = CliRunner().invoke(compare.app, ["sentiment", str(file), "--backends", "onnx, onnx", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "macro recall" in done.output
    written = json.loads(out.read_text(encoding="utf-8"))
    assert (written["services"], written["prices_as_of"]) == ("none", prices.AS_OF)
    (told,) = written["backends"]
    assert (told["name"], told["posts"], told["version"]) == ("onnx", len(LINES), "tiny-1")
    assert set(told["cost"]) == {"usd_per_1000", "basis"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["--backends", "nobody"], "no backend is called"), (["--backends", " , "], "No backend is named"),
     (["--backends", "comprehend", "--target", "local"], "No local platform runs")],
)  # fmt: skip
def test_what_cannot_be_compared_says_what_to_do(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    given = ["sentiment", str(file), *arguments, "--state", str(tmp_path)]
    done = CliRunner().invoke(compare.app, given)
    assert done.exit_code == 1
    assert isinstance(done.exception, PlatformError), "which the command line shows with the next step"
    assert words in str(done.exception)
