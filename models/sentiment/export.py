"""Arrays -> one ONNX file: tokens and n-grams in, calibrated probabilities and the embedding before the last layer out.

    probabilities = softmax(head.scale * (embedding @ head.weight.T + head.bias) + addend)

The last layer's three initializers are float32 and are found by their names: `with_head` fits another head in without
torch. The addend, of the hashed n-grams, stays as it is; it is an output, so that a head can be fitted beside it.
The embedding table keeps the 4 bits that it was trained with. The layers multiply bytes: a scale a token and one a
column. With AVX2 alone, as on Lambda, sums of two products have 16 bits and saturate, so weights use less than 8 bits.
"""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from models.sentiment.encoder import BLOCK

OPSET, IR_VERSION = 18, 9
HEAD = ("head.weight", "head.bias", "head.scale")
LEVELS, BENT_LEVELS, BENT_ZERO = 90, 127, 32
"""A weight is a whole number from -LEVELS to LEVELS times its column's scale; after GELU, whose outputs are mostly near
zero and never far below, from -BENT_LEVELS, and zero is the byte BENT_ZERO."""
_FUSED = "com.microsoft"

Array = NDArray[np.float32]


def to_onnx(
    weights: Mapping[str, Array], table: NDArray[np.float16], heads: int, epsilon: float, metadata: Mapping[str, Any]
) -> bytes:
    """The file. weights: the network's state by name; table: of ngrams.py, float16 [BUCKETS, 4]."""
    graph = _Graph(heads, epsilon)
    graph.add("head.scale", np.float32(weights.get("head.scale", 1)))
    graph.add("last", np.array([-1], np.int64))
    graph.add("least", np.float32(1e-6))
    x = graph.embedded(weights)
    for place in range(sum(name.endswith(".fi.weight") for name in weights)):
        x = graph.layer(
            x,
            {name.split(".", 2)[2]: value for name, value in weights.items() if name.startswith(f"layers.{place}.")},
            place,
        )
    graph.pooled(x, weights)
    graph.addend(table)
    graph.answer(weights)
    made = helper.make_model(
        helper.make_graph(graph.nodes, "sentiment", inputs(), outputs(len(weights["dense.bias"])), graph.values),
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(_FUSED, 1)],
        ir_version=IR_VERSION,
    )
    return _described(made, metadata)


def with_head(model: bytes, weight: Array, bias: Array, scale: float, metadata: Mapping[str, Any]) -> bytes:
    """The same file with another last layer. Properties in `metadata` replace those of their names, None removes one.

    weight: [3, d], bias: [3], scale: what the logits are multiplied with. Raises ValueError for other shapes or numbers
    that are not finite.
    """
    made = onnx.load_model_from_string(model)
    given = dict(zip(HEAD, (weight, bias, np.float32(scale)), strict=True))
    found = {each.name: each for each in made.graph.initializer if each.name in given}
    if missing := set(given) - set(found):
        raise ValueError(f"the model has no {', '.join(sorted(missing))}")
    for name, value in given.items():
        array = np.asarray(value, np.float32)
        if list(array.shape) != list(found[name].dims) or not np.isfinite(array).all():
            raise ValueError(f"{name} is {array.shape}, not {tuple(found[name].dims)} finite numbers")
        found[name].CopyFrom(numpy_helper.from_array(array, name))
    kept = {each.key: each.value for each in made.metadata_props}
    return _described(made, {name: value for name, value in {**kept, **metadata}.items() if value is not None})


def head_of(model: bytes) -> tuple[Array, Array, float]:
    """weight, bias and scale of a file that to_onnx made. Raises KeyError."""
    made = onnx.load_model_from_string(model)
    values = {each.name: numpy_helper.to_array(each) for each in made.graph.initializer if each.name in HEAD}
    return values["head.weight"], values["head.bias"], float(values["head.scale"])


def inputs() -> list[onnx.ValueInfoProto]:
    """What features.encode gives."""
    return [
        helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["n", "t"]),
        helper.make_tensor_value_info("attention_mask", TensorProto.INT64, ["n", "t"]),
        helper.make_tensor_value_info("ngram_ids", TensorProto.INT64, ["n", "g"]),
        helper.make_tensor_value_info("ngram_weights", TensorProto.FLOAT, ["n", "g"]),
    ]


def outputs(width: int) -> list[onnx.ValueInfoProto]:
    """Of n posts; width: of the embedding."""
    return [
        helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 3]),
        helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", width]),
        helper.make_tensor_value_info("addend", TensorProto.FLOAT, ["n", 3]),
    ]


