"""What the window holds and the live model's reference -> the report on drift."""

from typing import Any

import numpy as np

from cuatro.times import text_of
from functions.fraud.drift import shift
from functions.fraud.drift.performance import performance
from functions.fraud.drift.window import Bounds, Window
from functions.fraud.features import FEATURES
from functions.fraud.scoring import Scoring


def report(window: Window, bounds: Bounds, model: Scoring) -> dict[str, Any]:
    """JSON; figures that cannot be told (too few rows, too few frauds, no reference) are left out."""
    matrix = np.frombuffer(b"".join(window.now), "<f4").reshape(-1, len(FEATURES))
    features = shift.of_features(matrix, model.reference.get("features", {}))
    told: dict[str, Any] = {
        "as_of": _text(bounds.as_of.timestamp()),
        "window_days": bounds.window.days,
        "delay_days": bounds.delay.days,
        "model_version": model.version,
        "rows": window.now.seen,
        "sampled": len(window.now),
        "frauds": window.known_frauds,
        "new_fraud_labels": window.new_frauds,
        "bad_lines": window.bad,
        "bad_line_examples": window.named,
        "other_features": window.other_features,
    }
    if features:
        told["feature_psi"] = features
        told["input_psi_max"] = max(features.values())
    if len(matrix) >= shift.MIN_ROWS and "scores" in model.reference:
        # Scored again: the decisions of now may be another version's.
        told["score_psi"] = shift.of_values(model.score(matrix), model.reference["scores"])
    found = performance(
        [each.score for each in window.frauds.values()],
        [each.score for each in window.genuine],
        window.genuine.seen,
        model.thresholds["review"],
        model.reference,
    )
    if found:
        told["average_precision"], told["performance_ratio"] = found.average_precision, found.ratio
        told["performance"] = found._asdict()
    told["matured"] = {"genuine": window.genuine.seen, "frauds": len(window.frauds)}
    return told


def _text(seconds: float) -> str:
    return text_of(round(seconds * 1000))
