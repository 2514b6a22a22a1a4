"""A small sentiment model that knows some words, in an archive as the shipped one's; posts with words that it does not
know; and a lake with what people said of them."""

import gzip
import hashlib
import json
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from sentencepiece import SentencePieceProcessor
from sklearn.linear_model import LogisticRegression

from functions.sentiment import features
from models.sentiment.export import HEAD

ROOT = Path(__file__).resolve().parent.parent.parent
WEIGHT, BIAS, SCALE = HEAD
TOKENIZER = ROOT / "models" / "sentiment" / "tokenizer.model"
EMBEDDING, PROBABILITIES = "embedding", "probabilities"
INPUTS = ("input_ids", "attention_mask")
PIECES, SIZE, TEMPERATURE = 4096, 192, 0.8

KNOWN = (
    ("awful", "broken", "worst", "rude", "refund", "disappointed", "terrible", "horrible"),
    ("arrived", "today", "store", "opens", "monday", "announces", "menu", "release"),
    ("great", "love", "best", "delicious", "friendly", "thanks", "wonderful", "perfect"),
)
"""Words by class, in the order of features.LABELS."""
SLANG = (("mid", "trash"), ("dropped", "rumour"), ("fire", "slaps"))
"""What the model has not seen, and people mean by it."""
FILLER = ("the", "coffee", "from", "this", "place", "was", "and", "their", "new", "cup", "of", "it", "so", "really")
START = datetime(2026, 11, 1, tzinfo=UTC)


class Written(NamedTuple):
    """label: a place in features.LABELS."""

    text: str
    label: int


def posts(rng: np.random.Generator, count: int, words: tuple[tuple[str, ...], ...]) -> list[Written]:
    """Posts with two of their class' words; no two are the same text."""
    found: dict[str, Written] = {}
    while len(found) < count:
        label = len(found) % 3
        chosen = [*rng.choice(FILLER, 5), *rng.choice(words[label], 2)]
        text = " ".join([*rng.permutation(chosen), str(len(found))])
        found.setdefault(text, Written(text, label))
    return list(found.values())


def model(seed: int = 1, **told: str) -> onnx.ModelProto:
    """Mean of random vectors of the pieces, tanh, a linear layer that knows KNOWN, and its scale."""
    rng = np.random.default_rng(seed)
    table = rng.normal(size=(PIECES, SIZE)).astype(np.float32)
    tokenizer = SentencePieceProcessor(model_file=str(TOKENIZER))
    training = posts(rng, 900, KNOWN)
    given = features.encode([post.text for post in training], tokenizer)
    embedded = _embedded(table, given["input_ids"], given["attention_mask"])
    fitted = LogisticRegression(C=3.0, max_iter=500).fit(embedded, [post.label for post in training])
    values = {
        "table": table, "pieces": np.array(PIECES, np.int64), "last": np.array([2], np.int64),
        "tokens": np.array([1], np.int64), WEIGHT: (fitted.coef_ / TEMPERATURE).astype(np.float32),
        BIAS: (fitted.intercept_ / TEMPERATURE).astype(np.float32), SCALE: np.array(TEMPERATURE, np.float32),
    }  # fmt: skip
    node = helper.make_node
    given_as = [helper.make_tensor_value_info(each, TensorProto.INT64, ["n", "t"]) for each in INPUTS]
    nodes = [
        node("Mod", ["input_ids", "pieces"], ["place"]),
        node("Gather", ["table", "place"], ["each"]),
        node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        node("Unsqueeze", ["mask", "last"], ["wide"]),
        node("Mul", ["each", "wide"], ["seen"]),
        node("ReduceSum", ["seen", "tokens"], ["sum"], keepdims=0),
        node("ReduceSum", ["wide", "tokens"], ["count"], keepdims=0),
        node("Div", ["sum", "count"], ["mean"]),
        node("Tanh", ["mean"], [EMBEDDING]),
        node("Gemm", [EMBEDDING, WEIGHT, BIAS], ["plain"], transB=1),
        node("Mul", ["plain", SCALE], ["logits"]),
        node("Softmax", ["logits"], [PROBABILITIES], axis=1),
    ]
    graph = helper.make_graph(
        nodes, "tiny",
        given_as,
        [
            helper.make_tensor_value_info(PROBABILITIES, TensorProto.FLOAT, ["n", 3]),
            helper.make_tensor_value_info(EMBEDDING, TensorProto.FLOAT, ["n", SIZE]),
        ],
        [numpy_helper.from_array(value, name) for name, value in values.items()],
    )  # fmt: skip
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    properties = {
        "version": "tiny-1", "features": features.VERSION, "unsure_below": "0.5",
        "tokenizer_sha256": hashlib.sha256(TOKENIZER.read_bytes()).hexdigest(), **told,
    }  # fmt: skip
    helper.set_model_props(made, properties)
    return made


