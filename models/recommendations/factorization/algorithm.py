"""The built-in algorithm's container without AWS: channel train (recordIO-protobuf) -> model/model_algo-1.

    SAGEMAKER_BASE_DIR=ml python -m models.recommendations.factorization.algorithm train

Stands for the image `factorization-machines` where that cannot be pulled, which is everywhere but in SageMaker: the
same hyperparameters, input and output; another implementation, so other figures.
"""

import io
import json
import logging
import sys
import tarfile
import traceback
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import numpy as np
from scipy import sparse

from models.container import paths
from models.recommendations.factorization import recordio
from models.recommendations.factorization.machine import Setting, scores, trained
from models.recommendations.factorization.parameters import Floats, Parameters, packed

log = logging.getLogger(__name__)

FAILED = 1
REQUIRED = ("feature_dim", "num_factors", "predictor_type")
# Known to the algorithm on AWS, without a counterpart here: they choose how, not what, it learns.
PASSED_OVER = {
    "bias_init_method", "bias_init_scale", "bias_init_sigma", "bias_init_value", "linear_init_method",
    "linear_init_scale", "linear_init_sigma", "linear_init_value", "factors_init_method", "factors_init_scale",
    "factors_init_value", "clip_gradient", "eps", "rescale_grad",
}  # fmt: skip


def train() -> int:
    """The exit status; what goes wrong is in output/failure, in words."""
    base = paths.directory()
    try:
        given = json.loads((base / "input" / "config" / "hyperparameters.json").read_text(encoding="utf-8"))
        setting = _setting({name: str(value) for name, value in given.items()})
        rows, labels = _channel(base / "input" / "data" / "train", int(given["feature_dim"]))
        model = trained(rows, labels, setting, _tell)
        test = base / "input" / "data" / "test"
        if test.is_dir():
            _tested(*_channel(test, int(given["feature_dim"])), model)
        out = base / "model"
        out.mkdir(parents=True, exist_ok=True)
        with tarfile.open(fileobj=io.BytesIO(packed(model))) as tar:
            tar.extractall(out, filter="data")
    except Exception as error:
        log.exception("training failed")
        failure = base / "output" / "failure"
        failure.parent.mkdir(parents=True, exist_ok=True)
        failure.write_text(f"{error}\n\n{traceback.format_exc()}", encoding="utf-8")
        return FAILED
    return 0


def _setting(given: Mapping[str, str]) -> Setting:
    """Raises ValueError for what the algorithm on AWS would refuse too."""
    missing = [name for name in REQUIRED if name not in given]
    if missing:
        raise ValueError(f"Customer Error: hyperparameters {', '.join(missing)} are required")
    if given["predictor_type"] != "binary_classifier":
        raise ValueError(f"Customer Error: predictor_type {given['predictor_type']!r} is not served here")
    kinds = {each.name: type(each.default) for each in fields(Setting)}
    unknown = sorted(given.keys() - kinds.keys() - set(REQUIRED) - PASSED_OVER)
    if unknown:
        raise ValueError(f"Customer Error: unknown hyperparameters: {', '.join(unknown)}")
    return Setting(**{name: kind(given[name]) for name, kind in kinds.items() if name in given})


def _channel(directory: Path, width: int) -> tuple[sparse.csr_matrix, Floats]:
    found = []
    for path in sorted(each for each in directory.rglob("*") if each.is_file()):
        with path.open("rb") as file:
            try:
                found.append(recordio.read(file))
            except ValueError as error:
                raise ValueError(f"Customer Error: {path.name}: {error}") from error
    if not found:
        raise ValueError(f"Customer Error: channel {directory.name} is empty")
    rows = sparse.csr_matrix(sparse.vstack([each for each, _ in found]))
    if rows.shape[1] > width:
        raise ValueError(f"Customer Error: rows have {rows.shape[1]} columns, feature_dim is {width}")
    rows.resize((rows.shape[0], width))
    return rows, np.concatenate([labels for _, labels in found])


def _tell(epoch: int, loss: float) -> None:
    log.info("#quality_metric: epoch=%d, train binary_classification_cross_entropy <loss>=%.5f", epoch, loss)


def _tested(rows: sparse.csr_matrix, labels: Floats, model: Parameters) -> None:
    found = scores(rows, model)
    accuracy = float(((found > 0) == (labels > 0)).mean())
    log.info("#quality_metric: host=algo-1, test binary_classification_accuracy <score>=%.5f", accuracy)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(levelname)s %(message)s")
    if sys.argv[1:] != ["train"]:
        print("usage: python -m models.recommendations.factorization.algorithm train", file=sys.stderr)  # noqa: T201
        sys.exit(2)
    sys.exit(train())
