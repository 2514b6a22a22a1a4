"""Champion, challenger and evaluate.parquet -> evaluation.json: what the pipeline's gate compares with its limits.

    python -m models.fraud.gate

Reads /opt/ml/processing/{champion,challenger}/model.tar.gz and evaluate/, writes evaluation/evaluation.json. Both
models score the same latest rows, with the labels known now. Nothing is decided here: the limits are the pipeline's.
"""

import argparse
import hashlib
import json
import logging
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cuatro.errors import ModelMismatch
from functions.fraud.features import FEATURE_SET, FEATURES
from models.container import paths, processing
from models.container.archive import unpack
from models.container.loading import ServedModel
from models.fraud import slices, training_set
from models.fraud.comparison import lower_gain, seconds
from models.fraud.evaluate import calibration, figures

log = logging.getLogger(__name__)

GOLDEN_TOLERANCE = 1e-6
UNUSABLE = {"average_precision": -1.0, "lower": -1.0, "ece": 1.0, "latency_ratio": 0.0, "worst_slice": 1.0}
"""The gain of a challenger that cannot be scored at all: no limit lets it pass."""


class Contender:
    """A model from an archive. Raises ValueError for a bad archive, ModelMismatch for a model that does not fit."""

    def __init__(self, directory: Path) -> None:
        with tempfile.TemporaryDirectory() as unpacked:
            unpack(directory, Path(unpacked))
            model = Path(unpacked) / "model.onnx"
            self.sha256 = hashlib.sha256(model.read_bytes()).hexdigest() if model.is_file() else ""
            self.model = ServedModel(Path(unpacked))
            golden = Path(unpacked) / "golden.json"
            self.golden = json.loads(golden.read_text(encoding="utf-8")) if golden.is_file() else []
        if self.model.width != len(FEATURES):
            raise ModelMismatch(f"it takes {self.model.width} features, this code makes {len(FEATURES)}")
        if self.model.features not in {(), FEATURES}:  # as many, and yet others: its scores would mean nothing
            raise ModelMismatch("its metadata names other features than this code makes")

    def flagged(self, scores: NDArray, share: float) -> NDArray[np.bool_]:
        """Rows from the review threshold on; a model without thresholds flags the given share."""
        limit = self.model.thresholds.get("review")
        return scores >= (np.quantile(scores, 1 - share) if limit is None else limit)


def evaluated(champion: Contender, challenger: Contender, rows: pd.DataFrame) -> dict[str, Any]:
    """evaluation.json of two models that take these rows."""
    matrix, fraud = training_set.matrix(rows), training_set.labels(rows)
    scores = {"champion": champion.model.score(matrix), "challenger": challenger.model.score(matrix)}
    fine, why = _sane(challenger, scores["challenger"])
    if not fine:
        return refused(champion, challenger, why)
    table = rows.assign(TX_FRAUD=fraud.astype(int), CUSTOMER_ID=rows["card_id"])
    took = seconds(matrix, champion.model.score, challenger.model.score)
    told: dict[str, Any] = {}
    for name, contender, best in (("champion", champion, took[0]), ("challenger", challenger, took[1])):
        told[name] = {
            "version": contender.model.version or "unknown",
            **figures(table, scores[name]),
            **calibration(fraud, scores[name].astype(np.float64)),
            "ms_per_1000": best * 1000,
            "thresholds": contender.model.thresholds,
            "sha256": contender.sha256,
        }
    told["challenger"]["feature_set"] = FEATURE_SET
    flagged = {"challenger": challenger.flagged(scores["challenger"], 0.01)}
    flagged["champion"] = champion.flagged(scores["champion"], float(flagged["challenger"].mean()))
    by_slice, worst, where = slices.compared(rows, fraud, flagged)
    before, after = told["champion"], told["challenger"]
    gain = {
        "average_precision": after["average_precision"] - before["average_precision"],
        "lower": lower_gain(fraud, rows["card_id"].to_numpy(), scores["champion"], scores["challenger"]),
        "ece": after["ece"] - before["ece"],
        "latency_ratio": took[1] / took[0],
        "worst_slice": worst,
    }
    return {
        **told,
        "gain": gain,
        "slices": by_slice,
        "sane": 1,
        "rows": len(rows),
        "frauds": int(fraud.sum()),
        "summary": _summary(told, gain, where),
    }


def refused(champion: Contender, challenger: Contender | None, why: str) -> dict[str, Any]:
    """evaluation.json of a challenger that no limit lets pass."""
    version, sha256 = (challenger.model.version or "unknown", challenger.sha256) if challenger else ("unknown", "")
    return {
        "champion": {"version": champion.model.version or "unknown"},
        "challenger": {"version": version, "sha256": sha256},
        "gain": UNUSABLE,
        "slices": {},
        "sane": 0,
        "summary": f"the challenger cannot be used: {why}",
    }


def _sane(challenger: Contender, scores: NDArray[np.float32]) -> tuple[bool, str]:
    limits = challenger.model.thresholds
    if challenger.model.features != FEATURES:
        return False, "its metadata names other features than this code makes"
    if not np.isfinite(scores).all() or scores.min() < 0 or scores.max() > 1:
        return False, "its scores are no probabilities"
    if not 0 < limits.get("review", 0) <= limits.get("decline", 0) <= 1:
        return False, f"its thresholds are {limits}"
    if not challenger.golden:
        return False, "its archive has no golden.json"
    made = np.array([row["features"] for row in challenger.golden], np.float32)
    expected = np.array([row["score"] for row in challenger.golden])
    if not np.abs(challenger.model.score(made) - expected).max() <= GOLDEN_TOLERANCE:  # nor if it is not a number
        return False, "it does not give its golden rows their scores"
    return True, ""


def _summary(told: dict[str, Any], gain: dict[str, float], where: str) -> str:
    before, after = told["champion"], told["challenger"]
    worst = f"largest loss {gain['worst_slice']:.3f} ({where})" if where else "no slice loses"
    return (
        f"average precision {after['average_precision']:.3f} against {before['average_precision']:.3f} of "
        f"{before['version']} ({gain['average_precision']:+.3f}, with 95 % certainty {gain['lower']:+.3f} or more), "
        f"calibration error {gain['ece']:+.4f}, {gain['latency_ratio']:.1f} times its time, {worst}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: the exit status."""
    argparse.ArgumentParser(
        prog="python -m models.fraud.gate",
        description=str(__doc__),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).parse_args(arguments)

    def work() -> None:
        base = paths.resolved("/opt/ml/processing")
        rows = training_set.read(base / "evaluate", "evaluate")
        try:
            champion = Contender(base / "champion")
        except ModelMismatch as error:
            raise ValueError(f"the champion cannot be compared with: {error}") from error
        try:
            found = evaluated(champion, Contender(base / "challenger"), rows)
        except ModelMismatch as error:
            found = refused(champion, None, str(error))
        processing.write(base / "evaluation" / "evaluation.json", found)
        log.info("%s", found["summary"])

    return processing.run(work)


if __name__ == "__main__":
    sys.exit(main())
