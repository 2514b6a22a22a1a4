"""Rows of features with what was decided and what became known <-> a Parquet file, and the hash of its content."""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from functions.fraud.features import FEATURES

ABOUT = (
    "transaction_id", "card_id", "terminal_id", "time", "channel", "outcome", "score", "model_version", "fraud",
)  # fmt: skip
"""time: unix seconds. score, outcome, model_version: of the decision then. fraud: bool."""


def matrix(rows: pd.DataFrame) -> NDArray[np.float32]:
    """float32 [rows, len(FEATURES)]."""
    return np.ascontiguousarray(rows[list(FEATURES)].to_numpy(np.float32))


def labels(rows: pd.DataFrame) -> NDArray[np.bool_]:
    """bool [rows]: is it known to be fraud?"""
    return rows["fraud"].to_numpy(np.bool_)


def digest(rows: pd.DataFrame) -> str:
    """SHA-256 of what a model learns from: ids, times, labels and features, in this order."""
    total = hashlib.sha256("\n".join(rows["transaction_id"]).encode())
    total.update(rows["time"].to_numpy("<i8").tobytes())
    total.update(labels(rows).tobytes())
    total.update(matrix(rows).astype("<f4").tobytes())
    return total.hexdigest()


def write(rows: pd.DataFrame, path: Path) -> None:
    """One file; its directory is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows[[*ABOUT, *FEATURES]].to_parquet(path, index=False)


def read(directory: Path, name: str) -> pd.DataFrame:
    """<directory>/<name>.parquet. Raises ValueError when it is not there or lacks columns."""
    path = directory / f"{name}.parquet"
    if not path.is_file():
        raise ValueError(f"no {name}.parquet in {directory}: python -m models.fraud.dataset makes it")
    rows = pd.read_parquet(path)
    missing = [column for column in (*ABOUT, *FEATURES) if column not in rows]
    if missing:
        raise ValueError(f"{path} was made by other code: columns missing: {', '.join(missing)}")
    return rows
