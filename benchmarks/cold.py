"""Fresh process -> CPU until the first transaction is decided: imports, clients, model, one batch of one record.

A canned AWS answers on loopback, in this process and not in the measured one. Byte code is there (.pyc), files are in
the page cache, starting the interpreter is not counted. What a microVM and a download add is not measured.
"""

import json
import os
import random
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.aws import serving
from benchmarks.environment import ROOT, WORK
from benchmarks.workload import Workload

HANDLERS = {
    "naive": "benchmarks.naive",
    "good practice": "benchmarks.good_practice",
    "score": "functions.fraud.score.handler",
}
_TIMEOUT_S = 120

# Runs in the fresh process. Only what it needs itself is imported before the clock starts.
_CHILD = """
import importlib, json, sys, time
event = json.load(open(sys.argv[2]))
class Context:
    function_name = "score"; function_version = "1"; memory_limit_in_mb = 1769; aws_request_id = "0"
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:score"
    def get_remaining_time_in_millis(self): return 60000
wall, start = time.perf_counter_ns(), time.process_time_ns()
module = importlib.import_module(sys.argv[1])
imported = time.process_time_ns()
module.handler(event, Context())
ready = time.process_time_ns()
rss = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmRSS"))
figures = {"import": imported - start, "ready": ready - start, "wall": time.perf_counter_ns() - wall,
           "modules": len(sys.modules), "rss_kb": rss}
print("\\n" + json.dumps(figures), file=sys.stderr)
"""


def measure(workload: Workload, rounds: int, event_file: Path) -> dict[str, dict[str, list[int]]]:
    """Nanoseconds (`import`, `ready`: CPU; `wall`), modules and resident memory of each run, by contestant."""
    figures: dict[str, dict[str, list[int]]] = {}
    event_file.write_text(json.dumps(workload.first(1)))
    order = random.Random(1)
    with serving(workload.aws()) as address:
        for turn in range(rounds + 1):
            for name in order.sample(list(HANDLERS), len(HANDLERS)):
                one = _fresh(HANDLERS[name], event_file, address)
                if turn:  # the first writes the byte code
                    for figure, value in one.items():
                        figures.setdefault(name, {}).setdefault(figure, []).append(value)
    return figures


def _fresh(module: str, event_file: Path, address: str) -> dict[str, int]:
    """Figures of one process. Raises RuntimeError with its last words if it fails."""
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, module, str(event_file)],
        cwd=ROOT,
        env=_with_byte_code(os.environ) | {"AWS_ENDPOINT_URL": address},
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{module}: {done.stderr[-2000:]}")
    answer: dict[str, Any] = json.loads(done.stderr.strip().rpartition("\n")[2])
    return answer


def _with_byte_code(variables: Mapping[str, str]) -> dict[str, str]:
    """Byte code is written on the first turn, to a place of its own, whatever this shell thinks of byte code."""
    kept = {name: value for name, value in variables.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPYCACHEPREFIX": str(WORK / "pycache")}
