"""Ranking -> one ONNX file: profile in, best items with a reason out. It carries the items' names and its description.

Inputs   items int64 [n]     the profile, newest first, as places in the metadata's `items`; n may be 0
         ages float32 [n]    days from each to the newest; zeros where times are not known
         exclude int64 [m]   what must not be recommended: the profile itself, what is sold out; m may be 0
         k int64 [1]         how long a list
Outputs  top int64 [k]       items, best first; at most as many as there are items
         scores float32 [k]  minus infinity from where everything else is excluded
         because int64 [k]   place in the profile of the item that speaks most for it; -1 where popularity alone does

What is new counts at once: the weights of a profile are computed inside, from places and ages. An empty profile gives
the popular items, a profile of one item those that are similar to it.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from scipy import sparse

from functions.recommendations.features import FEATURES
from models.recommendations.neighbours import PROFILE
from models.recommendations.ranking import Ranking

OPSET, IR_VERSION = 18, 9


class List(NamedTuple):
    """What one call gives."""

    top: NDArray[np.int64]
    scores: NDArray[np.float32]
    because: NDArray[np.int64]


def to_onnx(model: Ranking, names: Sequence[str], description: dict[str, Any]) -> onnx.ModelProto:
    """The ONNX model; `description` becomes metadata properties, strings as they are, the rest as JSON."""
    near, strength = padded(model.weights)
    graph = helper.make_graph(
        _nodes(),
        "recommendations",
        inputs(),
        outputs(),
        [
            numpy_helper.from_array(value, name)
            for name, value in {
                "near": near,
                "strength": strength,
                "prior": model.prior.astype(np.float32),
                "fade": np.float32(-model.shape.fade),
                "ageing": np.float32(-model.shape.ageing),
                "profile": np.array([PROFILE], np.int64),
                "zero": np.int64(0),
                "zeros": np.array([0], np.int64),
                "zero_f": np.float32(0),
                "one": np.int64(1),
                "ones": np.array([1], np.int64),
                "one_f": np.float32(1),
                "flat": np.array([-1], np.int64),
                "minus": np.float32(-np.inf),
                "none": np.int64(-1),
                "nowhere": np.int64(-PROFILE - 1),
                "count": np.array([len(names)], np.int64),
            }.items()
        ],
    )
    return described(graph, names, description)


def inputs() -> list[onnx.ValueInfoProto]:
    """Of every candidate that is served: FEATURES."""
    return [
        helper.make_tensor_value_info("items", TensorProto.INT64, ["n"]),
        helper.make_tensor_value_info("ages", TensorProto.FLOAT, ["n"]),
        helper.make_tensor_value_info("exclude", TensorProto.INT64, ["m"]),
        helper.make_tensor_value_info("k", TensorProto.INT64, [1]),
    ]


def outputs() -> list[onnx.ValueInfoProto]:
    """Of every candidate that is served."""
    return [
        helper.make_tensor_value_info("top", TensorProto.INT64, ["k"]),
        helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["k"]),
        helper.make_tensor_value_info("because", TensorProto.INT64, ["k"]),
    ]


def described(graph: onnx.GraphProto, names: Sequence[str], description: dict[str, Any]) -> onnx.ModelProto:
    """A checked model of the graph; names: of the items; description: metadata, strings as they are, the rest as JSON.

    The order of the inputs in the metadata is FEATURES.
    """
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    told = {"items": list(names), "features": FEATURES, **description}
    properties = {key: value if isinstance(value, str) else json.dumps(value) for key, value in told.items()}
    helper.set_model_props(made, properties)
    onnx.checker.check_model(made, full_check=True)
    return made


def _nodes() -> list[onnx.NodeProto]:
    node = helper.make_node
    return [
        # The newest PROFILE items, each with its weight.
        node("Slice", ["items", "zeros", "profile"], ["newest"]),
        node("Slice", ["ages", "zeros", "profile"], ["days"]),
        node("Shape", ["newest"], ["shape"]),
        node("Squeeze", ["shape", "zeros"], ["length"]),
        node("Range", ["zero", "length", "one"], ["places"]),
        node("Cast", ["places"], ["places_f"], to=TensorProto.FLOAT),
        node("Add", ["places_f", "one_f"], ["from_one"]),
        node("Pow", ["from_one", "fade"], ["by_place"]),
        node("Max", ["days", "zero_f"], ["days_past"]),
        node("Add", ["days_past", "one_f"], ["days_from_one"]),
        node("Pow", ["days_from_one", "ageing"], ["by_age"]),
        node("Mul", ["by_place", "by_age"], ["weights"]),
        node("Unsqueeze", ["weights", "ones"], ["weight_column"]),
        # Their neighbours add up.
        node("Gather", ["near", "newest"], ["found"], axis=0),
        node("Cast", ["found"], ["found_64"], to=TensorProto.INT64),
        node("Gather", ["strength", "newest"], ["strength_16"], axis=0),
        node("Cast", ["strength_16"], ["strength_32"], to=TensorProto.FLOAT),
        node("Mul", ["strength_32", "weight_column"], ["votes"]),
        node("Reshape", ["found_64", "flat"], ["found_flat"]),
        node("Reshape", ["votes", "flat"], ["votes_flat"]),
        node("ScatterElements", ["prior", "found_flat", "votes_flat"], ["all"], axis=0, reduction="add"),
        node("Shape", ["exclude"], ["excluded"]),
        node("Expand", ["minus", "excluded"], ["never"]),
        node("ScatterElements", ["all", "exclude", "never"], ["allowed"], axis=0),
        node("Min", ["k", "count"], ["most"]),
        node("TopK", ["allowed", "most"], ["scores", "top"], axis=0),
        # Which item of the profile gave most: each item's largest vote, and the newest place that it came from. The
        # work grows with the votes alone, not with the length of the list.
        node("Shape", ["prior"], ["width"]),
        node("Expand", ["zero_f", "width"], ["no_votes"]),
        node("ScatterElements", ["no_votes", "found_flat", "votes_flat"], ["largest"], axis=0, reduction="max"),
        node("Gather", ["largest", "found_flat"], ["largest_flat"], axis=0),
        node("Equal", ["largest_flat", "votes_flat"], ["is_largest"]),
        node("Greater", ["votes_flat", "zero_f"], ["speaks_for"]),
        node("And", ["is_largest", "speaks_for"], ["gave_most"]),
        node("Neg", ["places"], ["newness"]),
        node("Unsqueeze", ["newness", "ones"], ["newness_column"]),
        node("Shape", ["found"], ["found_shape"]),
        node("Expand", ["newness_column", "found_shape"], ["newness_wide"]),
        node("Reshape", ["newness_wide", "flat"], ["newness_flat"]),
        node("Where", ["gave_most", "newness_flat", "nowhere"], ["candidates"]),
        node("Expand", ["nowhere", "width"], ["nowhere_yet"]),
        node("ScatterElements", ["nowhere_yet", "found_flat", "candidates"], ["newest_of"], axis=0, reduction="max"),
        node("Gather", ["newest_of", "top"], ["newest_of_top"], axis=0),
        node("Equal", ["newest_of_top", "nowhere"], ["by_popularity"]),
        node("Neg", ["newest_of_top"], ["place_of_top"]),
        node("Where", ["by_popularity", "none", "place_of_top"], ["because"]),
    ]


def padded(weights: sparse.csr_matrix) -> tuple[NDArray[np.int32], NDArray[np.float16]]:
    """Neighbours and weights as rectangles [items, most]; what is missing points at item 0 with weight 0."""
    lengths = np.diff(weights.indptr)
    most = max(int(lengths.max(initial=0)), 1)
    near = np.zeros((weights.shape[0], most), np.int32)
    strength = np.zeros((weights.shape[0], most), np.float16)
    rows = np.repeat(np.arange(len(lengths)), lengths)
    columns = np.arange(weights.nnz) - np.repeat(weights.indptr[:-1], lengths)
    near[rows, columns], strength[rows, columns] = weights.indices, weights.data
    return near, strength


class Recommender:
    """An ONNX file, run with one thread, as it is served."""

    def __init__(self, model: onnx.ModelProto | Path) -> None:
        """Load it."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        source = str(model) if isinstance(model, Path) else model.SerializeToString()
        self._session = onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
        self.metadata: dict[str, str] = self._session.get_modelmeta().custom_metadata_map

    def __call__(
        self, items: Sequence[int], ages: Sequence[float] | None = None, exclude: Sequence[int] = (), k: int = 20
    ) -> List:
        """Items newest first, with ages in days, as the module says."""
        days = np.zeros(len(items)) if ages is None else ages
        given = {
            "items": np.asarray(items, np.int64),
            "ages": np.asarray(days, np.float32),
            "exclude": np.asarray(exclude, np.int64),
            "k": np.array([k], np.int64),
        }
        return List(*self._session.run(["top", "scores", "because"], given))
