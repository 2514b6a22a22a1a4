"""The sentiment pipeline in a process of its own: figures as JSON to the file that is named.

    .venv/bin/python -m benchmarks.sentiment.run FILE ROUNDS

The pipelines' functions share names of variables, so each pipeline has its own process. benchmarks.run calls this.
"""

import contextlib
import json
import sys
from pathlib import Path

from benchmarks.environment import ROOT, account, enter, quiet
from benchmarks.sentiment import alone, transform

MODEL = ROOT / "models" / "sentiment" / "model.onnx"


def environment() -> dict[str, str]:
    """Variables for all handlers, as a deployment would set them."""
    return {
        **account("sentiment"),
        "POSTS_TABLE": "posts",
        "RAW_DELIVERY": "raw",
        "REJECTED_BUCKET": "rejected",
        "BUDGET_TABLE": "cursors",
        "MODEL_URI": str(MODEL),
        "SHADOW_MODEL_URI": "",
        "POLICY": "{}",
    }


def main() -> None:
    """Command line."""
    found, rounds = Path(sys.argv[1]), int(sys.argv[2])
    enter(environment())
    with quiet() as sink, contextlib.redirect_stdout(sink):
        measured = {
            "rounds": rounds,
            "bytes": MODEL.stat().st_size,
            "alone": alone.measure(str(MODEL), rounds),
            "transform": transform.measure(rounds),
        }
    found.write_text(json.dumps(measured))


if __name__ == "__main__":
    main()
