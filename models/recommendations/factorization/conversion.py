"""Parameters of a factorization machine + the items' names -> the ONNX file that the pipeline serves.

Inputs and outputs are those of models/recommendations/export.py: a profile goes in, the best items come out, with the
item of the profile that speaks most for each. What pairs within the profile add is the same for every item, so it is
left out; the score is w_i + <v_i, sum_j x_j v_j> over the profile's newest items, weights x with sum 1.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from models.recommendations.export import described, inputs, outputs
from models.recommendations.factorization.encoding import NEWEST
from models.recommendations.factorization.parameters import Parameters


def to_onnx(model: Parameters, names: Sequence[str], fade: float, description: dict[str, Any]) -> onnx.ModelProto:
    """Raises ValueError when the parameters are not of rows of encoding.encoded for these items."""
    count = len(names)
    if model.linear.shape != (2 * count,) or model.factors.shape[0] != 2 * count:
        raise ValueError(f"{len(model.linear)} columns, {count} items: a model of other items, or of other rows")
    graph = helper.make_graph(
        _nodes(),
        "recommendations",
        inputs(),
        outputs(),
        [
            numpy_helper.from_array(value, name)
            for name, value in {
                "bias": model.linear[:count].astype(np.float32),
                "asked": model.factors[:count].T.astype(np.float16),
                "had": model.factors[count:].astype(np.float16),
                "fade": np.float32(-fade),
                "tiny": np.float32(1e-12),
                "profile": np.array([NEWEST], np.int64),
                "zero": np.int64(0),
                "zeros": np.array([0], np.int64),
                "one": np.int64(1),
                "ones": np.array([1], np.int64),
                "one_f": np.float32(1),
                "minus": np.float32(-np.inf),
                "nothing": np.zeros((1, 1), np.float32),
                "count": np.array([count], np.int64),
            }.items()
        ],
    )
    return described(graph, names, description)


def _nodes() -> list[onnx.NodeProto]:
    node = helper.make_node
    return [
        node("Slice", ["items", "zeros", "profile"], ["newest"]),
        node("Shape", ["newest"], ["shape"]),
        node("Squeeze", ["shape", "zeros"], ["length"]),
        node("Range", ["zero", "length", "one"], ["places"]),
        node("Cast", ["places"], ["places_f"], to=TensorProto.FLOAT),
        node("Add", ["places_f", "one_f"], ["from_one"]),
        node("Pow", ["from_one", "fade"], ["by_place"]),
        node("ReduceSum", ["by_place"], ["total"], keepdims=0),
        node("Max", ["total", "tiny"], ["divisor"]),
        node("Div", ["by_place", "divisor"], ["weights"]),
        node("Unsqueeze", ["weights", "ones"], ["weight_column"]),
        # What each item of the profile gives to every item: [n, f] times [f, items].
        node("Gather", ["had", "newest"], ["had_16"], axis=0),
        node("Cast", ["had_16"], ["had_32"], to=TensorProto.FLOAT),
        node("Mul", ["had_32", "weight_column"], ["weighted"]),
        node("ReduceSum", ["weighted", "zeros"], ["taste"], keepdims=1),
        node("Cast", ["asked"], ["asked_32"], to=TensorProto.FLOAT),
        node("MatMul", ["taste", "asked_32"], ["by_taste"]),
        node("Squeeze", ["by_taste", "zeros"], ["from_profile"]),
        node("Add", ["bias", "from_profile"], ["all"]),
        node("Shape", ["exclude"], ["excluded"]),
        node("Expand", ["minus", "excluded"], ["never"]),
        node("ScatterElements", ["all", "exclude", "never"], ["allowed"], axis=0),
        node("Min", ["k", "count"], ["most"]),
        node("TopK", ["allowed", "most"], ["scores", "top"], axis=0),
        # Which item of the profile gave most; a row of zeros before them stands for none.
        node("Gather", ["asked_32", "top"], ["listed"], axis=1),
        node("MatMul", ["weighted", "listed"], ["by_item"]),
        node("Concat", ["ones", "most"], ["none_shape"], axis=0),
        node("Expand", ["nothing", "none_shape"], ["none"]),
        node("Concat", ["none", "by_item"], ["reasons"], axis=0),
        node("ArgMax", ["reasons"], ["first"], axis=0, keepdims=0),
        node("Sub", ["first", "one"], ["because"]),
    ]
