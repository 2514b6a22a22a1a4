"""Trained weights -> model.onnx, metrics.json and golden.json: n-grams, calibration, export, figures. Needs no torch.

What is chosen here (the n-grams' share, scale, shifts, the unsure band) is chosen on posts held out of the training
files and on what the quantised network says of them. The validation files are only reported.
"""

import hashlib
import json
import logging
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import sentencepiece
from numpy.typing import NDArray

from cuatro.adapters.classifier import BATCH, TOKENIZER, Classifier
from cuatro.adapters.onnx_file import opened
from functions.sentiment import features
from models.sentiment.calibrate import Calibration, calibrated, unsure_below
from models.sentiment.data import LANGUAGES, Post, digest, posts, read
from models.sentiment.evaluate import evaluated
from models.sentiment.export import to_onnx
from models.sentiment.figures import figures, of_languages, unsure_band
from models.sentiment.ngrams import counted, voted

log = logging.getLogger(__name__)

HERE = Path(__file__).parent
HELD_OUT = {"en": 1500}
HELD_OUT_OTHERS = 180
SPLIT_SEED = 11
HEADS, EPSILON = 12, 1e-12

Array = NDArray[np.float32]


class Split(NamedTuple):
    """rows: of the training files; held: True for those that no weight is trained on."""

    rows: list[Post]
    held: NDArray[np.bool_]

    @property
    def labels(self) -> NDArray[np.int64]:
        """Places in LABELS."""
        return np.array([row.label for row in self.rows], np.int64)

    @property
    def languages(self) -> NDArray[np.str_]:
        """Codes."""
        return np.array([row.language for row in self.rows])


def split(folder: Path) -> Split:
    """Held out are 1,500 English posts and 180 of each other language, by a fixed seed."""
    rows = list(posts(folder, "train"))
    languages = np.array([row.language for row in rows])
    random, held = np.random.default_rng(SPLIT_SEED), np.zeros(len(rows), np.bool_)
    for language in np.unique(languages):
        there = np.flatnonzero(languages == language)
        held[random.permutation(there)[: HELD_OUT.get(str(language), HELD_OUT_OTHERS)]] = True
    return Split(rows, held)


def finished(
    folder: Path, weights: Mapping[str, Array], table: Array, told: Mapping[str, Any], out: Path
) -> dict[str, Any]:
    """Write the three files, return the metrics. weights: of the network; table: of ngrams.py; told: for metrics.json.

    out holds tokenizer.model already. "reference.logits" among the weights: the network's own, in 32 bits, of
    golden_posts().
    """
    parts = split(folder)
    rows = [row for row, held in zip(parts.rows, parts.held, strict=True) if held]
    labels, languages = parts.labels[parts.held], parts.languages[parts.held]
    tokenizer = (out / TOKENIZER).read_bytes()
    network = {name: value for name, value in weights.items() if not name.startswith("reference.")}
    nothing = np.zeros_like(table, np.float16)
    logits = _logits(to_onnx(network, nothing, HEADS, EPSILON, {}), tokenizer, rows, network)
    votes = voted(counted([features.normalised(row.text) for row in rows]), table)
    found = calibrated(logits, votes, labels, languages)
    log.info("scale %.3f, share of the n-grams %.3f, shifts %s", found.scale, found.share, found.shift.round(3))
    probabilities = found.probabilities(logits, votes)
    below = unsure_below(probabilities)
    chosen = {
        "posts": len(rows),
        **{key: figures(labels, probabilities.argmax(axis=1))[key] for key in ("macro_recall", "macro_f1")},
        "without_ngrams": figures(labels, logits.argmax(axis=1))["macro_recall"],
        "ngrams_alone": figures(labels, votes.argmax(axis=1))["macro_recall"],
        "per_language": of_languages(labels, probabilities.argmax(axis=1), list(languages)),
        "unsure": unsure_band(labels, probabilities, below),
    }
    data_hash = digest(parts.rows)
    everything = [*(network[name] for name in sorted(network)), table]
    made_of = hashlib.sha256(b"".join(np.ascontiguousarray(each).tobytes() for each in everything))
    version = f"sentiment-{made_of.hexdigest()[:8]}-{told.get('seed', 0)}"
    ready = network | {
        "head.bias": network["head.bias"] + found.shift.astype(np.float32),
        "head.scale": np.float32(found.scale),
    }
    description = {
        "version": version,
        "features": features.VERSION,
        "labels": list(features.LABELS),
        "languages": list(LANGUAGES.values()),
        "tokenizer_sha256": hashlib.sha256(tokenizer).hexdigest(),
        "data_hash": data_hash,
        "unsure_below": str(below),
        "metrics": {key: chosen[key] for key in ("macro_recall", "macro_f1")},
    }
    scaled = np.column_stack([table[:, :3] * found.share, table[:, 3]]).astype(np.float16)
    (out / "model.onnx").write_bytes(to_onnx(ready, scaled, HEADS, EPSILON, description))
    model = Classifier(out / "model.onnx", features)
    metrics = {
        "version": version,
        **told,
        "split": "1,500 English and 180 posts of each other language of the training files are held out; on "
        "them is chosen; the validation files are reported; the test sets of TweetEval and UMSAB were not seen",
        "split_seed": SPLIT_SEED,
        "data_hash": data_hash,
        "rows": {str(one): int((parts.languages[~parts.held] == one).sum()) for one in np.unique(parts.languages)},
        "chosen_on_held_out": chosen,
        "bytes": {"model.onnx": (out / "model.onnx").stat().st_size, TOKENIZER: len(tokenizer)},
        **_reported(folder, parts, model),
    }
    golden, metrics["onnx_against_torch"] = _golden(model, found, weights, table)
    _write(out / "metrics.json", json.dumps(metrics, indent=1))
    _write(out / "golden.json", "[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in golden) + "\n]")
    return metrics


