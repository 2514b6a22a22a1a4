"""An ONNX classifier -> its last linear layer; another last layer -> the same file with it.

probabilities = softmax(scale * (embedding @ weight + bias) + whatever else the network adds), so that a change of the
layer is a change of the logits that is known without running the network again.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from cuatro.errors import ModelMismatch

WEIGHT, BIAS, SCALE = "head.weight", "head.bias", "scale"
EMBEDDING, PROBABILITIES = "embedding", "probabilities"
CLASSES = 3

Array = NDArray[np.float64]


class Head(NamedTuple):
    """weight: [3, d]; bias: [3]; scale: [3], by which both are multiplied before the softmax."""

    weight: Array
    bias: Array
    scale: Array


def head(model: onnx.ModelProto) -> Head:
    """Raises ModelMismatch when the file has no such layer."""
    found = {each.name: each for each in model.graph.initializer if each.name in {WEIGHT, BIAS, SCALE}}
    if missing := {WEIGHT, BIAS, SCALE} - found.keys():
        raise ModelMismatch(f"it has no {', '.join(sorted(missing))}: its last layer cannot be fitted anew")
    weight, bias, scale = (numpy_helper.to_array(found[name]).astype(np.float64) for name in (WEIGHT, BIAS, SCALE))
    if weight.ndim != 2 or CLASSES not in weight.shape or bias.size != CLASSES or scale.size not in {1, CLASSES}:
        raise ModelMismatch(
            f"its last layer is {weight.shape} with {bias.size} and {scale.size}, not of {CLASSES} classes"
        )
    rows = weight if weight.shape[0] == CLASSES else weight.T
    return Head(rows, bias.reshape(-1), np.broadcast_to(scale.reshape(-1), CLASSES).copy())


def with_head(model: onnx.ModelProto, changed: Head, told: Mapping[str, str]) -> onnx.ModelProto:
    """A copy with this weight and bias, and these properties in its metadata. The scale stays. Raises ModelMismatch."""
    head(model)
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for each in copy.graph.initializer:
        if each.name in {WEIGHT, BIAS}:
            before = numpy_helper.to_array(each)
            values = changed.weight if each.name == WEIGHT else changed.bias
            shaped = values.T if each.name == WEIGHT and before.shape[0] != CLASSES else values
            each.CopyFrom(numpy_helper.from_array(shaped.reshape(before.shape).astype(before.dtype), each.name))
    kept = {each.key: each.value for each in copy.metadata_props} | dict(told)
    del copy.metadata_props[:]
    onnx.helper.set_model_props(copy, kept)
    return copy
