"""The lake's labels and scored posts -> train, evaluate and summary: what people said, split by when they said it.

    python -m models.sentiment.dataset --lake s3://BUCKET/sentiment|DIR [--as-of 2026-11-23T10:00:00Z]
        [--train-days 180] [--evaluate-days 14] [--fewest-labels 150]

    |---- train_days ----|-- evaluate_days --| as_of
                         T

labelled: the newest label of each post that was given then; a text is in one of both, and once. recent: posts of those
days that nobody labelled, which the new model must go on seeing as the live one does. Written below /opt/ml/processing:
a processing job's outputs train, evaluate and summary.
"""

import argparse
import hashlib
import json
import logging
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from functions.sentiment.features import LABELS
from functions.sentiment.lake import LabelRecorded
from models.container import paths, processing
from models.container.lake import moment, text
from models.sentiment.reading import Scored, labels, plain, recent

log = logging.getLogger(__name__)

MOST_RECENT = 1_000
RECENT_DAYS = 14
FEWEST_OF_A_CLASS = 5
"""Labels of each class to measure with: a mean over classes needs all of them."""
COLUMNS = ("post", "brand", "language", "text", "label")
RECENT_COLUMNS = COLUMNS[:-1]


@dataclass(frozen=True)
class Windows:
    """[start, end) of both sides."""

    train: tuple[datetime, datetime]
    evaluate: tuple[datetime, datetime]

    @classmethod
    def of(cls, as_of: datetime, train_days: float, evaluate_days: float) -> "Windows":
        """Raises ValueError for windows without length."""
        if train_days <= 0 or evaluate_days <= 0:
            raise ValueError("--train-days and --evaluate-days must be above 0")
        begin = as_of - timedelta(days=evaluate_days)
        return cls((begin - timedelta(days=train_days), begin), (begin, as_of))

    def described(self) -> dict[str, list[str]]:
        """For summary.json."""
        return {"train": [text(when) for when in self.train], "evaluate": [text(when) for when in self.evaluate]}


@dataclass(frozen=True)
class Side:
    """Tables of one window. labelled: COLUMNS, label 0 negative, 1 neutral, 2 positive; recent: RECENT_COLUMNS."""

    labelled: pd.DataFrame
    recent: pd.DataFrame


@dataclass(frozen=True)
class Dataset:
    """What the jobs that follow read."""

    train: Side
    evaluate: Side
    summary: dict[str, Any]

    def write(self, out: Path) -> None:
        """The folders train, evaluate and summary below `out`."""
        for name, side in (("train", self.train), ("evaluate", self.evaluate)):
            (out / name).mkdir(parents=True, exist_ok=True)
            side.labelled.to_parquet(out / name / "labelled.parquet", index=False)
            side.recent.to_parquet(out / name / "recent.parquet", index=False)
        processing.write(out / "summary" / "summary.json", self.summary)


def build(where: str, windows: Windows, fewest: int) -> Dataset:
    """Raises ValueError when the lake has not enough, and says what to do about it; FileNotFoundError."""
    (start, begin), (_, end) = windows.train, windows.evaluate
    read = labels(where, start.date(), end.date(), end)
    known = [each for each in read.found if each.time >= start]
    train = [each for each in known if each.time < begin]
    evaluate = [each for each in known if each.time >= begin]
    _enough("training", train, windows.train, fewest, "--train-days")
    _enough("evaluation", evaluate, windows.evaluate, max(fewest // 3, 1), "--evaluate-days")
    texts = {plain(each.text) for each in known}
    sides = []
    for side, (since, until) in ((train, windows.train), (evaluate, windows.evaluate)):
        found = recent(where, max(since, until - timedelta(days=RECENT_DAYS)), until, MOST_RECENT, texts)
        texts |= {plain(each.text) for each in found}
        sides.append(Side(_labelled(side), _recent(found)))
    summary = {
        "data_hash": digest(sides[0]),
        "rows": {"train": len(train), "evaluate": len(evaluate)},
        "recent": {"train": len(sides[0].recent), "evaluate": len(sides[1].recent)},
        "classes": {"train": _classes(train), "evaluate": _classes(evaluate)},
        "windows": windows.described(),
        "left_out": read.left_out,
    }
    return Dataset(sides[0], sides[1], summary)


def digest(side: Side) -> str:
    """SHA-256 of what a model is fitted on."""
    total = hashlib.sha256()
    for table in (side.labelled[list(COLUMNS)], side.recent[list(RECENT_COLUMNS)]):
        total.update(json.dumps(table.to_numpy().tolist(), ensure_ascii=False).encode())
    return total.hexdigest()


def side_of(directory: Path) -> Side:
    """What `write` left in a folder. Raises ValueError."""
    tables = []
    for name, columns in (("labelled", COLUMNS), ("recent", RECENT_COLUMNS)):
        path = directory / f"{name}.parquet"
        if not path.is_file():
            raise ValueError(f"no {name}.parquet in {directory}: python -m models.sentiment.dataset makes it")
        table = pd.read_parquet(path)
        if missing := [column for column in columns if column not in table]:
            raise ValueError(f"{path} was made by other code: columns missing: {', '.join(missing)}")
        tables.append(table)
    return Side(*tables)


def _labelled(found: Sequence[LabelRecorded]) -> pd.DataFrame:
    rows = [(each.post, each.brand, each.language, each.text, LABELS.index(each.human_label)) for each in found]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _recent(found: Sequence[Scored]) -> pd.DataFrame:
    rows = [(each.key, each.brand, each.language, each.text) for each in found]
    return pd.DataFrame(rows, columns=list(RECENT_COLUMNS), dtype=object)


def _classes(found: Sequence[LabelRecorded]) -> dict[str, int]:
    counts = Counter(each.human_label for each in found)
    return {label: counts[label] for label in LABELS}


def _enough(
    name: str, found: Sequence[LabelRecorded], side: tuple[datetime, datetime], fewest: int, option: str
) -> None:
    counts = _classes(found)
    told = f"{len(found)} labelled posts for {name} from {text(side[0])} to {text(side[1])} ({counts})"
    advice = f"correct or confirm more posts (cuatro label), or take more days ({option})"
    if len(found) < fewest:
        raise ValueError(f"{told}, at least {fewest} are needed: {advice}")
    if min(counts.values()) < FEWEST_OF_A_CLASS:
        raise ValueError(f"{told}, at least {FEWEST_OF_A_CLASS} of each class are needed: {advice}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: the exit status."""
    parser = argparse.ArgumentParser(prog="python -m models.sentiment.dataset", description=str(__doc__).split("\n")[0])
    parser.add_argument("--lake", required=True, help="s3://BUCKET/sentiment or a directory")
    parser.add_argument("--as-of", type=moment, default="", help="RFC 3339; empty: now")
    parser.add_argument("--train-days", type=float, default=180)
    parser.add_argument("--evaluate-days", type=float, default=14)
    parser.add_argument("--fewest-labels", type=int, default=150, help="for training; a third as many to evaluate with")
    given = parser.parse_args(arguments)

    def work() -> None:
        built = build(given.lake, Windows.of(given.as_of, given.train_days, given.evaluate_days), given.fewest_labels)
        built.write(paths.resolved("/opt/ml/processing"))
        log.info("%s", json.dumps(built.summary))

    return processing.run(work)


if __name__ == "__main__":
    sys.exit(main())
