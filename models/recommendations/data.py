"""Files of interactions -> each user's items in the order of time, and the parts that are held back to measure with.

Read are: user, item, rating (optional), timestamp, separated by tabs or commas, with or without a header (RecBole's
typed one, `user_id:token`, too), gzipped or not; and one line a user, the user and then the items in order of time.
"""

import csv
import gzip
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

DAY = 86400.0
COLUMNS = {
    "user": {"user", "user_id", "userid", "uid", "customer_id", "reviewerid"},
    "item": {"item", "item_id", "itemid", "iid", "movie_id", "movieid", "product_id", "asin"},
    "rating": {"rating", "score", "stars", "label"},
    "time": {"timestamp", "time", "datetime", "date", "ts", "unixreviewtime"},
}
_NAMES_BY_WIDTH = {2: ("user", "item"), 3: ("user", "item", "time"), 4: ("user", "item", "rating", "time")}


@dataclass(frozen=True)
class Histories:
    """Users one after another, each one's items oldest first: rows offsets[u] to offsets[u + 1] are user u's.

    items: codes, places in `names`; days: time of each row in days, zeros where the file has none.
    """

    users: Sequence[str]
    names: Sequence[str]
    offsets: NDArray[np.int64]
    items: NDArray[np.int64]
    days: NDArray[np.float64]
    timed: bool = False

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Rows of each user."""
        return np.diff(self.offsets)

    @property
    def owners(self) -> NDArray[np.int64]:
        """The user of each row."""
        return np.repeat(np.arange(len(self.users)), self.lengths)

    @property
    def places(self) -> NDArray[np.int64]:
        """How many rows of the same user come after each row: 0 for the newest."""
        return np.repeat(self.offsets[1:], self.lengths) - 1 - np.arange(len(self.items))

    @property
    def ages(self) -> NDArray[np.float64]:
        """Days from each row to the same user's newest."""
        newest = np.zeros(len(self.users))
        filled = self.lengths > 0
        newest[filled] = self.days[self.offsets[1:][filled] - 1]
        return np.repeat(newest, self.lengths) - self.days

    @property
    def counts(self) -> NDArray[np.int64]:
        """Rows of each item."""
        return np.bincount(self.items, minlength=len(self.names))

    def kept(self, rows: NDArray[np.bool_]) -> "Histories":
        """The same users and items with these rows only."""
        lengths = np.bincount(self.owners[rows], minlength=len(self.users))
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        return Histories(self.users, self.names, offsets, self.items[rows], self.days[rows], self.timed)

    def of(self, users: NDArray[np.int64]) -> "Histories":
        """These users alone, in their order."""
        offsets = np.concatenate([[0], np.cumsum(self.lengths[users])])
        rows = np.repeat(self.offsets[users] - offsets[:-1], self.lengths[users]) + np.arange(offsets[-1])
        names = [self.users[u] for u in users]
        return Histories(names, self.names, offsets, self.items[rows], self.days[rows], self.timed)

    def digest(self) -> str:
        """SHA-256 of who took what, in which order and when."""
        hashed = hashlib.sha256("\n".join([*self.users, "", *self.names]).encode())
        for part in (self.offsets, self.items, self.days):
            hashed.update(np.ascontiguousarray(part).tobytes())
        return hashed.hexdigest()


def read(path: Path) -> pd.DataFrame:
    """user, item (text), time (seconds; NaN-free; zeros without), row number as order. Raises ValueError.

    A Parquet file has the columns user, item (texts) and time (seconds), as models.recommendations.dataset writes it.
    """
    if path.suffix == ".parquet":
        return _parquet(path)
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8-sig") as file:
        head = [line.rstrip("\r\n") for line, _ in zip(file, range(20), strict=False)]
    if not any(line.strip() for line in head):
        raise ValueError("the file is empty")
    if not re.search(r"[\t,]", head[0]):
        return _sequences(path)
    separator = "\t" if "\t" in head[0] else ","
    first = [_column(cell) for cell in next(csv.reader(head, delimiter=separator))]
    header = {"user", "item"} <= set(first)
    width = len(first)
    if not header and width not in _NAMES_BY_WIDTH:
        raise ValueError(f"{width} columns and no header: user, item, rating (optional), timestamp are expected")
    table = pd.read_csv(
        path,
        sep=separator,
        header=0 if header else None,
        names=first if header else list(_NAMES_BY_WIDTH[width]),
        dtype=str,
        keep_default_na=False,
        encoding="utf-8-sig",
    )
    table = table[[name for name in ("user", "item", "rating", "time") if name in table]]
    if (table[["user", "item"]] == "").any().any():
        row = int((table[["user", "item"]] == "").any(axis=1).to_numpy().argmax())
        raise ValueError(f"row {row + 1} has an empty user or item")
    table["timed"] = "time" in table
    table["time"] = _seconds(table["time"]) if "time" in table else 0.0
    return table.drop(columns="rating", errors="ignore")