def in_blocks(rows: Array) -> tuple[NDArray[np.uint8], NDArray[np.float16]]:
    """Rows [n, hidden] as two weights a byte [n, hidden / 2] and a scale a block [n, hidden / 32].

    Rows that were made from 4 bits come back as they were: their largest level is 7 or 8.
    """
    blocks = rows.reshape(len(rows), -1, BLOCK)
    largest = np.take_along_axis(blocks, np.abs(blocks).argmax(axis=2)[:, :, None], axis=2)[:, :, 0]
    best, levels, error = None, None, None
    # The sign of the scale is free; which of the levels -8 and -7 the largest weight has, the file does not tell.
    for divisor in (-8.0, -7.0, 7.0):
        scale = (largest / divisor).astype(np.float16)
        inverse = np.divide(1, scale, out=np.zeros(scale.shape, np.float32), where=scale != 0, dtype=np.float32)
        found = np.clip(np.rint(blocks * inverse[:, :, None]), -8, 7)
        off = np.square(found * scale[:, :, None].astype(np.float32) - blocks).sum(axis=2)
        if best is None or levels is None or error is None:
            best, levels, error = scale, found, off
        else:
            better = off < error
            best, error = np.where(better, scale, best), np.where(better, off, error)
            levels = np.where(better[:, :, None], found, levels)
    assert best is not None and levels is not None  # noqa: S101, PT018 - for the type checker
    flat = (levels.reshape(len(rows), -1) + 8).astype(np.uint8)
    return flat[:, 0::2] | flat[:, 1::2] << 4, best


def _described(made: onnx.ModelProto, metadata: Mapping[str, Any]) -> bytes:
    del made.metadata_props[:]
    told = {key: value if isinstance(value, str) else json.dumps(value) for key, value in metadata.items()}
    helper.set_model_props(made, told)
    onnx.checker.check_model(made)
    return bytes(made.SerializeToString())


