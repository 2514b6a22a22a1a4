"""The lake's decisions and labels -> train.parquet, evaluate.parquet and summary.json, split in time.

    python -m models.fraud.dataset --lake s3://BUCKET/fraud|DIR [--as-of 2026-11-23T10:00:00Z]
        [--train-days 28] [--delay-days 7] [--evaluate-days 7]

    |---- train_days ----|-- delay --|-- evaluate_days --|-- delay --| as_of
                                     T

Each side knows what was known then: training rows have the labels of T, when the model would have gone live, evaluation
rows those of as_of. A transaction without a label is genuine; one that was declined and never labelled is neither, and
left out. Written below /opt/ml/processing: a processing job's outputs train, evaluate and summary.
"""

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from functions.fraud import lake
from functions.fraud.features import FEATURES
from models.container import paths, processing
from models.container.lake import moment, text
from models.fraud import training_set
from models.fraud.reading import Recorded, recorded

log = logging.getLogger(__name__)

FEWEST_TRAIN, FEWEST_EVALUATE = 30, 10
"""Known frauds without which a model, or a comparison, is luck."""


@dataclass(frozen=True)
class Windows:
    """[start, end) of both sides, and when their labels are known."""

    train: tuple[datetime, datetime]
    evaluate: tuple[datetime, datetime]
    as_of: datetime

    @classmethod
    def of(cls, as_of: datetime, train_days: float, delay_days: float, evaluate_days: float) -> "Windows":
        """Raises ValueError for windows without length."""
        if train_days <= 0 or evaluate_days <= 0 or delay_days < 0:
            raise ValueError("--train-days and --evaluate-days must be above 0, --delay-days not below")
        delay = timedelta(days=delay_days)
        end = as_of - delay
        begin = end - timedelta(days=evaluate_days)
        trained = begin - delay
        return cls((trained - timedelta(days=train_days), trained), (begin, end), as_of)

    def described(self) -> dict[str, Any]:
        """For summary.json."""
        sides = {"train": self.train, "evaluate": self.evaluate}
        return {name: [text(when) for when in side] for name, side in sides.items()} | {"as_of": text(self.as_of)}


@dataclass(frozen=True)
class Dataset:
    """Rows as models.fraud.training_set describes them, in order of time."""

    train: pd.DataFrame
    evaluate: pd.DataFrame
    summary: dict[str, Any]


def build(where: str, windows: Windows) -> Dataset:
    """Raises ValueError when the lake has not enough, and says what to do about it; FileNotFoundError."""
    # A transaction may arrive days after it took place (late, replayed), and five minutes before.
    read = recorded(where, (windows.train[0] - timedelta(days=1)).date(), windows.as_of.date())
    if not read.decisions:
        raise ValueError(
            f"no decisions in {where} from {text(windows.train[0])} to {text(windows.as_of)}: does delivery work? "
            f"A history can be filled in with python -m models.fraud.backfill ({_counted(read.left_out)})"
        )
    left_out = dict(read.left_out)
    train = _rows(read, windows.train, windows.evaluate[0], left_out)
    evaluate = _rows(read, windows.evaluate, windows.as_of, left_out)
    _enough("training", train, windows.train, FEWEST_TRAIN, "--train-days")
    _enough("evaluation", evaluate, windows.evaluate, FEWEST_EVALUATE, "--evaluate-days")
    summary = {
        "data_hash": training_set.digest(train),
        "rows": {"train": len(train), "evaluate": len(evaluate)},
        "frauds": {"train": int(train["fraud"].sum()), "evaluate": int(evaluate["fraud"].sum())},
        "windows": windows.described(),
        "left_out": left_out,
        "models": sorted(set(evaluate["model_version"])),
    }
    return Dataset(train, evaluate, summary)


def _rows(
    read: Recorded, side: tuple[datetime, datetime], known_by: datetime, left_out: dict[str, int]
) -> pd.DataFrame:
    inside = [each for each in read.decisions if side[0] <= each.time < side[1]]
    inside.sort(key=lambda each: (each.time, each.transaction_id))
    known = [_label(read, each, known_by) for each in inside]
    # Nobody complains about a payment that did not take place: silence says nothing about it.
    silent = [label is None and each.outcome == "decline" for each, label in zip(inside, known, strict=True)]
    left_out["declined_unlabelled"] = left_out.get("declined_unlabelled", 0) + sum(silent)
    kept = [(each, label) for each, label, quiet in zip(inside, known, silent, strict=True) if not quiet]
    about = {
        "transaction_id": [each.transaction_id for each, _ in kept],
        "card_id": [each.card_id for each, _ in kept],
        "terminal_id": [each.terminal_id for each, _ in kept],
        "time": np.array([int(each.time.timestamp()) for each, _ in kept], np.int64),
        "channel": [each.channel for each, _ in kept],
        "outcome": [each.outcome for each, _ in kept],
        "score": np.array([each.score for each, _ in kept], np.float64),
        "model_version": [each.model_version for each, _ in kept],
        "fraud": np.array([label or False for _, label in kept], np.bool_),
    }
    matrix = np.frombuffer(b"".join([each.features for each, _ in kept]), "<f4").reshape(-1, len(FEATURES))
    return pd.concat([pd.DataFrame(about), pd.DataFrame(matrix, columns=list(FEATURES))], axis=1)


def _label(read: Recorded, decision: lake.DecisionRecorded, known_by: datetime) -> bool | None:
    """The latest label that was known by then."""
    known = [label for label in read.labels.get(decision.transaction_id, ()) if label.time <= known_by]
    return known[-1].fraud if known else None


def _enough(name: str, rows: pd.DataFrame, side: tuple[datetime, datetime], fewest: int, option: str) -> None:
    frauds = int(rows["fraud"].sum()) if len(rows) else 0
    if frauds < fewest:
        raise ValueError(
            f"{frauds} known frauds among the {len(rows):,} {name} rows of {text(side[0])} to {text(side[1])}, at "
            f"least {fewest} are needed: wait for labels, or take more days ({option})"
        )


def _counted(left_out: dict[str, int]) -> str:
    return "left out: " + ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in left_out.items())


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: the exit status."""
    parser = argparse.ArgumentParser(prog="python -m models.fraud.dataset", description=str(__doc__).split("\n")[0])
    parser.add_argument("--lake", required=True, help="s3://BUCKET/fraud or a directory")
    parser.add_argument("--as-of", type=moment, default="", help="RFC 3339; empty: now")
    parser.add_argument("--train-days", type=float, default=28)
    parser.add_argument("--delay-days", type=float, default=7)
    parser.add_argument("--evaluate-days", type=float, default=7)
    given = parser.parse_args(arguments)

    def work() -> None:
        out = paths.resolved("/opt/ml/processing")
        built = build(given.lake, Windows.of(given.as_of, given.train_days, given.delay_days, given.evaluate_days))
        training_set.write(built.train, out / "train" / "train.parquet")
        training_set.write(built.evaluate, out / "evaluate" / "evaluate.parquet")
        processing.write(out / "summary" / "summary.json", built.summary)
        log.info("%s", json.dumps(built.summary))

    return processing.run(work)


if __name__ == "__main__":
    sys.exit(main())
