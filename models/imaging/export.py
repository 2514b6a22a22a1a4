"""Arrays -> one ONNX file: an image in; probability, distance from the training images and activation map out.

    x           = (image - its mean) / its deviation, as it is and mirrored: both are read, and the mean is told
    cam         = scale * (classifier.weight . last feature maps)   [7, 7], evidence where it is
    probability = sigmoid(mean(cam) + scale * classifier.bias + shift)
    distance    = | (means of the tapped blocks - centre) @ whitening | / sqrt(dimensions), about 1 for a known kind

Weights are kept in 16 bits (or in 8, as whole numbers with a scale for each channel), which the runtime widens when it
loads the file; activations are float32. Written with numpy alone.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from functions.imaging.features import SIDE, VERSION
from models.imaging.backbone import TAPS, WIDTHS, Block, Conv, blocks

OPSET, IR_VERSION = 18, 9
LEVELS = 127
SPREAD, LEAST = 0.45, 0.02
"""As models.imaging.network.normalised has them."""
MAP = SIDE // 32

_SHAPES: dict[str, list[str | int]] = {
    "probability": ["n"],
    "distance": ["n"],
    "cam": ["n", MAP, MAP],
    "logit": ["n"],
    "means": ["n", sum(WIDTHS)],
}

Array = NDArray[np.float32]


def to_onnx(  # noqa: PLR0913 - what the file is made of
    weights: Mapping[str, Array],
    calibration: tuple[float, float],
    centre: Array,
    whitening: Array,
    metadata: Mapping[str, Any],
    *,
    bits: int = 16,
    outputs: Sequence[str] = ("probability", "distance", "cam"),
) -> bytes:
    """The file. calibration: scale and shift of the logit. centre [t], whitening [t, k]. bits: of a weight.

    outputs: of those of the file, "logit" [n] and "means" [n, t] (of the tapped blocks).
    """
    graph = _Graph(bits)
    x = graph.normalised()
    for at, block in enumerate(blocks()):
        x = graph.block(x, block, weights)
        if at - 1 in TAPS:
            graph.tap(x)
    graph.answers(x, weights, calibration)
    graph.distance(centre, whitening)
    made = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "radiograph",
            [helper.make_tensor_value_info("image", TensorProto.UINT8, ["n", 1, SIDE, SIDE])],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, _SHAPES[name]) for name in outputs],
            graph.values,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    told = {"features": VERSION, **metadata}
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in told.items()}
    helper.set_model_props(made, texts)
    onnx.checker.check_model(made)
    return bytes(made.SerializeToString())


class _Graph:
    def __init__(self, bits: int) -> None:
        self.bits = bits
        self.nodes: list[onnx.NodeProto] = []
        self.values: list[onnx.TensorProto] = []
        self.taps: list[str] = []

    def add(self, name: str, value: Any) -> str:
        self.values.append(numpy_helper.from_array(np.asarray(value, order="C"), name))
        return name

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def normalised(self) -> str:
        """As it is, then mirrored: [2n, 1, s, s]."""
        self.add("white", np.float32(255))
        self.add("least", np.float32(LEAST))
        self.add("spread", np.float32(SPREAD))
        self.add("both_axes", np.array([2, 3], np.int64))
        for name, value in (("end", -1), ("begin", np.iinfo(np.int64).min), ("back", -1), ("across", 3)):
            self.add(name, np.array([value], np.int64))
        self.node("Cast", ["image"], "grey", to=TensorProto.FLOAT)
        self.node("Div", ["grey", "white"], "unit")
        self.node("ReduceMean", ["unit", "both_axes"], "level", keepdims=1)
        self.node("Sub", ["unit", "level"], "centred")
        self.node("Mul", ["centred", "centred"], "squared")
        self.node("ReduceMean", ["squared", "both_axes"], "variance", keepdims=1)
        self.node("Sqrt", ["variance"], "deviation")
        self.node("Add", ["deviation", "least"], "divisor")
        self.node("Div", ["centred", "divisor"], "standard")
        self.node("Mul", ["standard", "spread"], "x")
        self.node("Slice", ["x", "end", "begin", "across", "back"], "mirrored")
        return self.node("Concat", ["x", "mirrored"], "twice", axis=0)

    def block(self, x: str, block: Block, weights: Mapping[str, Array]) -> str:
        came = x
        for conv in block.convs:
            x = self.conv(x, conv, weights[f"{conv.name}.weight"], weights[f"{conv.name}.bias"])
        return self.node("Add", [x, came], f"{x}.sum") if block.skip else x

    def conv(self, x: str, conv: Conv, weight: Array, bias: Array) -> str:
        before, after = conv.pads
        given = [x, self.weight(f"{conv.name}.weight", weight), self.add(f"{conv.name}.bias", bias)]
        made = self.node(
            "Conv", given, conv.name, strides=[conv.stride] * 2, group=conv.groups, pads=[before, before, after, after]
        )
        if not conv.relu:
            return made
        if "zero" not in {each.name for each in self.values}:
            self.add("zero", np.float32(0))
            self.add("six", np.float32(6))
        return self.node("Clip", [made, "zero", "six"], f"{conv.name}.relu")

    def weight(self, name: str, value: Array) -> str:
        if self.bits == 32:
            return self.add(name, value)
        if self.bits == 16:
            self.add(f"{name}.half", value.astype(np.float16))
            return self.node("Cast", [f"{name}.half"], name, to=TensorProto.FLOAT)
        scale = np.abs(value).reshape(len(value), -1).max(axis=1) / LEVELS
        scale = np.where(scale > 0, scale, 1).astype(np.float32).reshape(-1, *[1] * (value.ndim - 1))
        self.add(f"{name}.levels", np.rint(value / scale).astype(np.int8))
        # Not DequantizeLinear: ONNX Runtime keeps that for kernels of whole numbers and runs it with every image; these
        # two it folds into the weights when it loads the file.
        self.node("Cast", [f"{name}.levels"], f"{name}.wide", to=TensorProto.FLOAT)
        return self.node("Mul", [f"{name}.wide", self.add(f"{name}.scale", scale)], name)

    def tap(self, x: str) -> None:
        self.taps.append(self.node("ReduceMean", [x, "both_axes"], f"{x}.mean", keepdims=0))

    def answers(self, maps: str, weights: Mapping[str, Array], calibration: tuple[float, float]) -> None:
        scale, shift = calibration
        head = weights["classifier.weight"].reshape(1, -1, 1, 1) * scale
        self.add("head.weight", head.astype(np.float32))
        self.add("head.bias", np.float32(weights["classifier.bias"].reshape(()) * scale + shift))
        self.add("pair", np.array([2, -1, MAP, MAP], np.int64))
        for at, name in enumerate(("own", "mirror")):
            self.add(f"at_{name}", np.array(at, np.int64))
        self.add("last_axis", np.array([2], np.int64))
        self.add("maps_axes", np.array([1, 2], np.int64))
        self.add("half", np.float32(0.5))
        self.node("Conv", [maps, "head.weight"], "evidence")
        self.node("Reshape", ["evidence", "pair"], "pairs")
        self.node("Gather", ["pairs", "at_own"], "cam_own", axis=0)
        self.node("Gather", ["pairs", "at_mirror"], "cam_mirrored", axis=0)
        self.node("Slice", ["cam_mirrored", "end", "begin", "last_axis", "back"], "cam_back")
        self.node("Add", ["cam_own", "cam_back"], "cam_sum")
        self.node("Mul", ["cam_sum", "half"], "cam")
        self.node("ReduceMean", ["cam", "maps_axes"], "cam_mean", keepdims=0)
        self.node("Add", ["cam_mean", "head.bias"], "logit")
        self.node("Sigmoid", ["logit"], "probability")

    def distance(self, centre: Array, whitening: Array) -> None:
        self.add("centre", centre.astype(np.float32))
        self.add("whitening", whitening.astype(np.float32))
        self.add("by_pair", np.array([2, -1, len(centre)], np.int64))
        self.add("first_axis", np.array([0], np.int64))
        self.add("one_axis", np.array([1], np.int64))
        self.node("Concat", self.taps, "tapped", axis=1)
        self.node("Reshape", ["tapped", "by_pair"], "tapped_pairs")
        self.node("ReduceMean", ["tapped_pairs", "first_axis"], "means", keepdims=0)
        self.node("Sub", ["means", "centre"], "off")
        self.node("MatMul", ["off", "whitening"], "white_off")
        self.node("Mul", ["white_off", "white_off"], "off_squared")
        self.node("ReduceMean", ["off_squared", "one_axis"], "mean_squared", keepdims=0)
        self.node("Sqrt", ["mean_squared"], "distance")