class _Graph:
    """Nodes and initializers as they are added; a method gives the name of its output."""

    def __init__(self, heads: int, epsilon: float) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.values: list[onnx.TensorProto] = []
        self._heads, self._epsilon = heads, epsilon

    def add(self, name: str, value: Any) -> str:
        self.values.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def node(self, kind: str, given: list[str], out: str, domain: str = "", **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, given, out.split(" "), domain=domain, **attributes))
        return out

    def embedded(self, weights: Mapping[str, Array]) -> str:
        packed, scales = in_blocks(weights["words"])
        words = [self.add("words", packed), "input_ids", self.add("words.scale", scales)]
        self.node(
            "GatherBlockQuantized", words, "words_16", _FUSED, bits=4, block_size=BLOCK, gather_axis=0, quantize_axis=1
        )
        self.node("Cast", ["words_16"], "words_32", to=TensorProto.FLOAT)
        zero = self.add("zero", np.array([0], np.int64))
        self.node("Shape", ["input_ids"], "length", start=1, end=2)
        self.node("Slice", [self.add("positions", weights["positions"]), zero, "length"], "places")
        self.node("Add", ["words_32", "places"], "placed")
        gamma, beta = self.add("norm.weight", weights["norm.weight"]), self.add("norm.bias", weights["norm.bias"])
        self.node("Cast", ["attention_mask"], "mask_32", to=TensorProto.INT32)
        return self.node("LayerNormalization", ["placed", gamma, beta], "hidden", axis=-1, epsilon=self._epsilon)

    def product(self, x: str, weight: Array, name: str, bias: Array | None = None, *, bent: bool = False) -> str:
        """x [.., in] times weight [out, in], with integers. bent: x comes from GELU, which is hardly below zero.

        Every token has a scale of its own: what a post gets does not depend on its batch, nor on one odd token in it.
        """
        zero, levels = (BENT_ZERO, BENT_LEVELS) if bent else (128, LEVELS)
        scale = np.maximum(np.abs(weight).max(axis=1), 1e-8) / levels
        whole = np.ascontiguousarray(np.rint(weight / scale[:, None]).astype(np.int8).T)
        size = x if bent else self.node("Abs", [x], f"{name}.size")
        self.node("ReduceMax", [size, "last"], f"{name}.largest_0", keepdims=1)
        self.node("Max", [f"{name}.largest_0", "least"], f"{name}.largest")
        self.node("Div", [x, f"{name}.largest"], f"{name}.share")
        step = self.add(f"{name}.step", np.float32(1 / (255 - zero)))
        origin = self.add(f"{name}.zero", np.uint8(zero))
        self.node("QuantizeLinear", [f"{name}.share", step, origin], f"{name}.whole")
        given = [f"{name}.whole", self.add(f"{name}.weight", whole), step, self.add(f"{name}.scale", scale), origin]
        self.node("MatMulIntegerToFloat", given, f"{name}.product", _FUSED)
        out = self.node("Mul", [f"{name}.product", f"{name}.largest"], f"{name}.sized")
        if bias is None:
            return out
        return self.node("Add", [out, self.add(f"{name}.bias", bias)], f"{name}.out")

    def layer(self, x: str, part: Mapping[str, Array], place: int) -> str:
        name = f"l{place}"
        qkv = self.product(x, part["qkv.weight"], f"{name}.qkv", part["qkv.bias"])
        self.node("Split", [qkv], f"{name}.q {name}.k {name}.v", axis=-1, num_outputs=3)
        given = [f"{name}.q", f"{name}.k", f"{name}.v", "", "mask_32"]
        seen = self.node("MultiHeadAttention", given, f"{name}.seen", _FUSED, num_heads=self._heads)
        x = self._normed(self.product(seen, part["ao.weight"], f"{name}.ao"), x, part, f"{name}.aln", ("ao", "aln"))
        grown = self.product(x, part["fi.weight"], f"{name}.fi")
        bent = self.node("BiasGelu", [grown, self.add(f"{name}.fi.bias", part["fi.bias"])], f"{name}.bent", _FUSED)
        return self._normed(
            self.product(bent, part["fo.weight"], f"{name}.fo", bent=True), x, part, f"{name}.oln", ("fo", "oln")
        )

    def _normed(self, new: str, x: str, part: Mapping[str, Array], name: str, kinds: tuple[str, str]) -> str:
        before, norm = kinds
        values = (part[f"{norm}.weight"], part[f"{norm}.bias"], part[f"{before}.bias"])
        given = [
            self.add(f"{name}.{kind}", value) for kind, value in zip(("gamma", "beta", "bias"), values, strict=True)
        ]
        return self.node("SkipLayerNormalization", [new, x, *given], f"{name}.out", _FUSED, epsilon=self._epsilon)

    def pooled(self, x: str, weights: Mapping[str, Array]) -> str:
        one = self.add("one", np.array([1], np.int64))
        self.node("Cast", ["attention_mask"], "mask", to=TensorProto.FLOAT)
        self.node("Unsqueeze", ["mask", one], "mask_row")
        self.node("MatMul", ["mask_row", x], "sum_row")
        self.node("Squeeze", ["sum_row", one], "sum")
        self.node("ReduceSum", ["mask", one], "tokens", keepdims=1)
        self.node("Div", ["sum", "tokens"], "mean")
        given = [
            "mean",
            self.add("dense.weight", weights["dense.weight"]),
            self.add("dense.bias", weights["dense.bias"]),
        ]
        return self.node("Tanh", [self.node("Gemm", given, "dense", transB=1)], "embedding")

    def addend(self, table: NDArray[np.float16]) -> str:
        """Of n-grams: the weighted sum of their votes, divided by the length of the weighted vector, as tf-idf is."""
        self.node("Gather", [self.add("ngrams", table), "ngram_ids"], "found_16")
        self.node("Cast", ["found_16"], "found", to=TensorProto.FLOAT)
        self.node("Split", ["found", self.add("parts", np.array([3, 1], np.int64))], "votes squares", axis=-1)
        self.node("Unsqueeze", ["ngram_weights", "one"], "weight_row")
        self.node("MatMul", ["weight_row", "votes"], "vote_row")
        self.node("Squeeze", ["vote_row", "one"], "vote")
        self.node("Mul", ["weight_row", "weight_row"], "weight_squares")
        self.node("MatMul", ["weight_squares", "squares"], "square_row")
        self.node("Squeeze", ["square_row", "one"], "square")
        self.node("Max", ["square", "least"], "square_past")
        self.node("Sqrt", ["square_past"], "norm")
        return self.node("Div", ["vote", "norm"], "addend")

    def answer(self, weights: Mapping[str, Array]) -> str:
        given = [
            "embedding",
            self.add("head.weight", weights["head.weight"]),
            self.add("head.bias", weights["head.bias"]),
        ]
        self.node("Gemm", given, "logits", transB=1)
        self.node("Mul", ["logits", "head.scale"], "scaled")
        self.node("Add", ["scaled", "addend"], "summed")
        return self.node("Softmax", ["summed"], "probabilities", axis=-1)
