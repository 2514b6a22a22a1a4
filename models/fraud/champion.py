"""The live model's archive -> its trees and margins, to build another model upon, or why that cannot be done.

Its metadata must say until when its training rows were (`trained_until`, unix seconds): a row that it learned from says
nothing about what it knows, so only later rows can teach, calibrate and judge a model that is built upon it.
"""

import hashlib
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from functions.fraud.features import FEATURES
from models.container.archive import unpack
from models.fraud.ensemble import NODES, attributes, metadata

MOST_TREES = 720
"""A model on a champion has up to a third more trees: it ends at 960, three times those of the shipped model."""


class NotBuiltUponError(ValueError):
    """Says why a champion cannot be built upon; another model is then trained from scratch."""


class Champion:
    """version, trees (their number), trained_until, sha256; model: the ONNX file as it is."""

    def __init__(self, model: onnx.ModelProto) -> None:
        """Raises NotBuiltUponError."""
        told = metadata(model)
        nodes = model.graph.node
        if [node.op_type for node in nodes] != ["TreeEnsembleClassifier"]:
            raise NotBuiltUponError(f"it is no single tree ensemble, but {', '.join(node.op_type for node in nodes)}")
        given = attributes(model)
        if set(given) != NODES | {"base_values", "classlabels_int64s", "post_transform"}:
            raise NotBuiltUponError("its trees are described in another way than models.fraud.export does")
        if given["post_transform"].s != b"LOGISTIC" or set(given["class_ids"].ints) != {0}:
            raise NotBuiltUponError("its trees do not add up to the margin of one probability")
        if told.get("features") != list(FEATURES):
            raise NotBuiltUponError("its metadata names other features than this code makes")
        until = told.get("trained_until")
        if not isinstance(until, int):
            raise NotBuiltUponError("its metadata does not say until when its training rows were (trained_until)")
        self.model, self.trained_until = model, until
        self.version = str(told.get("version", "unknown"))
        self.trees = len(set(given["nodes_treeids"].ints))
        if self.trees > MOST_TREES:
            raise NotBuiltUponError(f"it has {self.trees} trees, and {MOST_TREES} are the most to add others to")
        self.sha256 = hashlib.sha256(model.SerializeToString(deterministic=True)).hexdigest()
        self._session = _margins(model)

    def margin(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Log odds of fraud, as calibrated when it was made."""
        (scores,) = self._session.run(["probabilities"], {"features": rows})
        return np.asarray(scores[:, 1])


def read(directory: Path) -> Champion:
    """Of the one archive in a directory. Raises NotBuiltUponError, and ValueError for what is no archive."""
    with tempfile.TemporaryDirectory() as unpacked:
        unpack(directory, Path(unpacked))
        path = Path(unpacked) / "model.onnx"
        if not path.is_file():
            raise NotBuiltUponError("there is no model.onnx in its archive")
        try:
            model = onnx.load(path)
        except DecodeError as error:
            raise NotBuiltUponError(f"its model.onnx is no ONNX model: {error}") from error
    return Champion(model)


def _margins(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    """The same trees, and no logistic function behind them: near 0 and 1 a probability no longer tells the margin."""
    plain = onnx.ModelProto()
    plain.CopyFrom(model)
    attributes(plain)["post_transform"].s = b"NONE"
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(plain.SerializeToString(), options, providers=["CPUExecutionProvider"])
