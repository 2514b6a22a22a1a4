"""Trees in tensor form are the same model, by ONNX Runtime and by matrix products; the compile step says its needs."""

import json
from dataclasses import astuple
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from models.container import neuron
from models.container.tensors import UnsupportedModelError, as_graph, margins, tensors
from models.fraud.export import Platt, score, to_onnx
from models.fraud.learning import model
from tests.models.container_process import ROOT

SHIPPED = ROOT / "models" / "fraud" / "model.onnx"


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    """Golden rows, the same with values at random, and values that lie exactly on thresholds."""
    golden = json.loads((ROOT / "models" / "fraud" / "golden.json").read_text())
    real = np.array([row["features"] for row in golden], np.float32)
    rng = np.random.default_rng(1)
    mixed = np.stack([rng.permutation(column) for column in np.repeat(real, 20, axis=0).T], axis=1)
    made = tensors(onnx.load(SHIPPED))
    thresholds = made.a * made.b  # [features, nodes]: where a feature's nodes cut
    exact = np.stack([rng.choice(cuts[cuts != 0] if cuts.any() else [0.0], 300) for cuts in thresholds], axis=1)
    return np.concatenate([real, mixed, exact.astype(np.float32)])


def test_the_graph_scores_as_the_trees_do(rows: np.ndarray) -> None:
    trees = onnx.load(SHIPPED)
    graph = as_graph(trees)
    assert not {node.op_type for node in graph.graph.node} & {"TreeEnsembleClassifier", "TreeEnsemble"}
    assert np.abs(score(graph, rows) - score(trees, rows)).max() < 1e-6
    described = [{entry.key: entry.value for entry in each.metadata_props} for each in (graph, trees)]
    assert described[0] == described[1]


def test_what_is_compiled_scores_as_the_trees_do(rows: np.ndarray) -> None:
    found = margins(rows, *astuple(tensors(onnx.load(SHIPPED))))
    assert np.abs(1 / (1 + np.exp(-found)) - score(SHIPPED, rows)).max() < 1e-6


@pytest.mark.parametrize("frauds", [0.5, 0.001])
def test_trees_of_any_shape(frauds: float) -> None:
    rng = np.random.default_rng(5)
    made = rng.normal(size=(2000, 4)).astype(np.float32)
    truth = made[:, 0] > np.quantile(made[:, 0], 1 - frauds)  # few frauds leave trees of a single leaf
    exported = to_onnx(model(seed=1, rounds=5).fit(made, truth), Platt(1.3, -0.4), {"version": "v"})
    assert np.abs(score(as_graph(exported), made) - score(exported, made)).max() < 1e-6


def test_other_graphs_are_refused() -> None:
    value = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [None, 2])
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", [value], [value])
    with pytest.raises(UnsupportedModelError, match="0 TreeEnsembleClassifier"):
        tensors(helper.make_model(graph))


def test_without_the_neuron_sdk_the_compile_step_says_what_it_needs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert neuron.missing(), "this test is for machines without the Neuron SDK"
    assert neuron.main(["--model", str(SHIPPED), "--out", str(tmp_path / "out"), "--rows", "64"]) == 2
    told = capsys.readouterr().err
    assert "torch_neuronx" in told
    assert f"python -m models.container.neuron --model {SHIPPED} --out {tmp_path / 'out'} --rows 64" in told
    assert not (tmp_path / "out").exists()


def test_the_compile_step_names_what_is_no_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = tmp_path / "model.onnx"
    wrong.write_bytes(b"not a model")
    assert neuron.main(["--model", str(wrong), "--out", str(tmp_path)]) == 1
    assert f"{wrong} cannot be compiled" in capsys.readouterr().err
