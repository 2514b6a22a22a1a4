"""A reader of radiographs as ONNX, with the names and metadata of the shipped one: what it says can be foreseen.

probability: mean grey value / 255. distance: 100 / (1 + deviation of the grey values), so a blank image is far from
everything. cam: the means of 49 squares, 0 to 10.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from functions.imaging import features

THRESHOLD, UNSURE, LIMIT = 0.5, [0.4, 0.6], 20.0


def save(directory: Path, *, version: str = "tiny-1", share: float = 1.0, **changes: str) -> Path:
    """model.onnx in the directory; its path. share: what probabilities are multiplied with. changes: of metadata."""
    side = features.SIDE
    nodes = [
        helper.make_node("Cast", ["image"], ["grey"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["grey", "pixels"], ["level"], keepdims=0),
        helper.make_node("Mul", ["level", "unit"], ["probability"]),
        helper.make_node("ReduceMean", ["grey", "pixels"], ["levels"], keepdims=1),
        helper.make_node("Sub", ["grey", "levels"], ["off"]),
        helper.make_node("Mul", ["off", "off"], ["squared"]),
        helper.make_node("ReduceMean", ["squared", "pixels"], ["variance"], keepdims=0),
        helper.make_node("Sqrt", ["variance"], ["deviation"]),
        helper.make_node("Add", ["deviation", "one"], ["divisor"]),
        helper.make_node("Div", ["hundred", "divisor"], ["distance"]),
        helper.make_node("AveragePool", ["grey"], ["pooled"], kernel_shape=[32, 32], strides=[32, 32]),
        helper.make_node("Squeeze", ["pooled", "channel"], ["squares"]),
        helper.make_node("Mul", ["squares", "ten"], ["cam"]),
    ]
    values = {
        "pixels": np.array([1, 2, 3], np.int64), "channel": np.array([1], np.int64), "one": np.float32(1),
        "hundred": np.float32(100), "unit": np.float32(share / 255), "ten": np.float32(10 / 255),
    }  # fmt: skip
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["n", 1, side, side])],
        [
            helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["n"]),
            helper.make_tensor_value_info("distance", TensorProto.FLOAT, ["n"]),
            helper.make_tensor_value_info("cam", TensorProto.FLOAT, ["n", 7, 7]),
        ],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in values.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    metadata = {
        "features": features.VERSION, "version": version, "threshold": str(THRESHOLD), "unsure": str(UNSURE),
        "distance_limit": str(LIMIT), **changes,
    }  # fmt: skip
    helper.set_model_props(model, metadata)
    onnx.checker.check_model(model)
    path = directory / f"{version}.onnx"
    onnx.save(model, str(path))
    return path
