"""A container of the tests: does what its hyperparameter or its arguments ask for, under SageMaker's contract.

It stands for a training, a processing and a serving container, so that each fault is one word: see ACTS.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

BASE = Path(os.environ["SAGEMAKER_BASE_DIR"])
FOREVER_S = 3600


def tell(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def hyperparameters() -> dict[str, str]:
    found: dict[str, str] = json.loads((BASE / "input" / "config" / "hyperparameters.json").read_text())
    return found


def succeed() -> int:
    """Tells what it was given, as its model."""
    read = {path.relative_to(BASE).as_posix(): path.read_text() for path in sorted((BASE / "input").rglob("*.*"))}
    tell("epoch=1 loss=0.75;", "epoch=2 loss=0.25; worst=nan;")
    (BASE / "model" / "seen.json").write_text(
        json.dumps({"files": read, "environment": dict(os.environ), "arguments": sys.argv[1:]})
    )
    return 0


def succeed_with_output() -> int:
    (BASE / "output" / "data" / "plot.txt").write_text("a plot")
    return succeed()


def crash() -> int:
    raise RuntimeError("the data has no rows")


def explain() -> int:
    (BASE / "output").mkdir(exist_ok=True)
    (BASE / "output" / "failure").write_text("the labels are all the same")
    return 3


def write_nothing() -> int:
    return 0


def save_and_wait() -> int:
    (BASE / "model" / "epoch-1.txt").write_text("best so far")
    tell("waiting")
    time.sleep(FOREVER_S)
    return 0


def ignore_sigterm() -> int:
    signal.signal(signal.SIGTERM, lambda *_: tell("not now"))
    subprocess.Popen(["sleep", str(FOREVER_S)])  # what is started besides must end too
    end = time.monotonic() + FOREVER_S
    tell(f"pid {os.getpid()}", "waiting")
    while time.monotonic() < end:
        time.sleep(1)
    return 0


def put_elsewhere() -> int:
    """What its role may not do."""
    import boto3  # noqa: PLC0415

    boto3.client("s3").put_object(Bucket=hyperparameters()["bucket"], Key="elsewhere", Body=b"x")
    return 0


ACTS: dict[str, Callable[[], int]] = {
    act.__name__: act
    for act in (
        succeed, succeed_with_output, crash, explain, write_nothing, save_and_wait, ignore_sigterm, put_elsewhere,
    )
}  # fmt: skip

if __name__ == "__main__":
    sys.exit(ACTS[hyperparameters()["act"]]())
