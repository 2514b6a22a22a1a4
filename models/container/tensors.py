"""An ONNX graph with a tree ensemble -> the same model in tensor operations, which accelerators without trees can run.

The GEMM form of Nakandala et al., "A Tensor Compiler for Unified Machine Learning Prediction Serving" (OSDI 2020). For
each tree with nodes i and leaves l:

    A  float32 [features, trees * nodes]   1 where a node looks at a feature: x @ A is each node's value
    B  float32 [trees * nodes]             thresholds: the node says yes where the value is below
    C  float32 [trees, nodes, leaves]      1 when the leaf lies on the yes side of the node, -1 on the no side, else 0
    D  float32 [trees, 1, leaves]          yeses on the way to the leaf: yes @ C equals it at the row's leaf alone
    E  float32 [trees, leaves, 1]          the leaf's value

All the work is matrix products and comparisons, a few dozen times that of walking the trees: it pays on wide hardware.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Floats = NDArray[np.float32]
NEVER = -1.0  # no row says yes less than zero times: a leaf that is only padding is never reached


class UnsupportedModelError(ValueError):
    """The graph is no binary tree classifier as XGBoost's exporter writes it; the message says what differs."""


@dataclass(frozen=True)
class Tensors:
    """The arrays of the module's docstring; margin: what is added to the sum of leaves before the logistic function."""

    a: Floats
    b: Floats
    c: Floats
    d: Floats
    e: Floats
    margin: float


class _Tree(NamedTuple):
    """features and thresholds by node; leaves: (value, {node: did the row say yes there?})."""

    features: list[int]
    thresholds: list[float]
    leaves: list[tuple[float, dict[int, bool]]]


def tensors(model: onnx.ModelProto) -> Tensors:
    """The ensemble of a model as models/fraud/export.py writes it. Raises UnsupportedModelError."""
    nodes = [node for node in model.graph.node if node.op_type == "TreeEnsembleClassifier"]
    if len(nodes) != 1:
        raise UnsupportedModelError(f"{len(nodes)} TreeEnsembleClassifier nodes in the graph, one is expected")
    given = {attribute.name: helper.get_attribute_value(attribute) for attribute in nodes[0].attribute}
    width = model.graph.input[0].type.tensor_type.shape.dim[1].dim_value
    if given.get("post_transform") != b"LOGISTIC" or set(given["class_ids"]) != {0} or not width:
        raise UnsupportedModelError("not a binary classifier with a logistic output and a known number of features")
    if not {b"BRANCH_LT", b"LEAF"}.issuperset(given["nodes_modes"]):
        raise UnsupportedModelError(
            f"nodes that decide otherwise than by 'less than': {sorted(set(given['nodes_modes']))}"
        )
    trees = _trees(given)
    most = max(1, *(len(tree.features) for tree in trees))
    widest = max(len(tree.leaves) for tree in trees)
    a = np.zeros((width, len(trees), most), np.float32)
    b = np.zeros((len(trees), most), np.float32)
    c = np.zeros((len(trees), most, widest), np.float32)
    d = np.full((len(trees), 1, widest), NEVER, np.float32)
    e = np.zeros((len(trees), widest, 1), np.float32)
    for at, tree in enumerate(trees):
        for node, (feature, threshold) in enumerate(zip(tree.features, tree.thresholds, strict=True)):
            a[feature, at, node], b[at, node] = 1, threshold
        for leaf, (value, way) in enumerate(tree.leaves):
            for node, yes in way.items():
                c[at, node, leaf] = 1 if yes else -1
            d[at, 0, leaf], e[at, leaf, 0] = sum(way.values()), value
    return Tensors(a.reshape(width, -1), b.ravel(), c, d, e, float(sum(given.get("base_values", [0.0]))))


