"""People's labels and the live model -> the same network with another last layer, in an ONNX file, and golden posts.

What the container's `train` calls. Channels: `train` as models.sentiment.dataset writes it, `champion` with the live
model's archive, which the new model is built upon: nothing but its last layer changes.
"""

import hashlib
import json
import logging
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sentencepiece import SentencePieceProcessor

from cuatro.adapters.classifier import BATCH, TOKENIZER
from cuatro.adapters.onnx_file import opened
from cuatro.errors import ModelMismatch
from functions.sentiment import features
from models.sentiment import guard, rehearsal
from models.sentiment.contender import Contender
from models.sentiment.dataset import digest, side_of
from models.sentiment.export import head_of, with_head
from models.sentiment.refit import Known, Learned, learned

log = logging.getLogger(__name__)

SEED = 7
HYPERPARAMETERS = {"seed", "data_hash"}
CHANNELS = {"train", "champion"}
PROBABILITIES, EMBEDDING = "probabilities", "embedding"
GOLDEN = 24
MAX_DIFFERENCE = 1e-3
"""Of a probability, between the file and what was fitted: the layer is stored in 32 bits."""


def train(channels: Mapping[str, Path], hyperparameters: Mapping[str, str], out: Path) -> None:
    """Raises ValueError, which says what is wrong with the input; ModelMismatch for a champion without such a layer."""
    seed, expected = _parameters(hyperparameters)
    if set(channels) != CHANNELS:
        raise ValueError(f"channels {', '.join(channels)}: there must be {' and '.join(sorted(CHANNELS))}")
    side = side_of(channels["train"])
    data_hash = digest(side)
    if expected not in {"", data_hash}:
        raise ValueError(f"the training set has the hash {data_hash}, not the data_hash {expected} that was asked for")
    champion = Contender.of(channels["champion"])
    labels = side.labelled["label"].to_numpy(np.int64)
    others = [*side.recent["text"], *rehearsal.texts(champion.files[TOKENIZER], seed)]
    labelled, kept = _known(champion, list(side.labelled["text"])), _known(champion, others)
    found = learned(labelled, labels, kept, seed)
    made_of = f"{data_hash} {champion.sha256}"
    version = f"sentiment-{hashlib.sha256(made_of.encode()).hexdigest()[:8]}-{seed}"
    origin = {"version": version, "data_hash": data_hash, "built_upon": champion.version}
    metrics: dict[str, Any] = {**origin, "seed": seed, **_figures(found, labelled, labels)}
    metrics["rows"] = {"labelled": len(labels), "recent": len(side.recent), "rehearsed": rehearsal.TEXTS}
    told = {**origin, "metrics": {name: metrics[name] for name in ("rows", "ridge", "right")}}
    model = _changed(champion, found, told)
    out.mkdir(parents=True, exist_ok=True)
    (out / "model.onnx").write_bytes(model)
    (out / TOKENIZER).write_bytes(champion.files[TOKENIZER])
    golden, metrics["onnx_max_difference"] = _checked(out, champion, found)
    for name, content in (("golden", golden), ("metrics", metrics)):
        written = json.dumps(content, ensure_ascii=False, indent=1)
        (out / f"{name}.json").write_text(f"{written}\n", encoding="utf-8")
    log.info("%s: %s", version, json.dumps(metrics))


def _known(model: Contender, texts: list[str]) -> Known:
    """What a model makes of each text, its embeddings too, which serving does not ask for. Raises ModelMismatch."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        path.write_bytes(model.files[path.name])
        session, _ = opened(path)
    inputs = [each.name for each in session.get_inputs()]
    if EMBEDDING not in {each.name for each in session.get_outputs()}:
        raise ModelMismatch(f"{model.version} has no output {EMBEDDING}: its last layer cannot be fitted anew")
    tokenizer = SentencePieceProcessor(model_proto=model.files[TOKENIZER])
    parts, order = [], sorted(range(len(texts)), key=lambda at: len(texts[at]))
    for start in range(0, max(len(texts), 1), BATCH):
        # Without texts, one stands for the width of the embedding.
        given = features.encode([texts[at] for at in order[start : start + BATCH]] or ["-"], tokenizer)
        parts.append(session.run([EMBEDDING, PROBABILITIES], {name: given[name] for name in inputs}))
    back = np.argsort(order) if texts else []
    embedding, probabilities = (np.concatenate(each)[back] for each in zip(*parts, strict=True))
    return Known.of(embedding, probabilities)


def _changed(champion: Contender, found: Learned, told: Mapping[str, Any]) -> bytes:
    """The file with the new layer. Raises ModelMismatch when the champion has none that can be changed."""
    content = champion.files["model.onnx"]
    try:
        weight, bias, scale = head_of(content)
        # What was learned is a change of the logits: the layer's part in them is multiplied with the scale.
        changed = weight + found.change.weight / scale, bias + found.change.bias / scale
        return with_head(content, *changed, scale, told)
    except (KeyError, ValueError) as error:
        raise ModelMismatch(f"{champion.version} has no last layer that can be changed: {error}") from error


def _checked(out: Path, champion: Contender, found: Learned) -> tuple[list[dict[str, Any]], float]:
    """Golden posts, and the largest difference of a probability between the file and what was fitted.

    Raises ValueError when the file says something else.
    """
    posts = [post.text for post in guard.posts()]
    posts = posts[:: max(len(posts) // GOLDEN, 1)][:GOLDEN]
    said = Contender(out).says(posts)
    difference = float(np.abs(said - np.exp(_known(champion, posts).changed(found.change))).max())
    if not difference <= MAX_DIFFERENCE:
        raise ValueError(f"the ONNX model differs by {difference:g} from the one that was fitted")
    return [{"text": text, "probabilities": p.tolist()} for text, p in zip(posts, said, strict=True)], difference


def _figures(found: Learned, labelled: Known, labels: NDArray[np.int64]) -> dict[str, Any]:
    """For metrics.json. right: share of the training labels that both models give, which proves nothing but effort."""
    before, after = labelled.log_p.argmax(axis=1), labelled.changed(found.change).argmax(axis=1)
    return {
        "ridge": found.ridge,
        "held_out": {f"{ridge:g}": errors._asdict() for ridge, errors in found.held_out.items()},
        "unchanged": found.unchanged._asdict(),
        "right": {"before": float((before == labels).mean()), "after": float((after == labels).mean())},
        "weight_norm": float(np.linalg.norm(found.change.weight)),
    }


def _parameters(given: Mapping[str, str]) -> tuple[int, str]:
    """seed and data_hash ("": whatever there is). Raises ValueError."""
    if unknown := sorted(set(given) - HYPERPARAMETERS):
        raise ValueError(
            f"unknown hyperparameters {', '.join(unknown)}: there are {', '.join(sorted(HYPERPARAMETERS))}"
        )
    plain = {name: value.strip().strip('"') for name, value in given.items()}  # some clients send JSON, "7" in quotes
    text = plain.get("seed") or str(SEED)
    if not text.isdecimal() or int(text) >= 2**31:
        raise ValueError(f"hyperparameter seed={text!r} is no whole number from 0 to {2**31 - 1}")
    return int(text), plain.get("data_hash", "")
