"""The fraud model, as trees and in tensor form, at each level of ONNX Runtime's graph optimisation: file, load, run.

    python -m benchmarks.graph

CPU time of one thread, the best of several rounds in which all take turns: other work on the machine only ever adds.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
import onnxruntime as ort

from models.container.tensors import as_graph

MODEL = Path(__file__).resolve().parent.parent / "models" / "fraud" / "model.onnx"
LEVELS = {
    "none": ort.GraphOptimizationLevel.ORT_DISABLE_ALL,
    "basic": ort.GraphOptimizationLevel.ORT_ENABLE_BASIC,
    "extended": ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
    "all": ort.GraphOptimizationLevel.ORT_ENABLE_ALL,
}
ROUNDS = 15


class Subject(NamedTuple):
    """A file, and the level at which it is loaded."""

    name: str
    path: Path
    level: str


def session(subject: Subject, save: Path | None = None) -> ort.InferenceSession:
    """One thread, as in the functions; `save`: write the optimised model there."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.graph_optimization_level = LEVELS[subject.level]
    if save:
        options.optimized_model_filepath = str(save)
        if save.suffix == ".ort":
            options.add_session_config_entry("session.save_model_format", "ORT")
    return ort.InferenceSession(str(subject.path), options, providers=["CPUExecutionProvider"])


def subjects(folder: Path) -> list[Subject]:
    """Both forms at every level, and optimised beforehand."""
    tensors = folder / "tensors.onnx"
    onnx.save(as_graph(onnx.load(MODEL)), tensors)
    found = []
    for name, path in (("trees", MODEL), ("tensors", tensors)):
        found += [Subject(f"{name}, {level}", path, level) for level in LEVELS]
        for suffix in ("onnx", "ort"):
            saved = folder / f"{name}-optimised.{suffix}"
            session(found[-1]._replace(path=path, level="all"), saved)
            found.append(Subject(f"{name}, optimised before, saved as .{suffix}", saved, "none"))
    return found


def milliseconds(work: Callable[[], object], times: int) -> float:
    """Mean of `times` calls."""
    start = time.thread_time()
    for _ in range(times):
        work()
    return (time.thread_time() - start) * 1000 / times


def main() -> None:
    """Print the table."""
    rows = np.random.default_rng(1).gamma(1, 20, (100, 61)).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        measured = subjects(Path(folder))
        sessions = [session(subject) for subject in measured]
        best = np.full((len(measured), 3), np.inf)
        for _ in range(ROUNDS):
            for at, (subject, made) in enumerate(zip(measured, sessions, strict=True)):
                load = milliseconds(lambda subject=subject: session(subject), 3)
                one, hundred = (
                    milliseconds(lambda made=made, part=part: made.run(["probabilities"], {"features": part}), times)
                    for part, times in ((rows[:1], 100), (rows, 15))
                )
                best[at] = np.minimum(best[at], [load, one, hundred])
        lines = ["| graph | kB | load, ms | 1 row, ms | 100 rows, ms |", "|---|---|---|---|---|"]
        for subject, (load, one, hundred) in zip(measured, best, strict=True):
            size = subject.path.stat().st_size / 1000
            lines.append(f"| {subject.name} | {size:,.0f} | {load:.1f} | {one:.3f} | {hundred:.2f} |")
    print("\n".join(lines))  # noqa: T201 - the command's answer


if __name__ == "__main__":
    main()
