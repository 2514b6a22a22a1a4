"""The imaging pipeline in a process of its own: figures as JSON to the file that is named.

    .venv/bin/python -m benchmarks.imaging.run FILE ROUNDS

The pipelines' functions share names of variables, so each pipeline has its own process. benchmarks.run calls this.
"""

import contextlib
import json
import sys
from pathlib import Path

from benchmarks.environment import ROOT, account, enter, quiet

MODELS = ROOT / "models" / "imaging"


def environment() -> dict[str, str]:
    """Variables for all handlers, as a deployment would set them."""
    return {
        **account("imaging"),
        "IDENTIFIED_BUCKET": "identified",
        "DEIDENTIFIED_BUCKET": "deidentified",
        "STUDIES_TABLE": "studies",
        "INSTANCES_TABLE": "instances",
        "PSEUDONYM_SECRET_ARN": "pseudonyms",
        "AUDIT_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/123456789012/audit.fifo",
        "BUS_NAME": "suite",
        "MODEL_URI": str(MODELS / "model.onnx"),
        "SHADOW_MODEL_URI": "",
        "TEXT_MODEL_URI": str(MODELS / "text.onnx"),
        "POLICY": "{}",
    }


def main() -> None:
    """Command line."""
    found, rounds = Path(sys.argv[1]), int(sys.argv[2])
    enter(environment())
    with quiet() as sink, contextlib.redirect_stdout(sink):
        from benchmarks.imaging import alone, steps  # noqa: PLC0415 - handlers read the environment when imported

        measured = {
            "rounds": rounds,
            "bytes": (MODELS / "model.onnx").stat().st_size,
            "steps": steps.measure(rounds),
            "alone": alone.measure(str(MODELS / "model.onnx"), rounds),
        }
    found.write_text(json.dumps(measured))


if __name__ == "__main__":
    main()
