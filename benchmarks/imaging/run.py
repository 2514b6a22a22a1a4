"""The imaging pipeline in a process of its own: figures as JSON to the file that is named.

    .venv/bin/python -m benchmarks.imaging.run FILE ROUNDS [PYTHON]

PYTHON has models/imaging/requirements.txt, for the handler that uses PyTorch; without one it is left out.

The pipelines' functions share names of variables, so each pipeline has its own process. benchmarks.run calls this.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
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


def by_torch(python: str, rounds: int) -> list[int]:
    """CPU nanoseconds of an image, in a process of that interpreter."""
    from benchmarks.imaging.workload import NATIVE, images  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "image.dcm"
        file.write_bytes(images()[NATIVE].content)
        # With the library's own number of threads, as scripts have it.
        variables = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
        done = subprocess.run(
            [python, "-m", "benchmarks.imaging.torch_naive", str(file), str(rounds)],
            cwd=ROOT,
            env=variables | {"PYTHONPATH": f"{ROOT / 'layers' / 'core' / 'python'}{os.pathsep}{ROOT}"},
            capture_output=True,
            text=True,
            check=True,
        )
    spent: list[int] = json.loads(done.stdout)
    return spent


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
            "torch_ns": by_torch(sys.argv[3], rounds) if len(sys.argv) > 3 else [],
        }
    found.write_text(json.dumps(measured))


if __name__ == "__main__":
    main()
