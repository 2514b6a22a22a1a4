"""A zip of chest films in folders NORMAL and PNEUMONIA, and a model -> its figures, at the threshold that it carries.

    python -m models.imaging.evaluate --data FILE.zip [--out metrics.json] [--model DIR_OR_FILE] [--skip-bad]

The folders may stand anywhere in the zip. The model is run as it is served: the same preprocessing, the ONNX file, one
thread, one image at a time. Every image counts, also those that serving would call not readable or unsure; how many
they are is told beside, and what the figures are without them.
"""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cuatro.adapters.radiograph import OnnxReader
from cuatro.errors import ModelMismatch
from cuatro.radiographs import Reading
from functions.imaging import features
from functions.imaging.features import prepared
from models.imaging.data import Example, digest, read
from models.imaging.figures import figures, intervals

HERE = Path(__file__).parent
WARM_UP = 4


def evaluated(examples: Sequence[Example], model: OnnxReader) -> dict[str, Any]:
    """What --out holds. Raises ModelMismatch."""
    labels = np.array([each.label for each in examples], np.int64)
    readings, speed = timed(examples, model)
    facts = model.facts
    probabilities = np.array([each.probability for each in readings])
    distances = np.array([each.distance for each in readings])
    far = distances > facts.distance_limit
    low, high = facts.unsure
    unsure = ~far & (probabilities >= low) & (probabilities < high)
    sure = ~far & ~unsure
    told = figures(labels, probabilities, facts.threshold)
    return {
        "model": facts.version,
        **told,
        "threshold": facts.threshold,
        "interval_95": intervals(labels, probabilities, facts.threshold),
        **speed,
        "to_review": {
            "not_readable": float(far.mean()),
            "unsure": float(unsure.mean()),
            "sure_alone": figures(labels[sure], probabilities[sure], facts.threshold) if sure.any() else None,
        },
        "distance": {
            "limit": facts.distance_limit,
            "quantiles": dict(
                zip(("50", "95", "99"), (float(x) for x in np.percentile(distances, (50, 95, 99))), strict=True)
            ),
        },
        "data_hash": digest(examples),
    }


def timed(examples: Sequence[Example], model: OnnxReader) -> tuple[list[Reading], dict[str, float]]:
    """All readings, and how long they take: preprocessing included, decoding of JPEG and the model's loading not."""
    for each in examples[:WARM_UP]:
        model.read(prepared(each.image))
    wall, cpu = time.perf_counter(), time.process_time()
    readings = [model.read(prepared(each.image))[0] for each in examples]
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return readings, {"images_per_second": len(examples) / wall, "cpu_ms_an_image": 1e3 * cpu / len(examples)}


def table(metrics: dict[str, Any]) -> str:
    """For people."""
    edges = metrics["interval_95"]
    lines = [f"{'':28}{'':>8}{'95 % interval':>18}"]
    for name in ("auc", "sensitivity", "specificity", "accuracy"):
        between = "{:.3f} to {:.3f}".format(*edges[name]) if name in edges else ""
        lines.append(f"{name:28}{_number(metrics[name]):>8}{between:>18}")
    review = metrics["to_review"]
    lines += [
        f"{'expected calibration error':28}{metrics['expected_calibration_error']:8.3f}",
        f"{'images a second':28}{metrics['images_per_second']:8.1f}",
        f"{'CPU ms an image':28}{metrics['cpu_ms_an_image']:8.1f}",
        "",
        f"{metrics['n']} images, {metrics['prevalence']:.1%} pneumonia; threshold {metrics['threshold']:.3f}",
        f"to a person: {review['not_readable']:.1%} too far from the training images, {review['unsure']:.1%} unsure",
    ]
    if review["sure_alone"]:
        alone = review["sure_alone"]
        lines.append(
            f"of the others: sensitivity {_number(alone['sensitivity'])}, specificity {_number(alone['specificity'])}"
        )
    return "\n".join([*lines, f"model {metrics['model']}"])


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m models.imaging.evaluate", description=str(__doc__).split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, metavar="FILE.zip")
    parser.add_argument("--out", type=Path, metavar="FILE.json", help="where the figures go as JSON")
    parser.add_argument(
        "--model", type=Path, default=HERE, metavar="DIR_OR_FILE", help="model.onnx; default: the shipped one"
    )
    parser.add_argument("--skip-bad", action="store_true", help="count files that are no images, and go on")
    given = parser.parse_args()
    path = given.model / "model.onnx" if given.model.is_dir() else given.model
    try:
        examples, bad = read(given.data, skip_bad=given.skip_bad)
        metrics = {**evaluated(examples, OnnxReader(path, features.VERSION)), "skipped_files": bad}
    except (OSError, ValueError, ModelMismatch) as error:
        parser.error(str(error))
    print(table(metrics) + (f"\n{bad} files skipped" if bad else ""))  # noqa: T201 - the command's answer
    if given.out:
        given.out.write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
