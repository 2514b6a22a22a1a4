"""A trained network and the held-out patients -> calibration, threshold, distance limit; model.onnx and its figures.

All that is chosen here is chosen on patients that the network has not seen, with the file's own arithmetic: as they
are, and as other hospitals might have made them (models.imaging.augmentation). metrics.json has the figures of these.
"""

import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cuatro.adapters.onnx_file import opened
from cuatro.adapters.radiograph import OnnxReader
from functions.imaging import features
from functions.imaging.features import prepared
from models.imaging import outliers
from models.imaging.augmentation import augmented
from models.imaging.backbone import WIDTHS
from models.imaging.calibrate import SENSITIVITY, calibrated, operating, sigmoid
from models.imaging.distance import distances, fitted
from models.imaging.export import to_onnx
from models.imaging.figures import figures, intervals
from models.imaging.golden import golden_images
from models.imaging.recipe import Images, Set

if TYPE_CHECKING:
    from models.imaging.runs import Split

log = logging.getLogger(__name__)

KNOWN = 0.995
"""Share of the held-out images, as they are, that lies within the distance limit."""
SAMPLE = 800
"""Training images, each as it is and once augmented, on which the centre and the whitening are fitted."""
SPOILED = 60
COMPARED = 100
"""Held-out images on which the file is compared with the network in torch, and with weights of 8 and 32 bits."""
INTENDED_USE = "frontal chest radiographs of children; research use only"

Array = NDArray[np.float32]
Weights = Mapping[str, Array]


class Seen(NamedTuple):
    """What the file makes of images before it is calibrated: logits [n], means of the tapped blocks [n, t]."""

    logits: Array
    means: Array


def finished(weights: Weights, parts: "Split", told: Mapping[str, Any], out: Path) -> dict[str, Any]:
    """Writes model.onnx, metrics.json and golden.json. told: what metrics.json says of the training."""
    held, shifted = seen(weights, parts.held.images), seen(weights, parts.shifted.images)
    truth = parts.held.labels
    scale, shift = calibrated(np.concatenate([held.logits, shifted.logits]), np.tile(truth, 2))
    probabilities = sigmoid(scale * held.logits + shift)
    point = operating(probabilities, truth)
    centre, whitening = fitted(seen(weights, _known(parts.taught)).means)
    near, moved = (distances(each.means, centre, whitening) for each in (held, shifted))
    limit = round(float(np.quantile(near, KNOWN)), 3)
    limits = {
        "version": version(weights, told),
        "threshold": point.threshold,
        "unsure": [point.low, point.high],
        "distance_limit": limit,
    }
    reported = figures(truth, probabilities, point.threshold)
    described = {**limits, "data_hash": told["data_hash"], "metrics": reported, "intended_use": INTENDED_USE}
    content = to_onnx(weights, (scale, shift), centre, whitening, described)
    out.mkdir(parents=True, exist_ok=True)
    (out / "model.onnx").write_bytes(content)
    model = OnnxReader(out / "model.onnx", features.VERSION)
    metrics = {
        **limits,
        **told,
        "threshold_rule": f"sensitivity {SENSITIVITY} on held-out patients, fixed before any test",
        "calibration": {"scale": scale, "shift": shift},
        "held_out": {**reported, "interval_95": intervals(truth, probabilities, point.threshold)},
        "held_out_shifted": figures(truth, sigmoid(scale * shifted.logits + shift), point.threshold),
        "beyond_the_limit": {
            "held_out": _beyond(near, limit),
            "held_out_shifted": _beyond(moved, limit),
            **_outliers(model, parts.held, limit),
        },
        "file": {"bytes": len(content), "weight_bits": 16, **_differences(weights, parts.held, (scale, shift))},
    }
    (out / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
    _golden(model, weights, out / "golden.json", (scale, shift))
    return metrics


def seen(weights: Weights, images: Images, bits: int = 16) -> Seen:
    """images: uint8 [n, s, s], prepared."""
    nothing = np.zeros(sum(WIDTHS), np.float32)
    content = to_onnx(weights, (1, 0), nothing, np.diag(nothing), {}, bits=bits, outputs=("logit", "means"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "draft.onnx"
        path.write_bytes(content)
        session = opened(path).session

    def one(image: Images) -> list[Array]:
        found: list[Array] = session.run(["logit", "means"], {"image": image[None, None]})
        return found

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        rows = list(threads.map(one, images))
    return Seen(*(np.concatenate([row[at] for row in rows]) for at in (0, 1)))


def version(weights: Weights, told: Mapping[str, Any]) -> str:
    """imaging-<hash of the weights and the data>-<seed>."""
    made = hashlib.sha256(str(told["data_hash"]).encode())
    for name in sorted(weights):
        made.update(name.encode() + weights[name].tobytes())
    return f"imaging-{made.hexdigest()[:8]}-{told['seed']}"


def _known(taught: Set) -> Images:
    rng = np.random.default_rng(5)
    rows = rng.permutation(len(taught.labels))[:SAMPLE]
    return np.concatenate([taught.images[rows], [augmented(taught.images[row], rng) for row in rows]])


def _beyond(found: Array, limit: float) -> float:
    return float((found > limit).mean())


def _outliers(model: OnnxReader, held: Set, limit: float) -> dict[str, float]:
    """Share of each kind of other images that the distance tells apart."""
    rng = np.random.default_rng(3)
    some = held.images[rng.permutation(len(held.images))[:SPOILED]]
    kinds: dict[str, Sequence[Images]] = {
        **outliers.drawn(rng), **outliers.spoiled(some), "photograph": outliers.photographs(rng)
    }  # fmt: skip
    for kind, _, image in outliers.packaged():
        kinds[kind] = [*kinds.get(kind, []), image]
    return {
        kind: float(np.mean([model.read(prepared(image))[0].distance > limit for image in images]))
        for kind, images in kinds.items()
    }


def _differences(weights: Weights, held: Set, calibration: tuple[float, float]) -> dict[str, Any]:
    """Of probabilities, between weights of 16 bits and the network in torch, and those of 8 bits: what each costs."""
    images = held.images[:COMPARED]
    own = _in_torch(weights, images, calibration)
    scale, shift = calibration
    found = {}
    for bits in (16, 8):
        off = np.abs(sigmoid(scale * seen(weights, images, bits).logits + shift) - own)
        found[f"{bits}_bits_against_torch"] = {"largest": float(off.max()), "mean": float(off.mean())}
    return found


def _in_torch(weights: Weights, images: Images, calibration: tuple[float, float]) -> NDArray[np.float64]:
    from models.imaging.learning import predicted  # noqa: PLC0415 - whoever trains has torch
    from models.imaging.network import Network  # noqa: PLC0415

    network = Network(weights)
    network.load(weights)
    own, mirrored = (predicted(network, way)[0] for way in (images, images[:, :, ::-1].copy()))
    return sigmoid(calibration[0] * (own + mirrored) / 2 + calibration[1])


def _golden(model: OnnxReader, weights: Weights, path: Path, calibration: tuple[float, float]) -> None:
    given = np.concatenate([prepared(image) for image in golden_images()])
    rows = [
        {
            "probability": round(said.probability, 6),
            "distance": round(said.distance, 5),
            "cam": [round(float(value), 4) for value in said.cam.ravel()[::8]],
            "torch": round(float(own), 6),
        }
        for said, own in zip(model.read(given), _in_torch(weights, given[:, 0], calibration), strict=True)
    ]
    path.write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n", encoding="utf-8")