def _trees(given: dict[str, Any]) -> list[_Tree]:
    columns = ("treeids", "nodeids", "featureids", "values", "modes", "truenodeids", "falsenodeids")
    nodes: dict[int, dict[int, tuple[int, float, bytes, int, int]]] = defaultdict(dict)
    for tree, node, *rest in zip(*(given[f"nodes_{name}"] for name in columns), strict=True):
        nodes[tree][node] = tuple(rest)
    values: dict[tuple[int, int], float] = defaultdict(float)
    for tree, node, weight in zip(given["class_treeids"], given["class_nodeids"], given["class_weights"], strict=True):
        values[tree, node] += weight
    return [_tree(nodes[tree], {node: values[tree, node] for node in nodes[tree]}) for tree in sorted(nodes)]


def _tree(nodes: dict[int, tuple[int, float, bytes, int, int]], values: dict[int, float]) -> _Tree:
    found = _Tree([], [], [])
    waiting: list[tuple[int, dict[int, bool]]] = [(min(nodes), {})]
    while waiting:
        node, way = waiting.pop()
        feature, threshold, mode, yes, no = nodes[node]
        if mode == b"LEAF":
            found.leaves.append((values[node], way))
            continue
        number = len(found.features)
        found.features.append(feature)
        found.thresholds.append(threshold)
        waiting += [(yes, {**way, number: True}), (no, {**way, number: False})]
    return found


def margins(x: Any, a: Any, b: Any, c: Any, d: Any, e: Any, margin: Any) -> Any:  # noqa: PLR0913, PLR0917 - the form
    """[rows, features] -> [rows] before the logistic function; written so that numpy's and torch's arrays both do."""
    yes = ((x @ a < b) * 1.0).reshape(-1, c.shape[0], c.shape[1]).swapaxes(0, 1)
    here = (yes @ c == d) * 1.0
    return (here @ e).sum(0)[:, 0] + margin


def as_graph(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model as plain ONNX operators: the same input `features`, output `probabilities` and metadata.

    Probabilities differ from the trees' in the last bits, since the leaves are summed in another order.
    """
    made = tensors(model)
    trees, most, _ = made.c.shape
    arrays: dict[str, NDArray[Any]] = {
        "A": made.a,
        "B": made.b,
        "C": made.c,
        "D": made.d,
        "E": made.e,
        "margin": np.array([made.margin], np.float32),
        "one": np.array([1], np.float32),
        "by_tree": np.array([0, trees, most], np.int64),
        "trees": np.array([0, 2], np.int64),
        "last": np.array([1], np.int64),
    }
    name = model.graph.input[0].name
    steps: list[tuple[str, Sequence[str], str, dict[str, Any]]] = [
        ("MatMul", [name, "A"], "values", {}),
        ("Less", ["values", "B"], "below", {}),
        ("Cast", ["below"], "yes", {"to": TensorProto.FLOAT}),
        ("Reshape", ["yes", "by_tree"], "rows_trees", {}),
        ("Transpose", ["rows_trees"], "trees_rows", {"perm": [1, 0, 2]}),
        ("MatMul", ["trees_rows", "C"], "way", {}),
        ("Equal", ["way", "D"], "here", {}),
        ("Cast", ["here"], "leaf", {"to": TensorProto.FLOAT}),
        ("MatMul", ["leaf", "E"], "leaf_values", {}),
        ("ReduceSum", ["leaf_values", "trees"], "sum", {"keepdims": 0}),
        ("Add", ["sum", "margin"], "margins", {}),
        ("Sigmoid", ["margins"], "fraud", {}),
        ("Sub", ["one", "fraud"], "genuine", {}),
        ("Unsqueeze", ["fraud", "last"], "fraud_column", {}),
        ("Unsqueeze", ["genuine", "last"], "genuine_column", {}),
        ("Concat", ["genuine_column", "fraud_column"], "probabilities", {"axis": 1}),
    ]
    graph = helper.make_graph(
        [helper.make_node(kind, inputs, [output], **options) for kind, inputs, output, options in steps],
        "tensors",
        [model.graph.input[0]],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 2])],
        [numpy_helper.from_array(array, key) for key, array in arrays.items()],
    )
    made_model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    helper.set_model_props(made_model, {entry.key: entry.value for entry in model.metadata_props})
    onnx.checker.check_model(made_model)
    return made_model
