"""A bag of words as ONNX, with the names and metadata of the shipped classifier: what it says can be foreseen.

A few words have a class; the more of them, the surer. The shipped tokenizer lies beside it.
"""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import sentencepiece  # type: ignore[import-untyped]
from onnx import TensorProto, helper, numpy_helper

from cuatro.adapters.classifier import TOKENIZER
from functions.sentiment import features

ROOT = Path(__file__).resolve().parents[2]
WORDS = {
    "negative": ("awful", "terrible", "broken", "horrible", "malo", "worst"),
    "neutral": ("table", "monday", "report", "lunes"),
    "positive": ("love", "great", "wonderful", "perfect", "bueno", "best"),
}
"""Words of each class, in the order of the probabilities."""
UNSURE_BELOW = 0.55


def save(directory: Path, *, version: str = "tiny-1", unsure_below: float = UNSURE_BELOW, weight: float = 4.0) -> Path:
    """model.onnx and the tokenizer in the directory; the model's path. weight: of each word, in logits."""
    tokenizer = Path(shutil.copy(ROOT / "models" / "sentiment" / TOKENIZER, directory / TOKENIZER))
    words = sentencepiece.SentencePieceProcessor(model_file=str(tokenizer))
    table = np.zeros((words.vocab_size() + 16, 3), np.float32)
    for place, each in enumerate(WORDS.values()):
        for word in each:
            pieces = words.encode(word)
            table[pieces, place] += weight / len(pieces)
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["table", "input_ids"], ["rows"]),
            helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
            helper.make_node("Unsqueeze", ["mask", "last"], ["column"]),
            helper.make_node("Mul", ["rows", "column"], ["counted"]),
            helper.make_node("ReduceSum", ["counted", "middle"], ["embedding"], keepdims=0),
            helper.make_node("Gemm", ["embedding", "head.weight", "head.bias"], ["logits"]),
            helper.make_node("Mul", ["logits", "scale"], ["scaled"]),
            helper.make_node("Softmax", ["scaled"], ["probabilities"], axis=1),
        ],
        "tiny",
        [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["n", "t"])
            for name in ("input_ids", "attention_mask")
        ],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 3]) for name in ("probabilities", "embedding")],
        [
            numpy_helper.from_array(table, "table"),
            numpy_helper.from_array(np.array([2], np.int64), "last"),
            numpy_helper.from_array(np.array([1], np.int64), "middle"),
            numpy_helper.from_array(np.eye(3, dtype=np.float32), "head.weight"),
            numpy_helper.from_array(np.array([0, 0.1, 0], np.float32), "head.bias"),
            numpy_helper.from_array(np.array(1, np.float32), "scale"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    metadata = {
        "features": features.VERSION, "version": version, "unsure_below": str(unsure_below),
        "tokenizer_sha256": hashlib.sha256(tokenizer.read_bytes()).hexdigest(), "metrics": json.dumps({}),
    }  # fmt: skip
    helper.set_model_props(model, metadata)
    onnx.checker.check_model(model)
    path = directory / "model.onnx"
    onnx.save(model, str(path))
    return path
