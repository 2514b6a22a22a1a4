"""The shipped ONNX model -> an XGBoost model of its size on the same features, for the handlers that use XGBoost.

Its scores are not those of the shipped model (no calibration, fewer rows), its cost is: trained with its parameters.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import onnx
from xgboost import Booster

from models.fraud import data, learning
from models.fraud.simulator import Simulation, simulate


@dataclass(frozen=True)
class Size:
    """Of a tree ensemble: trees, and their splits and leaves together."""

    trees: int
    nodes: int


def shipped(model: Path) -> tuple[Size, dict[str, float]]:
    """Size of an ONNX tree ensemble, and the thresholds in its metadata."""
    graph = onnx.load(str(model))
    ids: list[int] = []
    for node in graph.graph.node:
        attributes = {attribute.name: attribute for attribute in node.attribute}
        if "nodes_treeids" in attributes:
            ids.extend(attributes["nodes_treeids"].ints)
    metadata = {entry.key: entry.value for entry in graph.metadata_props}
    return Size(len(set(ids)), len(ids)), json.loads(metadata["thresholds"])


def equal(model: Path, work: Path) -> Path:
    """File of the XGBoost model (UBJSON), trained once for each shipped model and kept in `work`."""
    path = work / f"peer-{hashlib.sha256(model.read_bytes()).hexdigest()[:16]}.ubj"
    if not path.exists():
        work.mkdir(parents=True, exist_ok=True)
        purchases = data.prepare(simulate(Simulation(days=30, customers=1500, terminals=1500)))
        rows = data.features(purchases, data.known_at(purchases, 7))
        learning.model(seed=7).fit(rows, purchases["TX_FRAUD"].to_numpy()).save_model(path)
    return path


def sizes(model: Path, work: Path) -> dict[str, Any]:
    """Of the shipped model and of its peer, for the report."""
    nodes = Booster(model_file=str(equal(model, work))).trees_to_dataframe()
    peer = Size(nodes["Tree"].nunique(), len(nodes))
    return {"shipped": asdict(shipped(model)[0]), "xgboost": asdict(peer)}
