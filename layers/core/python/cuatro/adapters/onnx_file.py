"""The path of an ONNX file -> a session with one thread, and what the file says of itself.

A file beside it, <model>.sha256, holds the digest that the model must have (a damaged one is not loaded).
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from cuatro.errors import ModelMismatch

CPU = "CPUExecutionProvider"


class Opened(NamedTuple):
    """session: of ONNX Runtime. metadata: the file's properties, texts."""

    session: Any
    metadata: Mapping[str, str]


def opened(path: str | Path, sha256: str | None = None, providers: Sequence[str] = (CPU,)) -> Opened:
    """Load it. providers: what may run it, the best first.

    Raises ModelMismatch when the checksum differs or it cannot be run, OSError when it is not there.
    """
    import onnxruntime  # type: ignore[import-untyped]  # a quarter of a second of a cold start: only when a model is really needed

    content, beside = Path(path).read_bytes(), Path(f"{path}.sha256")
    if sha256 is None and beside.exists():
        sha256 = beside.read_text(encoding="utf-8").split()[0]
    if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
        raise ModelMismatch(f"{path} has not the expected checksum {sha256}: deploy it again")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(content, options, providers=list(providers))
    except Exception as error:  # onnxruntime has a dozen kinds without a common ancestor
        raise ModelMismatch(f"{path} is no ONNX model that can be run: {error}") from error
    return Opened(session, session.get_modelmeta().custom_metadata_map)


def parsed(metadata: Mapping[str, str], key: str, default: Any) -> Any:
    """A property that is JSON, or the default where it is absent."""
    return json.loads(metadata[key]) if key in metadata else default
