"""XGBoost model and calibration -> one ONNX file that carries its own description.

Input `features` float32 [rows, features]; output `probabilities` float32 [rows, 2], the second column the calibrated
probability of fraud. Calibration is Platt's a * margin + b: scaling the leaves by a and moving the base value does it
inside the trees, at no cost when scoring.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnxmltools.convert import convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType
from xgboost import XGBClassifier


@dataclass(frozen=True)
class Platt:
    """probability = 1 / (1 + exp(-(a * margin + b)))."""

    a: float = 1.0
    b: float = 0.0

    def __call__(self, margin: NDArray) -> NDArray[np.float64]:
        """Calibrated probabilities of raw margins."""
        return 1 / (1 + np.exp(-(self.a * margin.astype(np.float64) + self.b)))


def to_onnx(model: XGBClassifier, platt: Platt, description: dict[str, Any]) -> onnx.ModelProto:
    """The ONNX model; `description` becomes metadata properties, strings as they are, the rest as JSON."""
    width = model.n_features_in_
    converted = convert_xgboost(
        model, initial_types=[("features", FloatTensorType([None, width]))], target_opset=15
    )
    (trees,) = (node for node in converted.graph.node if node.op_type == "TreeEnsembleClassifier")
    attributes = {attribute.name: attribute for attribute in trees.attribute}
    weights = attributes["class_weights"].floats
    weights[:] = [platt.a * weight for weight in weights]
    if "base_values" not in attributes:  # left out when it is 0
        trees.attribute.append(onnx.helper.make_attribute("base_values", [platt.b]))
    else:
        base = attributes["base_values"].floats
        base[:] = [platt.a * value + platt.b for value in base]
    properties = {key: value if isinstance(value, str) else json.dumps(value) for key, value in description.items()}
    onnx.helper.set_model_props(converted, properties)
    onnx.checker.check_model(converted)
    return converted


def score(model: onnx.ModelProto | Path, rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities of fraud as ONNX Runtime computes them with one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    source = str(model) if isinstance(model, Path) else model.SerializeToString()
    session = onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    (probabilities,) = session.run(["probabilities"], {"features": rows})
    return np.asarray(probabilities[:, 1])
