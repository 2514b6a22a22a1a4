"""A container of the pipelines' tests: builds data, trains, evaluates, crashes or waits, as its arguments ask for."""

import json
import os
import sys
import tarfile
import time
from pathlib import Path

BASE = Path(os.environ["SAGEMAKER_BASE_DIR"])
PROCESSING = BASE / "processing"
# Longer than any test waits, so that only being stopped ends it.
FOREVER_S = 3600


def write(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def build(rows: str) -> None:
    """Outputs train and summary."""
    write(PROCESSING / "train" / "data.json", list(range(int(rows))))
    write(PROCESSING / "summary" / "summary.json", {"rows": int(rows), "data_hash": "abc"})


def train() -> None:
    """A model that knows how many rows it saw."""
    rows = json.loads((BASE / "input" / "data" / "train" / "data.json").read_text())
    hyperparameters = json.loads((BASE / "input" / "config" / "hyperparameters.json").read_text())
    write(BASE / "model" / "model.json", {"rows": len(rows), "seed": hyperparameters["seed"]})


def evaluate(least: str) -> None:
    """Reads the challenger and what the champion is called; output evaluation."""
    with tarfile.open(PROCESSING / "challenger" / "model.tar.gz") as archive:
        member = archive.extractfile("model.json")
        model = json.load(member) if member else {}
    champion = (PROCESSING / "champion" / "champion.txt").read_text()
    gain = (model["rows"] - int(least)) / 100
    evaluation = {
        "champion": {"version": champion},
        "challenger": {"version": f"seed-{model['seed']}"},
        "gain": {"average_precision": gain},
        "sane": 1,
        "summary": f"{champion} is better by {-gain:.2f}",
    }
    write(PROCESSING / "evaluation" / "evaluation.json", evaluation)


def crash() -> None:
    raise RuntimeError("the lake is empty")


def wait(seconds: str = str(FOREVER_S)) -> None:
    time.sleep(float(seconds))


ACTS = {"build": build, "train": train, "evaluate": evaluate, "crash": crash, "wait": wait}

if __name__ == "__main__":
    ACTS[sys.argv[1]](*sys.argv[2:])
