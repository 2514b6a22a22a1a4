"""Normalised image -> what the model says of it, alone: CPU an image, without any AWS call."""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.measure import Contestant, interleaved
from cuatro.adapters.radiograph import OnnxReader
from functions.imaging import features
from local.demo.imaging.phantoms import phantom

PREPARE, READ, BOTH, NAIVE = "prepare", "read", "prepare and read", "naive"
SIDE = 2048


def measure(model: str, rounds: int) -> dict[str, Any]:
    """CPU nanoseconds an image, by step."""
    from benchmarks.imaging import naive  # noqa: PLC0415 - it reads the environment when imported

    picture = (phantom(2, "normal", (SIDE, SIDE)) >> 4).astype(np.uint8)
    ours = OnnxReader(model, features.VERSION)
    prepared = features.prepared(picture)
    runs: dict[str, Callable[[], Any]] = {
        PREPARE: lambda: features.prepared(picture),
        READ: lambda: ours.read(prepared),
        BOTH: lambda: ours.read(features.prepared(picture)),
        NAIVE: lambda: naive.session.run(["probability"], {naive.given.name: prepared}),
    }
    return {"ns": interleaved([Contestant(name, run, 5) for name, run in runs.items()], rounds)}
