"""What the built-in algorithm left, and the set it was trained on -> the pipeline's archive: the model as it is served.

    python -m models.recommendations.factorization.convert

Reads /opt/ml/processing/{trained,train,evaluate,summary}, writes model/model.tar.gz with model.onnx, metrics.json and
golden.json. Its figures are of the newest days, which it was not trained on, beside popularity and item-kNN there.
"""

import argparse
import json
import logging
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx

from cuatro.adapters.ranker import OnnxRanker
from models.container import archive, paths, processing
from models.recommendations import data, export
from models.recommendations.contender import LONGEST, Case
from models.recommendations.data import Histories
from models.recommendations.factorization.conversion import to_onnx
from models.recommendations.factorization.encoding import NEWEST
from models.recommendations.factorization.measure import Machine
from models.recommendations.factorization.parameters import Parameters, unpacked
from models.recommendations.fitting import CHECKED, Trained, checked, save
from models.recommendations.gate import inputs
from models.recommendations.lists import measured
from models.recommendations.ranking import item_knn, popularity

log = logging.getLogger(__name__)

TERMS = "the newest days, which it was not trained on"


class Told(NamedTuple):
    """How the rows were made."""

    fade: float
    seed: int


def exact(model: Parameters) -> Parameters:
    """As the file keeps them, so that what is measured and checked is what is served.

    Raises ValueError for parameters that are no numbers, or too large for the file.
    """
    kept = model._replace(factors=model.factors.astype(np.float16).astype(np.float32))
    if not all(np.isfinite(each).all() for each in (kept.linear, kept.factors)):
        raise ValueError("the algorithm left parameters that are no numbers: its learning did not converge")
    return kept


def converted(model: Parameters, train: Histories, told: Told, metrics: Mapping[str, Any]) -> Trained:
    """The files of an exact() machine that was trained on rows of `train`. metrics: its figures, with their terms.

    Raises ValueError for parameters of other rows.
    """
    digest = train.digest()
    described = {
        "version": f"recommendations-fm-{digest[:8]}-{told.seed}",
        "data_hash": digest,
        "profile": NEWEST,
        "popularity": train.counts.tolist(),
        **({"trained_until": int(train.days.max() * data.DAY)} if train.timed else {}),
        "model": {"kind": "factorization machine", "factors": model.factors.shape[1], "fade": told.fade},
        "metrics": {key: metrics[key] for key in ("recall_10", "ndcg_10", "recall_20", "ndcg_20", "terms")},
    }
    made = to_onnx(model, train.names, told.fade, described)
    some = np.arange(min(CHECKED, len(train.users)))
    golden, largest = checked(made, Machine(model, told.fade), train.of(some))
    names = ("version", "data_hash", "model")
    kept = {**metrics, **{name: described[name] for name in names}, "seed": told.seed, "onnx_max_difference": largest}
    return Trained(made, kept, golden)


def figures(model: onnx.ModelProto, cases: Sequence[Case], rows: dict[str, int]) -> dict[str, float]:
    """Of a file, on what people took next; rows: of each item in training."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "model.onnx"
        path.write_bytes(model.SerializeToString())
        ranker = OnnxRanker(path)
    return measured(cases, [ranker.rank(each.user, each.taken, each.seen, LONGEST) for each in cases], rows).figures


def convert(base: Path) -> dict[str, Any]:
    """Do it below `base`; what is told in metrics.json. Raises ValueError for what does not belong together."""
    summary = json.loads((base / "summary" / "summary.json").read_text(encoding="utf-8"))
    train = data.histories(data.read(base / "train" / "train.parquet"))
    if train.digest() != summary["data_hash"]:
        raise ValueError("the training data are not those of the summary: they were exchanged or damaged")
    (left,) = [path for path in (base / "trained").iterdir() if path.is_file()]
    model, rows_of = exact(unpacked(left.read_bytes())), summary["factorization"]
    told = Told(rows_of["fade"], rows_of["seed"])
    cases, rows = inputs(base / "evaluate")
    baselines = {
        each.kind: figures(export.to_onnx(each, train.names, {}), cases, rows)
        for each in (popularity(train), item_knn(train))
    }
    own = figures(to_onnx(model, train.names, told.fade, {}), cases, rows)
    made = converted(model, train, told, {**own, "terms": TERMS, "baselines": baselines, "rows": summary["rows"]})
    with tempfile.TemporaryDirectory() as directory:
        save(Path(directory), *made)
        archive.pack(Path(directory), base / "model" / "model.tar.gz")
    return made.metrics


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: the exit status."""
    argparse.ArgumentParser(
        prog="python -m models.recommendations.factorization.convert", description=str(__doc__).split("\n")[0]
    ).parse_args(arguments)
    return processing.run(lambda: log.info("%s", json.dumps(convert(paths.resolved("/opt/ml/processing")))))


if __name__ == "__main__":
    sys.exit(main())
