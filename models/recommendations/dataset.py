"""The lake's interactions -> train.parquet, cases of the newest days to measure with, and summary.json, split in time.

    python -m models.recommendations.dataset --lake s3://BUCKET/recommendations|DIR [--as-of 2026-11-23T10:00:00Z]
        [--train-days 180] [--evaluate-days 3]

    |---- train_days ----|-- evaluate_days --| as_of
                         T

train: who took what, when, before T. evaluate: people as they were served in the days after T: what each had taken just
before an item that was new to them (cases.py), so that what counts is the list they would have seen then. Written below
/opt/ml/processing: a processing job's outputs train, evaluate and summary.
"""

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from models.container import paths, processing
from models.container.lake import moment, text
from models.recommendations import cases
from models.recommendations.data import histories
from models.recommendations.reading import recorded

log = logging.getLogger(__name__)

FEWEST_USERS, FEWEST_CASES = 30, 50
"""People with two items in training, and cases, without which a model or a comparison is luck."""
DISLIKED_BELOW = 2.5
"""An item whose last rating is below this is not what somebody wants; serving leaves it out too."""
MOST_OF_ONE = 1_000
"""Newest items of one user that count in training: what takes more is a program."""


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

    def described(self) -> dict[str, Any]:
        """For summary.json."""
        return {
            "train": [text(when) for when in self.train],
            "evaluate": [text(when) for when in self.evaluate],
            "as_of": text(self.evaluate[1]),
        }


@dataclass(frozen=True)
class Dataset:
    """train: user, item, time (unix seconds). cases: as cases.COLUMNS. popularity: item, rows in training."""

    train: pd.DataFrame
    cases: pd.DataFrame
    popularity: pd.DataFrame
    summary: dict[str, Any]

    def write(self, out: Path) -> None:
        """The folders train, evaluate and summary below `out`."""
        for folder in ("train", "evaluate"):
            (out / folder).mkdir(parents=True, exist_ok=True)
        self.train.to_parquet(out / "train" / "train.parquet", index=False)
        self.cases.to_parquet(out / "evaluate" / "cases.parquet", index=False)
        self.popularity.to_parquet(out / "evaluate" / "popularity.parquet", index=False)
        processing.write(out / "summary" / "summary.json", self.summary)


def build(where: str, windows: Windows) -> Dataset:
    """Raises ValueError when the lake has not enough, and says what to do about it; FileNotFoundError."""
    begin, end = (when.timestamp() for when in windows.evaluate)
    start = windows.train[0].timestamp()
    # What is replayed or comes late arrives after it took place; a client's clock may be ahead.
    read, left_out = recorded(where, (windows.train[0] - timedelta(days=1)).date(), windows.evaluate[1].date())
    inside = read[(read["time"] >= start) & (read["time"] < end)]
    if not len(inside):
        raise ValueError(
            f"no interactions in {where} from {text(windows.train[0])} to {text(windows.evaluate[1])}: does delivery "
            f"work? A history can be filled in with python -m models.recommendations.backfill ({_counted(left_out)})"
        )
    train = _train(inside[inside["time"] < begin], left_out)
    popularity = train["item"].value_counts().rename_axis("item").reset_index(name="rows")
    found = cases.cases(inside, begin, DISLIKED_BELOW)
    several = int((train["user"].value_counts() > 1).sum())
    if several < FEWEST_USERS:
        raise ValueError(
            f"{several} people with two items or more from {text(windows.train[0])} to {text(windows.train[1])}, at "
            f"least {FEWEST_USERS} are needed to learn what goes with what: wait, or take more days (--train-days)"
        )
    if len(found) < FEWEST_CASES:
        raise ValueError(
            f"{len(found)} times somebody took something new from {text(windows.evaluate[0])} to "
            f"{text(windows.evaluate[1])}, at least {FEWEST_CASES} are needed to compare models: wait, or take more "
            "days (--evaluate-days)"
        )
    whole = histories(train.assign(timed=True))
    summary = {
        "data_hash": whole.digest(),
        "rows": {"train": len(train), "evaluate": len(found)},
        "users": {"train": len(whole.users), "evaluate": int(found["user"].nunique())},
        "items": len(whole.names),
        "windows": windows.described(),
        "left_out": left_out,
    }
    return Dataset(train, found, popularity, summary)


def _train(rows: pd.DataFrame, left_out: dict[str, int]) -> pd.DataFrame:
    """The newest interaction of each user with each item, unless the last rating of it is a bad one."""
    newest = rows.drop_duplicates(["user", "item"], keep="last")
    ratings = rows[rows["kind"] == "rating"].drop_duplicates(["user", "item"], keep="last")
    bad = ratings.loc[ratings["value"] < DISLIKED_BELOW, ["user", "item"]]
    liked = newest[~pd.MultiIndex.from_frame(newest[["user", "item"]]).isin(pd.MultiIndex.from_frame(bad))]
    kept = liked[liked.groupby("user", sort=False).cumcount(ascending=False) < MOST_OF_ONE]
    left_out["repeated"] = len(rows) - len(newest)
    left_out["disliked"] = len(newest) - len(liked)
    left_out["beyond_most"] = len(liked) - len(kept)
    return kept[["user", "item", "time"]].reset_index(drop=True)


def _counted(left_out: dict[str, int]) -> str:
    return "left out: " + ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in left_out.items())


def options(module: str, described: str | None) -> argparse.ArgumentParser:
    """What a module that builds a set from the lake is told."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=str(described).split("\n")[0])
    parser.add_argument("--lake", required=True, help="s3://BUCKET/recommendations or a directory")
    parser.add_argument("--as-of", type=moment, default="", help="RFC 3339; empty: now")
    parser.add_argument("--train-days", type=float, default=180)
    parser.add_argument("--evaluate-days", type=float, default=3)
    return parser


def asked(given: argparse.Namespace) -> Dataset:
    """The set of these options. Raises as `build`."""
    return build(given.lake, Windows.of(given.as_of, given.train_days, given.evaluate_days))


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: the exit status."""
    given = options("models.recommendations.dataset", __doc__).parse_args(arguments)

    def work() -> None:
        built = asked(given)
        built.write(paths.resolved("/opt/ml/processing"))
        log.info("%s", json.dumps(built.summary))

    return processing.run(work)


if __name__ == "__main__":
    sys.exit(main())
