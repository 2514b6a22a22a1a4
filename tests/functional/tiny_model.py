"""A logistic regression as ONNX, with the metadata of a shipped model: its scores can be computed by hand."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from functions.fraud.features import FEATURES

THRESHOLDS = {"review": 0.4, "decline": 0.8}


def save(
    path: Path,
    weights: dict[str, float],
    bias: float,
    *,
    version: str = "tiny-1",
    features: tuple[str, ...] = FEATURES,
    output: str = "probabilities",
    reference: dict[str, Any] | None = None,
) -> Path:
    """probability = sigmoid(sum of weight * feature + bias)."""
    column = np.array([[weights.get(feature, 0.0)] for feature in features], np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Gemm", ["features", "weights", "bias"], ["margin"]),
            helper.make_node("Sigmoid", ["margin"], ["fraud"]),
            helper.make_node("Sub", ["one", "fraud"], ["genuine"]),
            helper.make_node("Concat", ["genuine", "fraud"], [output], axis=1),
        ],
        "tiny",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, len(features)])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, [None, 2])],
        [
            numpy_helper.from_array(column, "weights"),
            numpy_helper.from_array(np.array([bias], np.float32), "bias"),
            numpy_helper.from_array(np.array([1], np.float32), "one"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    helper.set_model_props(
        model,
        {
            "features": json.dumps(features),
            "version": version,
            "thresholds": json.dumps(THRESHOLDS),
            "baseline": json.dumps([0.0] * len(features)),
            "reference": json.dumps(reference or {}),
        },
    )
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path
