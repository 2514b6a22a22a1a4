"""Two ONNX tree ensembles -> one, whose margin is the sum of theirs."""

import json
from typing import Any

import onnx

_TREE_IDS = {"nodes_treeids", "class_treeids"}
NODES = {
    *_TREE_IDS, "class_ids", "class_nodeids", "class_weights", "nodes_falsenodeids", "nodes_featureids",
    "nodes_missing_value_tracks_true", "nodes_modes", "nodes_nodeids", "nodes_truenodeids", "nodes_values",
}  # fmt: skip
"""Attributes with a value a node or a leaf, as the converter writes them."""


def attributes(model: onnx.ModelProto) -> dict[str, onnx.AttributeProto]:
    """Of the one node of the graph, by name; a change of them changes the model."""
    (trees,) = model.graph.node
    return {each.name: each for each in trees.attribute}


def metadata(model: onnx.ModelProto) -> dict[str, Any]:
    """What models.fraud.export wrote: texts as they are, the rest from JSON."""
    found: dict[str, Any] = {}
    for each in model.metadata_props:
        try:
            found[each.key] = json.loads(each.value)
        except ValueError:
            found[each.key] = each.value
    return found


def put_before(model: onnx.ModelProto, first: onnx.ModelProto, scale: float) -> None:
    """In place: first's trees with their leaves times `scale`, then the model's own; base values are left alone."""
    own, other = attributes(model), attributes(first)
    number = max(other["nodes_treeids"].ints) + 1
    for name in sorted(NODES):
        mine, theirs = own[name], other[name]
        if name in _TREE_IDS:
            mine.ints[:] = [*theirs.ints, *(number + each for each in mine.ints)]
        elif name == "class_weights":
            mine.floats[:] = [*(scale * each for each in theirs.floats), *mine.floats]
        else:
            for kind in ("ints", "floats", "strings"):
                getattr(mine, kind)[:] = [*getattr(theirs, kind), *getattr(mine, kind)]
