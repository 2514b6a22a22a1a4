"""A trained network and the held-out patients -> calibration, threshold, distance limit; model.onnx and its figures.

All that is chosen here is chosen on patients that the network has not seen; the figures in metrics.json are of these.
"""

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cuatro.adapters.radiograph import OnnxReader
from functions.imaging import features
from functions.imaging.features import prepared
from models.imaging import outliers
from models.imaging.calibrate import SENSITIVITY, calibrated, operating, sigmoid
from models.imaging.distance import distances, fitted
from models.imaging.export import to_onnx
from models.imaging.figures import figures, intervals
from models.imaging.golden import golden_images
from models.imaging.learning import predicted
from models.imaging.network import Network
from models.imaging.recipe import Set
from models.imaging.runs import Split

log = logging.getLogger(__name__)

KNOWN = 0.995
"""Share of the held-out images that lie within the distance limit."""
SPOILED = 80
SAMPLE = 2000
"""Training images that the centre and the whitening are fitted on, three or four for each of their dimensions."""
MAX_DIFFERENCE = 0.05
"""Of a probability: between the file with 8-bit weights and the network it was made of, on any held-out image."""

Weights = Mapping[str, NDArray[np.float32]]
Sides = tuple[NDArray[np.float32], NDArray[np.float32]]


def finished(weights: Weights, parts: Split, told: Mapping[str, Any], out: Path) -> dict[str, Any]:
    """Writes model.onnx, metrics.json and golden.json. told: what metrics.json says of the training."""
    network = Network(weights)
    network.load(weights)
    logits, means = _both_ways(network, parts.held)
    shifted, shifted_means = _both_ways(network, parts.shifted)
    truth = parts.held.labels
    scale, shift = calibrated(np.concatenate([logits, shifted]), np.tile(truth, 2))
    probabilities = sigmoid(scale * logits + shift)
    point = operating(probabilities, truth)
    centre, whitening = fitted(_both_ways(network, _some(parts.taught))[1])
    known, moved = (distances(each, centre, whitening) for each in (means, shifted_means))
    limit = round(float(np.quantile(known, KNOWN)), 3)
    description = {
        "version": version(weights, told),
        "threshold": point.threshold,
        "unsure": [point.low, point.high],
        "distance_limit": limit,
        "data_hash": told["data_hash"],
        "metrics": figures(truth, probabilities, point.threshold),
        "intended_use": "frontal chest radiographs of children; research use only",
    }
    content = to_onnx(weights, (scale, shift), centre, whitening, description)
    out.mkdir(parents=True, exist_ok=True)
    (out / "model.onnx").write_bytes(content)
    model = OnnxReader(out / "model.onnx", features.VERSION)
    difference = _difference(model, parts.held, probabilities)
    if difference["largest"] > MAX_DIFFERENCE:
        log.warning("8-bit weights change a probability by %.3f", difference["largest"])
    metrics = {
        **{key: description[key] for key in ("version", "threshold", "unsure", "distance_limit")},
        **told,
        "threshold_rule": f"sensitivity {SENSITIVITY} on held-out patients, fixed before any test",
        "calibration": {"scale": scale, "shift": shift},
        "held_out": {**description["metrics"], "interval_95": intervals(truth, probabilities, point.threshold)},
        "held_out_shifted": figures(truth, sigmoid(scale * shifted + shift), point.threshold),
        "distance": {"held_out_beyond": _beyond(known, limit), "shifted_beyond": _beyond(moved, limit)},
        "outliers_beyond": _outliers(model, parts.held, limit),
        "file": {"bytes": len(content), "probability_difference": difference},
    }
    (out / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
    _golden(model, network, out / "golden.json", (scale, shift))
    return metrics


def version(weights: Weights, told: Mapping[str, Any]) -> str:
    """imaging-<hash of the weights and the data>-<seed>."""
    made = hashlib.sha256(str(told["data_hash"]).encode())
    for name in sorted(weights):
        made.update(name.encode() + weights[name].tobytes())
    return f"imaging-{made.hexdigest()[:8]}-{told['seed']}"


def _both_ways(network: Network, side: Set) -> Sides:
    """Logits and tapped means, as the file tells them: the mean of the image and its mirror image."""
    own, mirrored = (predicted(network, images) for images in (side.images, side.images[:, :, ::-1].copy()))
    logits, means = ((own[at] + mirrored[at]) / 2 for at in (0, 2))
    return np.asarray(logits, np.float32), np.asarray(means, np.float32)


def _some(side: Set) -> Set:
    rows = np.random.default_rng(5).permutation(len(side.labels))[:SAMPLE]
    return Set(side.images[rows], side.labels[rows], side.kinds[rows], [side.patients[row] for row in rows])


def _difference(model: OnnxReader, held: Set, probabilities: NDArray[np.float64]) -> dict[str, float]:
    """Between the file and the network."""
    said = np.array([each.probability for each in model.read(held.images[:, None])])
    off = np.abs(said - probabilities)
    return {"largest": float(off.max()), "mean": float(off.mean())}


def _beyond(found: NDArray[np.float32], limit: float) -> float:
    return float((found > limit).mean())


def _outliers(model: OnnxReader, held: Set, limit: float) -> dict[str, float]:
    """Share of each kind of other images that the distance tells apart."""
    rng = np.random.default_rng(3)
    some = held.images[rng.permutation(len(held.images))[:SPOILED]]
    kinds: dict[str, Sequence[NDArray[np.uint8]]] = {
        **outliers.drawn(rng), **outliers.spoiled(some), "photograph": outliers.photographs(rng)
    }  # fmt: skip
    for kind, _, image in outliers.packaged():
        kinds[kind] = [*kinds.get(kind, []), image]
    return {
        kind: float(np.mean([model.read(prepared(image))[0].distance > limit for image in images]))
        for kind, images in kinds.items()
    }


def _golden(model: OnnxReader, network: Network, path: Path, calibration: tuple[float, float]) -> None:
    scale, shift = calibration
    rows = []
    for image in golden_images():
        given = prepared(image)
        (said,) = model.read(given)
        images = np.stack([given[0, 0], given[0, 0, :, ::-1]])
        own = float(sigmoid(scale * predicted(network, images)[0].mean() + shift))
        rows.append(
            {
                "sha256": hashlib.sha256(given.tobytes()).hexdigest(),
                "probability": round(said.probability, 6),
                "distance": round(said.distance, 5),
                "cam": [round(float(value), 4) for value in said.cam.ravel()[::8]],
                "torch": round(own, 6),
            }
        )
    path.write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n", encoding="utf-8")
