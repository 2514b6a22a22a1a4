"""A file of labelled posts and a model -> its figures in every language, beside those of simple baselines.

    python -m models.sentiment.evaluate --data FILE.jsonl [--out metrics.json] [--model DIR_OR_FILE]
        [--train FILE.jsonl ...] [--skip-bad]

A line: {"text": ..., "label": negative | neutral | positive, or 0 | 1 | 2}, optionally "lang" or "language", which is
detected where it is missing. The model is run as it is served: one thread, the ONNX file, the tokenizer beside it.
"""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cuatro.adapters.classifier import Classifier
from cuatro.errors import ModelMismatch
from functions.sentiment import features
from models.sentiment.data import Post, digest, read
from models.sentiment.figures import calibration_error, figures, linear, majority, of_languages, unsure_band, vader

HERE = Path(__file__).parent
TIMED = 300
"""Posts that are classified one by one for their time."""


def evaluated(posts: Sequence[Post], model: Classifier, training: Sequence[Post] = ()) -> dict[str, Any]:
    """What --out holds. training: for the linear baseline, which is left out without it. Raises ModelMismatch."""
    texts = [post.text for post in posts]
    truth = np.array([post.label for post in posts], np.int64)
    languages = [post.language or detected(post.text) for post in posts]
    probabilities, speed = timed(texts, model)
    predicted = probabilities.argmax(axis=1)
    simple = {"majority": majority(truth), "vader": vader(texts)}
    if training:
        labels = np.array([post.label for post in training], np.int64)
        simple["tfidf_linear"] = linear([post.text for post in training], labels, texts)
    return {
        "model": model.version,
        **figures(truth, predicted),
        "per_language": of_languages(truth, predicted, languages),
        "expected_calibration_error": calibration_error(truth, probabilities),
        "unsure": unsure_band(truth, probabilities, model.unsure_below),
        "speed": speed,
        "baselines": {name: _brief(truth, found, languages) for name, found in simple.items()},
        "data_hash": digest(posts),
    }


def timed(texts: Sequence[str], model: Classifier) -> tuple[NDArray[np.float32], dict[str, float]]:
    """Probabilities of all, and how long they take: tokenizing included, the model's loading not."""
    model.classify(texts[:8])
    wall, cpu = time.perf_counter(), time.process_time()
    probabilities = model.classify(texts)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    some = texts[:: max(len(texts) // TIMED, 1)][:TIMED]
    alone = time.process_time()
    for text in some:
        model.classify([text])
    alone = time.process_time() - alone
    return probabilities, {
        "posts_per_second": len(texts) / wall,
        "cpu_ms_a_post_in_batches": 1e3 * cpu / len(texts),
        "cpu_ms_a_post_alone": 1e3 * alone / len(some),
    }


def detected(text: str) -> str:
    """The language as serving detects it; "und" where that cannot be loaded."""
    try:
        from functions.sentiment.language import detect  # noqa: PLC0415 - it loads a model of its own
    except ImportError:
        return "und"
    return str(detect(text))


def _brief(truth: NDArray[np.int64], predicted: NDArray[np.int64], languages: Sequence[str]) -> dict[str, Any]:
    found = figures(truth, predicted)
    brief = {key: found[key] for key in ("macro_recall", "macro_f1", "accuracy")}
    each = of_languages(truth, predicted, languages)
    return {**brief, "per_language": {code: row["macro_recall"] for code, row in each.items()}}


def table(metrics: dict[str, Any]) -> str:
    """For people."""
    lines = [f"{'':16}{'macro recall':>13}{'macro F1':>10}{'accuracy':>10}{'posts':>8}"]

    def line(name: str, row: dict[str, Any]) -> str:
        return (
            f"{name:16}{row['macro_recall']:13.3f}{row['macro_f1']:10.3f}{row['accuracy']:10.3f}{row.get('n', ''):>8}"
        )

    lines += [line("all", metrics), *(line(code, row) for code, row in metrics["per_language"].items()), ""]
    lines += [line(name, row) for name, row in metrics["baselines"].items()]
    lines += ["", f"{'':16}{'precision':>13}{'recall':>10}{'F1':>10}{'posts':>8}"]
    for name, row in metrics["per_class"].items():
        lines.append(f"{name:16}{row['precision']:13.3f}{row['recall']:10.3f}{row['f1']:10.3f}{row['support']:>8}")
    unsure, speed = metrics["unsure"], metrics["speed"]
    inside, outside = (_or_none(unsure[f"accuracy_{side}"]) for side in ("inside", "outside"))
    band = f"unsure (largest probability below {unsure['below']:.3f}): {unsure['share']:.1%} of the posts; accuracy"
    alone, together = (speed[f"cpu_ms_a_post_{how}"] for how in ("alone", "in_batches"))
    lines += [
        "",
        f"{band} {inside} of them, {outside} of the others",
        f"expected calibration error {metrics['expected_calibration_error']:.3f}",
        f"{alone:.1f} ms CPU a post alone, {together:.1f} ms in batches, {speed['posts_per_second']:.0f} posts/s",
        f"model {metrics['model']}",
    ]
    return "\n".join(lines)


def _or_none(share: float | None) -> str:
    return "none" if share is None else f"{share:.3f}"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m models.sentiment.evaluate", description=str(__doc__).split("\n")[0]
    )
    parser.add_argument("--data", type=Path, required=True, metavar="FILE.jsonl")
    parser.add_argument("--out", type=Path, metavar="FILE.json", help="where the figures go as JSON")
    parser.add_argument(
        "--model", type=Path, default=HERE, metavar="DIR_OR_FILE", help="model.onnx; default: the shipped one"
    )
    parser.add_argument(
        "--train", type=Path, nargs="+", default=[], metavar="FILE.jsonl", help="for the linear baseline"
    )
    parser.add_argument("--skip-bad", action="store_true", help="count lines that are no labelled posts, and go on")
    given = parser.parse_args()
    path = given.model / "model.onnx" if given.model.is_dir() else given.model
    try:
        posts, bad = read(given.data, skip_bad=given.skip_bad)
        training = [post for file in given.train for post in read(file, skip_bad=given.skip_bad)[0]]
        metrics = {**evaluated(posts, Classifier(path, features), training), "skipped_lines": bad}
    except (OSError, ValueError, ModelMismatch) as error:
        parser.error(str(error))
    print(table(metrics) + (f"\n{bad} bad lines skipped" if bad else ""))  # noqa: T201 - the command's answer
    if given.out:
        given.out.write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