def golden_posts() -> list[Post]:
    """Own posts of every language and class, and what is hard to read."""
    odd = ["", "🙂", "http://example.org", "A" * 500, "&lt;b&gt; so goooooood &amp; cheap", "不错"]
    return [*read(HERE / "examples.jsonl")[0][::3], *(Post(text, 1, "und") for text in odd)]


def _reported(folder: Path, parts: Split, model: Classifier) -> dict[str, Any]:
    """Figures of the validation files, of the own examples and of the sarcastic posts."""
    training = [row for row, held in zip(parts.rows, parts.held, strict=True) if not held]
    sides = {
        "validation": (list(posts(folder, "validation")), training),
        "examples": (read(HERE / "examples.jsonl")[0], []),
        "sarcasm": (read(HERE / "sarcasm.jsonl")[0], []),
    }
    return {name: evaluated(rows, model, taught) for name, (rows, taught) in sides.items()}


def _logits(model: bytes, tokenizer: bytes, rows: list[Post], network: Mapping[str, Array]) -> Array:
    """What the quantised network says, before calibration."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        path.write_bytes(model)
        session, _ = opened(path)
    cut = sentencepiece.SentencePieceProcessor(model_proto=tokenizer)
    order = np.argsort([len(row.text) for row in rows])
    embeddings = np.zeros((len(rows), len(network["dense.bias"])), np.float32)
    for start in range(0, len(rows), BATCH):
        places = order[start : start + BATCH]
        given = features.encode([rows[at].text for at in places], cut)
        embeddings[places] = session.run(["embedding"], given)[0]
    return np.asarray(embeddings @ network["head.weight"].T + network["head.bias"], np.float32)


def _golden(
    model: Classifier, found: Calibration, weights: Mapping[str, Array], table: Array
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    rows = golden_posts()
    said = model.classify([row.text for row in rows])
    answer = [
        {"text": row.text, "language": row.language, "probabilities": [round(float(one), 5) for one in each]}
        for row, each in zip(rows, said, strict=True)
    ]
    if "reference.logits" not in weights:
        return answer, {}
    votes = voted(counted([features.normalised(row.text) for row in rows]), table)
    own = found.probabilities(weights["reference.logits"], votes)
    for place, row in enumerate(answer):
        row["torch"] = [round(float(one), 5) for one in own[place]]
    return answer, {
        "posts": len(rows),
        "largest_difference": float(np.abs(own - said).max()),
        "mean_difference": float(np.abs(own - said).mean()),
        "same_class": float((own.argmax(axis=1) == said.argmax(axis=1)).mean()),
    }


def _write(path: Path, text: str) -> None:
    path.write_text(f"{text}\n", encoding="utf-8")
