"""XGBoost model and calibration -> one ONNX file that carries its own description.

Input `features` float32 [rows, features]; output `probabilities` float32 [rows, 2], the second column the calibrated
probability of fraud. Calibration is Platt's a * margin + b: scaling the leaves by a and moving the base value does it
inside the trees, at no cost when scoring. A model that was built on another one has that one's trees in it too.
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

from models.fraud import ensemble


@dataclass(frozen=True)
class Platt:
    """probability = 1 / (1 + exp(-(a * margin + b)))."""

    a: float = 1.0
    b: float = 0.0

    def __call__(self, margin: NDArray) -> NDArray[np.float64]:
        """Calibrated probabilities of raw margins."""
        return 1 / (1 + np.exp(-(self.a * margin.astype(np.float64) + self.b)))


def to_onnx(
    model: XGBClassifier, platt: Platt, description: dict[str, Any], under: onnx.ModelProto | None = None
) -> onnx.ModelProto:
    """The ONNX model; `description` becomes metadata properties, strings as they are, the rest as JSON.

    under: an exported model whose margin `model` was trained on top of.
    """
    width = model.n_features_in_
    converted = convert_xgboost(model, initial_types=[("features", FloatTensorType([None, width]))], target_opset=15)
    (trees,) = (node for node in converted.graph.node if node.op_type == "TreeEnsembleClassifier")
    attributes = {attribute.name: attribute for attribute in trees.attribute}
    # The converter draws random names: without them, the same training gives the same file.
    trees.name, converted.graph.name = "trees", "fraud"
    weights, classes = attributes["class_weights"].floats, attributes["class_ids"].ints
    weights[:] = [platt.a * weight for weight in weights]
    # The converter takes the parallel trees of a round for classes of a softmax, and leaves a base value of 0 out.
    classes[:] = [0] * len(classes)
    attributes["post_transform"].s = b"LOGISTIC"
    if "base_values" in attributes:
        trees.attribute.remove(attributes["base_values"])
    base = _base_margin(model)
    if under is not None:
        ensemble.put_before(converted, under, platt.a)
        # Where XGBoost is given margins to begin with, they take the place of its own.
        (base,) = ensemble.attributes(under)["base_values"].floats
    trees.attribute.append(onnx.helper.make_attribute("base_values", [platt.a * base + platt.b]))
    properties = {key: value if isinstance(value, str) else json.dumps(value) for key, value in description.items()}
    onnx.helper.set_model_props(converted, properties)
    onnx.checker.check_model(converted)
    return converted


def _base_margin(model: XGBClassifier) -> float:
    learned = json.loads(model.get_booster().save_config())["learner"]["learner_model_param"]["base_score"]
    probability = float(learned.strip("[]"))
    return float(np.log(probability / (1 - probability)))


def score(model: onnx.ModelProto | Path, rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities of fraud as ONNX Runtime computes them with one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    source = str(model) if isinstance(model, Path) else model.SerializeToString()
    session = onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    (probabilities,) = session.run(["probabilities"], {"features": rows})
    return np.asarray(probabilities[:, 1])
