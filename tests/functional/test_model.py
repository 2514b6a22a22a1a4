"""The model's adapter: the right file scores, a wrong one is refused."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from cuatro.adapters.model import OnnxModel
from cuatro.errors import ModelMismatch
from functions.fraud.features import FEATURES
from tests.functional import tiny_model


def test_a_model_scores_and_says_what_it_is(tiny: Path) -> None:
    model = OnnxModel(tiny, FEATURES, sha256=hashlib.sha256(tiny.read_bytes()).hexdigest())
    matrix = np.zeros((3, len(FEATURES)), np.float32)
    matrix[:, FEATURES.index("amount")] = [0, 100, 200]
    scores = model.score(matrix)
    np.testing.assert_allclose(scores, 1 / (1 + np.exp([3, 0, -3])), rtol=1e-6)
    assert (scores.dtype, scores.shape) == (np.float32, (3,))
    assert (model.version, model.thresholds, len(model.baseline)) == ("tiny-1", tiny_model.THRESHOLDS, len(FEATURES))
    assert model._session.get_session_options().intra_op_num_threads == 1


def test_other_features_are_refused_by_name(tmp_path: Path) -> None:
    other = tiny_model.save(tmp_path / "m.onnx", {}, 0.0, features=(*FEATURES[:-1], "shoe_size"))
    with pytest.raises(ModelMismatch, match="shoe_size"):
        OnnxModel(other, FEATURES)


def test_the_same_features_in_another_order_are_refused(tmp_path: Path) -> None:
    other = tiny_model.save(tmp_path / "m.onnx", {}, 0.0, features=FEATURES[::-1])
    with pytest.raises(ModelMismatch, match="their order"):
        OnnxModel(other, FEATURES)


def test_another_output_or_checksum_is_refused(tmp_path: Path, tiny: Path) -> None:
    with pytest.raises(ModelMismatch, match="probabilities"):
        OnnxModel(tiny_model.save(tmp_path / "m.onnx", {}, 0.0, output="scores"), FEATURES)
    with pytest.raises(ModelMismatch, match="checksum"):
        OnnxModel(tiny, FEATURES, sha256="0" * 64)


SHIPPED = Path(__file__).parents[2] / "models/fraud/model.onnx"


def test_the_shipped_model_fits_the_code() -> None:
    model = OnnxModel(SHIPPED, FEATURES)
    assert 0 < model.thresholds["review"] < model.thresholds["decline"] < 1
    assert len(model.baseline) == len(FEATURES)
    assert model.version
