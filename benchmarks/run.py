"""Everything, in one run on this machine: figures to .build/benchmarks/figures.json, the page to docs/benchmarks.md.

.venv/bin/python -m benchmarks.run                  # about twenty minutes
.venv/bin/python -m benchmarks.run --only batch     # a part, shown and not written to the page
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import batch, cold, live, peer, report
from benchmarks.environment import MODEL, ROOT, WORK, enter, environment, quiet
from benchmarks.machine import machine
from benchmarks.workload import simulated, skewed

PARTS = ("live", "recommendations", "sentiment", "imaging", "transaction", "batch", "cold")
PAGE = ROOT / "docs" / "benchmarks.md"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=str(__doc__).split("\n")[0])
    parser.add_argument("--only", choices=PARTS, action="append", help="part to run (repeatable); default: all")
    parser.add_argument("--rounds", type=int, default=12, help="rounds of the batch and cold start parts")
    parser.add_argument("--model", type=Path, default=MODEL, help="ONNX model to serve (default: the shipped one)")
    parser.add_argument("--torch", help="interpreter with models/imaging/requirements.txt, for the naive reader's")
    given = parser.parse_args()
    parts = given.only or PARTS
    WORK.mkdir(parents=True, exist_ok=True)
    workload = simulated()
    tell("training an XGBoost model of the shipped model's size (once)")
    peer_model = peer.equal(given.model, WORK)
    measured: dict[str, Any] = {
        "machine": machine(),
        "model": peer.sizes(given.model, WORK),
        "rounds": given.rounds,
    }
    # The platform first: its processes must not find the handlers' variables, which are set for everything after it.
    if "live" in parts:
        measured["live"] = live.measure(workload, WORK / "platform", Steps())
    for pipeline in ("recommendations", "sentiment", "imaging"):
        if pipeline in parts:
            tell(pipeline)
            more = [given.torch] if given.torch and pipeline == "imaging" else []
            measured[pipeline] = apart(pipeline, given.rounds, *more)
    enter(environment(given.model, peer_model, peer.shipped(given.model)[1]))
    runs: dict[str, Callable[[], Any]] = {
        "transaction": transaction,
        "batch": lambda: [batch.measure(each, given.rounds) for each in (workload, skewed())],
        "cold": lambda: cold.measure(workload, given.rounds, WORK / "one-record.json"),
    }
    with quiet() as sink, contextlib.redirect_stdout(sink):
        for part, run in runs.items():
            if part in parts:
                tell(part)
                measured[part] = run()
    (WORK / "figures.json").write_text(json.dumps(measured, indent=1))
    page = report.page(measured)
    if set(parts) == set(PARTS):
        PAGE.write_text(page, encoding="utf-8")
        tell(f"written: {PAGE.relative_to(ROOT)}")
    sys.stdout.write(page)


def apart(pipeline: str, rounds: int, *more: str) -> dict[str, Any]:
    """Another pipeline, whose functions have variables of the same names, in a process of its own."""
    found = WORK / f"{pipeline}.json"
    command = [sys.executable, "-m", f"benchmarks.{pipeline}.run", str(found), str(rounds), *more]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},  # read when numpy is imported
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"benchmarks.{pipeline} failed:\n{done.stderr[-3000:]}")
    figures: dict[str, Any] = json.loads(found.read_text())
    return figures


def transaction() -> dict[str, dict[str, float]]:
    """Seconds by test: pytest-benchmark in a process of its own, on the clock of CPU time."""
    found = WORK / "transaction.json"
    options = [
        "--benchmark-only",
        "--benchmark-disable-gc",
        "--benchmark-warmup=on",
        "--benchmark-timer=time.process_time",
    ]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, f"--benchmark-json={found}"]
    done = subprocess.run(
        [*command, "benchmarks/test_transaction.py"],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"pytest-benchmark failed:\n{done.stdout[-3000:]}")
    tests = json.loads(found.read_text())["benchmarks"]
    return {test["name"]: {"p50": test["stats"]["median"], "best": test["stats"]["min"]} for test in tests}


class Steps:
    """Progress that comes many times, told once."""

    said = ""

    def __call__(self, doing: str) -> None:
        if doing != self.said:
            tell(doing)
        self.said = doing


def tell(doing: str) -> None:
    """Progress, on standard error: handlers' logs own standard output."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {doing}\n")


if __name__ == "__main__":
    main()