def _embedded(table: Any, ids: Any, mask: Any) -> Any:
    wide = mask[:, :, None].astype(np.float32)
    return np.tanh((table[ids % PIECES] * wide).sum(axis=1) / wide.sum(axis=1))


def folder(where: Path, made: onnx.ModelProto) -> Path:
    """The files of an archive, with golden posts."""
    from models.sentiment.contender import Contender  # noqa: PLC0415 - what is tested, when it is there

    where.mkdir(parents=True, exist_ok=True)
    (where / "model.onnx").write_bytes(made.SerializeToString())
    (where / "tokenizer.model").write_bytes(TOKENIZER.read_bytes())
    texts = [post.text for post in posts(np.random.default_rng(5), 12, KNOWN)]
    said = Contender(where).says(texts)
    golden = [{"text": text, "probabilities": p.tolist()} for text, p in zip(texts, said, strict=True)]
    (where / "golden.json").write_text(json.dumps(golden))
    return where


def packed(where: Path, files: Path, without: str = "", **others: bytes) -> Path:
    """A directory with one archive of the files, but for those in `without`. others: name (_ for .) -> content."""
    where.mkdir(parents=True, exist_ok=True)
    changed = {name.replace("_", "."): content for name, content in others.items()}
    with tarfile.open(where / "a.tar.gz", "w:gz") as archive:
        for path in sorted(files.iterdir()):
            if path.name not in without.split():
                if path.name in changed:
                    path = where.parent / f"changed-{path.name}"  # noqa: PLW2901 - what stands in its place
                    path.write_bytes(changed[path.name.removeprefix("changed-")])
                archive.add(path, path.name.removeprefix("changed-"))
    return where


def labelled(number: int, post: Written, when: datetime, label: int | None = None, **changes: Any) -> dict[str, Any]:
    """A line of sentiment/labels; label: what a person says, by default what is right."""
    return {
        "version": 1, "post": f"acme#web#{number}", "brand": "acme", "network": "web", "language": "en",
        "text": post.text, "fingerprint": "f", "human_label": features.LABELS[post.label if label is None else label],
        "label": "neutral", "probabilities": [0.2, 0.5, 0.3], "model_version": "tiny-1", "unsure": False,
        "by": "desk", "note": None, "time": when.isoformat(), "written": when.isoformat(), "dt": f"{when:%Y-%m-%d}",
        **changes,
    }  # fmt: skip


def scored(number: int, text: str, when: datetime, **changes: Any) -> dict[str, Any]:
    """A line of sentiment/scored."""
    return {
        "version": 1, "network": "web", "id": str(number), "brand": "acme", "text": text, "language": "en",
        "time": when.isoformat(), "collected_at": when.isoformat(), "label": "neutral",
        "probabilities": [0.2, 0.5, 0.3], "unsure": False, "backend": "onnx", "model_version": "tiny-1",
        "classified_at": when.isoformat(),
        "fingerprint": "f", "repost": False, "human_label": None, "shadow": None, "dt": f"{when:%Y-%m-%d}", **changes,
    }  # fmt: skip


def write(lake: Path, rows: list[dict[str, Any]]) -> None:
    """Labels and scored posts, where deliveries leave them; half of the objects are packed."""
    found: dict[Path, list[str]] = {}
    for row in rows:
        kind = f"scored/brand={row['brand']}" if "classified_at" in row else "labels"
        found.setdefault(lake / kind / f"dt={row['dt']}", []).append(json.dumps(row))
    for number, (place, lines) in enumerate(sorted(found.items())):
        place.mkdir(parents=True, exist_ok=True)
        content = "".join(f"{line}\n" for line in lines).encode()
        (place / f"part-{number}").write_bytes(gzip.compress(content) if number % 2 else content)


def history(
    rng: np.random.Generator, count: int, days: float = 20, recent: int = 300, wrong: float = 0.0
) -> list[dict[str, Any]]:
    """Labels of posts with slang, evenly over the days after START, and unlabelled posts with words that are known.

    wrong: the share of labels that somebody turned around.
    """
    rows = []
    for number, post in enumerate(posts(rng, count, tuple(a[:3] + b for a, b in zip(KNOWN, SLANG, strict=True)))):
        when = START + timedelta(days=days * number / count)
        label = (post.label + 2) % 3 if rng.random() < wrong else post.label
        rows.append(labelled(number, post, when, label))
    for number, post in enumerate(posts(rng, recent, KNOWN)):
        when = START + timedelta(days=days * number / recent)
        rows.append(scored(100_000 + number, post.text, when))
    return rows