def _parquet(path: Path) -> pd.DataFrame:
    table = pd.read_parquet(path)
    missing = [name for name in ("user", "item", "time") if name not in table]
    if missing:
        raise ValueError(f"columns missing: {', '.join(missing)}")
    table = table[["user", "item", "time"]]
    if table.isna().to_numpy().any():
        raise ValueError("there are rows without a user, item or time")
    return table.astype({"time": float}).assign(timed=True)


def _column(cell: str) -> str:
    name = cell.strip().split(":")[0].lower()
    return next((known for known, aliases in COLUMNS.items() if name in aliases), name or "unnamed")


def _seconds(texts: pd.Series) -> pd.Series:
    """Unix seconds of numbers (milliseconds are recognised by their size) or of dates as text."""
    numbers = pd.to_numeric(texts, errors="coerce")
    if not np.isfinite(numbers).all():
        stamps = pd.to_datetime(texts, utc=True, errors="coerce", format="ISO8601")
        wrong = stamps.isna() & ~np.isfinite(numbers)
        wrong = wrong if wrong.any() else stamps.isna()  # the second: numbers and dates in one column
        if wrong.any():
            row = int(wrong.to_numpy().argmax())
            raise ValueError(f"row {row + 1}: {texts.iloc[row]!r} is neither a number nor an ISO 8601 time")
        return (stamps - pd.Timestamp(0, tz="UTC")).dt.total_seconds()
    return numbers / 1000 if numbers.abs().median() > 1e11 else numbers


def _sequences(path: Path) -> pd.DataFrame:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8-sig") as file:
        lines = [line.split() for line in file if line.strip()]
    if max(map(len, lines)) < 2:
        raise ValueError("no line has a user and an item: separate by tabs or commas, or by spaces, one user a line")
    if len({line[0] for line in lines}) < len(lines):
        raise ValueError("a user has several lines: separate columns by tabs or commas; spaces are for one line a user")
    pairs = [(line[0], item) for line in lines for item in line[1:]]
    return pd.DataFrame(pairs, columns=["user", "item"]).assign(time=0.0, timed=False)


def histories(table: pd.DataFrame) -> Histories:
    """What `read` gives -> Histories. Of a user's repeated interactions with an item the newest counts; ties stay."""
    ordered = table.sort_values("time", kind="stable") if table["timed"].all() else table
    ordered = ordered.drop_duplicates(["user", "item"], keep="last")
    user, users = pd.factorize(ordered["user"], sort=True)
    item, names = pd.factorize(ordered["item"], sort=True)
    order = np.argsort(user, kind="stable")
    offsets = np.concatenate([[0], np.cumsum(np.bincount(user, minlength=len(users)))])
    days = ordered["time"].to_numpy(float)[order] / DAY
    return Histories(list(users), list(names), offsets, item[order].astype(np.int64), days, bool(table["timed"].all()))


@dataclass(frozen=True)
class Held:
    """What is held back of `users` (places in the Histories): row pairs (which of users, item). Each user has one."""

    users: NDArray[np.int64]
    rows: NDArray[np.int64]
    items: NDArray[np.int64]


def hold_back(whole: Histories, share: float | None = None) -> tuple[Histories, Held]:
    """Each user's newest item, or newest `share` of the items, goes from the histories into Held.

    A user keeps at least one item; who has only one is in no Held.
    """
    wanted = (
        np.ones_like(whole.lengths) if share is None else np.maximum(1, np.round(share * whole.lengths)).astype(int)
    )
    wanted = np.minimum(wanted, np.maximum(whole.lengths - 1, 0))
    out = whole.places < np.repeat(wanted, whole.lengths)
    users, rows = np.unique(whole.owners[out], return_inverse=True)
    return whole.kept(~out), Held(users, rows, whole.items[out])


def held_from(test: pd.DataFrame, train: Histories) -> tuple[Held, dict[str, int]]:
    """The test file's rows, and how many were left out and why. Items that nobody has in training stay: as misses."""
    place = {name: at for at, name in enumerate(train.users)}
    code = {name: at for at, name in enumerate(train.names)}
    test = test.drop_duplicates(["user", "item"])
    user = test["user"].map(place).fillna(-1).to_numpy(int)
    item = test["item"].map(code).fillna(-1).to_numpy(int)
    had = np.isin(user * len(code) + item, train.owners * len(code) + train.items) & (item >= 0) & (user >= 0)
    good = (user >= 0) & ~had
    users, rows = np.unique(user[good], return_inverse=True)
    left_out = {"user_not_in_training": int((user < 0).sum()), "already_in_training": int(had.sum())}
    return Held(users, rows, item[good]), left_out
