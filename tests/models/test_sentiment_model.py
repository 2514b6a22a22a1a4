"""The shipped sentiment model: golden replay, torch's answers, its size, hostile posts, another head, a leak probe."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from sklearn.linear_model import LogisticRegression

from cuatro.adapters.classifier import TOKENIZER, Classifier
from cuatro.errors import ModelMismatch
from functions.sentiment import features
from models.sentiment.calibrate import calibrated
from models.sentiment.data import posts, read
from models.sentiment.export import head_of, with_head
from models.sentiment.figures import figures
from models.sentiment.ngrams import counted, voted

HOME = Path(__file__).resolve().parents[2] / "models" / "sentiment"
MODEL = HOME / "model.onnx"
DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "sentiment"
NO_DATA = "TweetEval and UMSAB are not bundled: research use only"
METRICS = json.loads((HOME / "metrics.json").read_text())
GOLDEN = json.loads((HOME / "golden.json").read_text())
TOLERANCE = 0.02
"""Of a probability: processors round the products of 8-bit numbers differently."""


class Other:
    VERSION = "sentiment-0"
    encode = staticmethod(features.encode)


@pytest.fixture(scope="module")
def model() -> Classifier:
    return Classifier(MODEL, features)


@pytest.fixture(scope="module")
def embeddings(model: Classifier) -> tuple[np.ndarray, np.ndarray]:
    """Of the own examples, with their labels."""
    rows = read(HOME / "examples.jsonl")[0]
    given = features.encode([row.text for row in rows], model._tokenizer)
    (found,) = model._session.run(["embedding"], given)
    return found, np.array([row.label for row in rows])


def test_golden_posts_get_their_probabilities(model: Classifier) -> None:
    said = model.classify([row["text"] for row in GOLDEN])
    assert len(GOLDEN) > 50
    assert np.abs(said - [row["probabilities"] for row in GOLDEN]).max() < TOLERANCE
    np.testing.assert_allclose(said.sum(axis=1), 1, atol=1e-5)


def test_the_file_says_what_the_trained_network_says() -> None:
    own, said = (np.array([row[name] for row in GOLDEN]) for name in ("torch", "probabilities"))
    assert np.abs(own - said).mean() < 0.02
    assert (own.argmax(axis=1) == said.argmax(axis=1)).mean() > 0.94


def test_neither_order_nor_batch_matters(model: Classifier) -> None:
    texts = [row["text"] for row in GOLDEN]
    together, alone = model.classify(texts), np.concatenate([model.classify([text]) for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-4)
    np.testing.assert_allclose(model.classify(texts[::-1])[::-1], together, atol=1e-4)
    assert model.classify([]).shape == (0, 3)


@pytest.mark.parametrize(
    "text", ["", "\ud83d", "a" * 10_000, "@" * 9_000, "🙂" * 3_000, "a.b@" * 3_000, "\x00", "漢字"]
)
def test_every_text_gets_probabilities(model: Classifier, text: str) -> None:
    (said,) = model.classify([text])
    assert np.isfinite(said).all()
    assert said.sum() == pytest.approx(1, abs=1e-5)


def test_it_is_small_and_describes_itself(model: Classifier) -> None:
    assert MODEL.stat().st_size < 25_000_000
    assert (HOME / TOKENIZER).stat().st_size < 1_000_000
    assert model.version == METRICS["version"]
    assert 0.34 < model.unsure_below < 1
    told = {each.key: each.value for each in onnx.load(MODEL).metadata_props}
    assert told["data_hash"] == METRICS["data_hash"]
    assert json.loads(told["languages"]) == ["en", "es", "pt", "fr", "it", "de"]
    assert json.loads(told["labels"]) == list(features.LABELS)


def test_other_features_or_another_tokenizer_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelMismatch, match="other features"):
        Classifier(MODEL, Other())
    (tmp_path / "model.onnx").symlink_to(MODEL)
    (tmp_path / TOKENIZER).write_bytes((HOME / TOKENIZER).read_bytes() + b" ")
    with pytest.raises(ModelMismatch, match="not the one"):
        Classifier(tmp_path / "model.onnx", features)
    (tmp_path / TOKENIZER).unlink()
    with pytest.raises(FileNotFoundError):
        Classifier(tmp_path / "model.onnx", features)


def test_own_everyday_posts_in_every_language_are_classified(model: Classifier) -> None:
    rows = read(HOME / "examples.jsonl")[0]
    predicted = model.classify([row.text for row in rows]).argmax(axis=1)
    labels, languages = np.array([row.label for row in rows]), np.array([row.language for row in rows])
    for language in np.unique(languages):
        there = languages == language
        assert figures(labels[there], predicted[there])["macro_recall"] > 0.7, language


def test_another_head_takes_the_place_of_the_last_layer(tmp_path: Path, model: Classifier) -> None:
    content = MODEL.read_bytes()
    weight, bias, scale = head_of(content)
    same = with_head(content, weight, bias, scale, {"version": "other", "metrics": None})
    (tmp_path / TOKENIZER).symlink_to(HOME / TOKENIZER)
    path = tmp_path / "model.onnx"
    path.write_bytes(same)
    texts = [row["text"] for row in GOLDEN[:8]]
    other = Classifier(path, features)
    assert other.version == "other"
    assert other.unsure_below == model.unsure_below
    np.testing.assert_allclose(other.classify(texts), model.classify(texts), atol=1e-6)
    path.write_bytes(with_head(content, weight[::-1], bias[::-1], scale, {}))
    assert not np.allclose(Classifier(path, features).classify(texts), model.classify(texts), atol=0.1)
    with pytest.raises(ValueError, match=r"head\.bias"):
        with_head(content, weight, bias[:2], scale, {})
    with pytest.raises(ValueError, match=r"head\.scale"):
        with_head(content, weight, bias, float("nan"), {})


def test_the_files_ngrams_vote_as_they_were_trained(model: Classifier) -> None:
    table = next(each for each in onnx.load(MODEL).graph.initializer if each.name == "ngrams")
    votes = onnx.numpy_helper.to_array(table).astype(np.float32)
    texts = [row["text"] for row in GOLDEN]
    (addend,) = model._session.run(["addend"], features.encode(texts, model._tokenizer))
    expected = voted(counted([features.normalised(text) for text in texts]), votes)
    np.testing.assert_allclose(addend, expected, atol=2e-3)


def test_a_head_trained_on_shuffled_labels_knows_nothing(embeddings: tuple[np.ndarray, np.ndarray]) -> None:
    """Were a label hidden in a text's embedding otherwise than by its meaning, this would find it."""
    found, labels = embeddings
    rng = np.random.default_rng(5)
    order = rng.permutation(len(labels))
    half = len(labels) // 2
    taught, asked = order[:half], order[half:]

    def recall(given: np.ndarray) -> float:
        head = LogisticRegression(C=0.1, max_iter=200).fit(found[taught], given[taught])
        return float(figures(labels[asked], head.predict(found[asked]))["macro_recall"])

    assert recall(labels) > 0.7
    assert np.mean([recall(rng.permutation(labels)) for _ in range(5)]) < 0.45


def test_calibration_finds_the_scale_and_the_share() -> None:
    rng = np.random.default_rng(1)
    logits, votes = rng.normal(size=(2, 6000, 3)).astype(np.float32)
    truth = 2 * logits + 0.5 * votes
    truth = np.exp(truth) / np.exp(truth).sum(axis=1, keepdims=True)
    labels = np.array([rng.choice(3, p=row / row.sum()) for row in truth])
    found = calibrated(logits, votes, labels, np.full(6000, "en"))
    assert found.scale == pytest.approx(2, abs=0.15)
    assert found.share == pytest.approx(0.5, abs=0.15)
    assert np.abs(found.probabilities(logits, votes) - truth).mean() < 0.02


@pytest.mark.skipif(not DATA.exists(), reason=NO_DATA)
def test_figures_on_validation_are_those_that_are_reported(model: Classifier) -> None:
    rows = [row for row in posts(DATA, "validation") if row.language != "en"][::8]
    predicted = model.classify([row.text for row in rows]).argmax(axis=1)
    found = figures(np.array([row.label for row in rows]), predicted)
    assert found["macro_recall"] == pytest.approx(0.67, abs=0.08)
