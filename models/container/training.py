"""input/config and input/data -> the pipeline's fitting -> model/; what goes wrong -> output/failure and exit status 1.

models.<CUATRO_MODEL>.fitting has train(channels: {name: directory}, hyperparameters: {name: text}, out: directory).
"""

import hashlib
import importlib
import importlib.util
import json
import logging
import os
import signal
import traceback
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

from models.container import paths

log = logging.getLogger(__name__)

FAILURE_CHARACTERS = 1024
"""SageMaker shows so much of output/failure: the reason comes first, the traceback after it."""


def train() -> int:
    """The exit status. Everything that fails is told in output/failure; a stopped training leaves no model."""
    base = paths.directory()
    out = base / "model"

    def stop(_signal: int, _frame: FrameType | None) -> None:
        # No exception: raised in a callback of a native library, it would be printed and forgotten.
        for path in out.glob("*"):
            path.unlink()
        os._exit(_failed(base, "Stopped: the training got SIGTERM before it was done", ""))

    signal.signal(signal.SIGTERM, stop)
    try:
        fitting = _fitting(os.environ.get("CUATRO_MODEL", ""))
        hyperparameters = {name: str(value) for name, value in _config(base, "hyperparameters").items()}
        channels = _channels(base)
        resources = _config(base, "resourceconfig")
        log.info(
            "training %s on %s with %s, channels %s",
            fitting.__name__,
            resources.get("current_host", "this machine"),
            hyperparameters or "no hyperparameters",
            ", ".join(channels),
        )
        out.mkdir(parents=True, exist_ok=True)
        fitting.train(channels, hyperparameters, out)
        model = out / "model.onnx"
        if not model.is_file():
            raise RuntimeError(f"{fitting.__name__}.train ended without writing model.onnx")  # noqa: TRY301
        # Whoever loads it can tell a damaged file.
        digest = hashlib.sha256(model.read_bytes()).hexdigest()
        model.with_name("model.onnx.sha256").write_text(f"{digest}\n", encoding="utf-8")
    except Exception as error:
        log.exception("training failed")
        return _failed(base, f"{type(error).__name__}: {error}", traceback.format_exc())
    log.info("the model is in %s", out)
    return 0


def _failed(base: Path, reason: str, trace: str) -> int:
    failure = base / "output" / "failure"
    failure.parent.mkdir(parents=True, exist_ok=True)
    failure.write_text(f"{reason[:FAILURE_CHARACTERS]}\n\n{trace}".rstrip() + "\n", encoding="utf-8")
    return 1


def _fitting(pipeline: str) -> ModuleType:
    if not pipeline.isidentifier() or importlib.util.find_spec(f"models.{pipeline}") is None:
        raise ValueError(f"CUATRO_MODEL={pipeline!r} is no pipeline with a model: set it to one of {_pipelines()}")
    return importlib.import_module(f"models.{pipeline}.fitting")


def _pipelines() -> str:
    return ", ".join(sorted(path.parent.name for path in Path(__file__).parent.parent.glob("*/fitting.py")))


def _config(base: Path, name: str) -> dict[str, Any]:
    """input/config/<name>.json, {} if there is none. Raises ValueError."""
    path = base / "input" / "config" / f"{name}.json"
    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path.name} is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path.name} holds a {type(content).__name__}, not an object")  # noqa: TRY004
    return content


def _channels(base: Path) -> dict[str, Path]:
    """The declared channels; each has its directory. Raises ValueError."""
    data = base / "input" / "data"
    declared = sorted(_config(base, "inputdataconfig")) or sorted(path.name for path in data.glob("*") if path.is_dir())
    missing = [name for name in declared if not (data / name).is_dir()]
    if missing or not declared:
        raise ValueError(f"no data in input/data for channel {', '.join(missing) or 'any'}")
    return {name: data / name for name in declared}
