"""A transaction and the histories of its card and terminal -> one row of the model's input.

Serving and training both come through here. Rows wait in a Frame, and one pass of numpy makes the features of the whole
batch. Only integers are summed, and only + - * / and sqrt follow: a row has the same bits in any batch, on any machine.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from functions.fraud.history import DAY, HOUR, History

FEEDBACK_DELAY = 7 * DAY
"""A transaction older than this without a fraud label counts as genuine."""

WINDOWS = {"1h": HOUR, "24h": DAY, "7d": 7 * DAY, "30d": 30 * DAY}
RISK_WINDOWS = {"1d": DAY, "7d": 7 * DAY, "30d": 30 * DAY}
LONGEST = 30 * DAY

_ROW = 1 << 33  # keys are row * _ROW + unix seconds: one sorted array for the histories of all rows

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def _side(name: str) -> tuple[str, ...]:
    return (
        *(f"{name}_count_{window}" for window in WINDOWS),
        *(f"{name}_sum_{window}" for window in WINDOWS),
        *(f"{name}_mean_{window}" for window in WINDOWS),
        *(f"{name}_deviation_{window}" for window in ("7d", "30d")),
        f"{name}_idle",
        f"{name}_profile_ratio",
        f"{name}_profile_z",
        f"{name}_above",
    )


FEATURES: tuple[str, ...] = (
    "amount",
    "night",
    "weekend",
    *_side("card"),
    *_side("terminal"),
    *(f"terminal_risk_{window}" for window in RISK_WINDOWS),
    "terminal_frauds_recent",
    "terminal_frauds_7d",
    "terminal_frauds_30d",
    "terminal_since_fraud",
    "terminal_since_first_fraud",
    "terminal_genuine_since_fraud",
)
"""Amounts in major units of the base currency, times in days."""


class Frame:
    """Transactions with what was known at their time; matrix() makes their features in one go."""

    __slots__ = ("_amounts", "_card", "_terminal", "_times")

    def __init__(self) -> None:
        self._times: list[int] = []
        self._amounts: list[int] = []
        self._card: list[_Words] = []
        self._terminal: list[_Words] = []

    def __len__(self) -> int:
        return len(self._times)

    def append(self, time: int, amount: int, card: History, terminal: History) -> None:
        """Add a row: unix seconds, minor units. Call it before the transaction is folded; later changes do no harm."""
        self._times.append(time)
        self._amounts.append(amount)
        self._card.append(_words(card))
        self._terminal.append(_words(terminal))

    def matrix(self) -> NDArray[np.float32]:
        """float32 [rows, len(FEATURES)], never NaN; entries later than a row and labels unknown at its time are out."""
        if not self._times:
            return np.zeros((0, len(FEATURES)), np.float32)
        time, amount = np.array(self._times, np.int64), np.array(self._amounts, np.int64)
        card, terminal = _Past(self._card, time), _Past(self._terminal, time)
        night = time % DAY < 7 * HOUR
        weekend = (time // DAY + 3) % 7 >= 5  # 1970-01-01 was a Thursday
        columns = [amount / 100, night, weekend, *_spending(card, amount), *_spending(terminal, amount)]
        columns += _risk(terminal)
        return np.stack(columns, axis=1).astype(np.float32)


class _Words(NamedTuple):
    singles: bytes
    buckets: bytes
    frauds: bytes
    past: tuple[int, int, int, int]


def _words(history: History) -> _Words:
    return _Words(history.singles.tobytes(), history.buckets.tobytes(), history.frauds.tobytes(), history.past)


class _Totals(NamedTuple):
    """Over one window of each row; int64 [rows]."""

    number: Ints
    sum: Ints
    squares: Ints


class _Past:
    """The histories of all rows as flat arrays, with sums from the left for windows by subtraction."""

    def __init__(self, words: list[_Words], time: Ints) -> None:
        self.time = time
        self.base = np.arange(len(words), dtype=np.int64) * _ROW
        self.lifetime = np.array([word.past for word in words], np.int64)

        singles = np.frombuffer(b"".join([word.singles for word in words]), np.int64)
        self.rows = np.repeat(np.arange(len(words)), [len(word.singles) // 8 for word in words])
        self.amounts = singles & 0xFFFFFFFF
        self.keys = self.base[self.rows] + (singles >> 32)
        self._single_sums = _running(np.ones_like(singles), self.amounts, self.amounts * self.amounts)
        self.end = self.until(time)

        buckets = np.frombuffer(b"".join([word.buckets for word in words]), np.int64).reshape(-1, 4)
        self._bucket_keys = np.repeat(self.base, [len(word.buckets) // 32 for word in words]) + buckets[:, 0]
        self._bucket_sums = _running(buckets[:, 1], buckets[:, 2], buckets[:, 3]) if len(buckets) else None
        self._bucket_end = self._bucket_keys.searchsorted(self.base + time, "right")

        frauds = np.frombuffer(b"".join([word.frauds for word in words]), np.int64).reshape(-1, 3)
        rows = np.repeat(np.arange(len(words)), [len(word.frauds) // 24 for word in words])
        known = (frauds[:, 1] & 0xFFFFFFFF) <= time[rows]
        self.fraud_rows, self.fraud_times = rows[known], frauds[known, 1] >> 32
        self.fraud_amounts = frauds[known, 2]

    def until(self, time: Ints) -> Ints:
        """Index after each row's last single transaction not later than `time`."""
        return self.keys.searchsorted(self.base + time, "right")

    def between(self, low: Ints, high: Ints | None = None) -> _Totals:
        """Totals of low < time <= high; high defaults to the row's own time."""
        first, last = self.until(low), self.end if high is None else self.until(high)
        totals = self._single_sums[:, last] - self._single_sums[:, first]
        if self._bucket_sums is not None:
            keys = self._bucket_keys
            last = self._bucket_end if high is None else keys.searchsorted(self.base + high, "right")
            first = keys.searchsorted(self.base + low, "right")
            totals = totals + self._bucket_sums[:, last] - self._bucket_sums[:, first]
        return _Totals(*totals)

    def frauds_after(self, low: Ints) -> Ints:
        """Number of known frauds of the terminal later than `low`."""
        return np.bincount(self.fraud_rows[self.fraud_times > low[self.fraud_rows]], minlength=len(self.time))


def _running(*columns: Ints) -> Ints:
    """[columns, entries + 1]: sums from the left. They may wrap around at 64 bits; differences are still right."""
    sums = np.zeros((len(columns), len(columns[0]) + 1), np.int64)
    for row, column in zip(sums, columns, strict=True):
        column.cumsum(out=row[1:])
    return sums


def _mean(totals: _Totals) -> Floats:
    return np.asarray(totals.sum / np.maximum(totals.number, 1) / 100)


def _deviation(totals: _Totals) -> Floats:
    """Population standard deviation, major units; 0 below two transactions."""
    count = np.maximum(totals.number, 1)
    mean = totals.sum / count
    return np.asarray(np.sqrt(np.maximum(totals.squares / count - mean * mean, 0)) / 100)


def _spending(past: _Past, amount: Ints) -> list[Floats]:
    """Columns of _side(): windows, idle time, and where the amount stands in the profile of the card or terminal."""
    time = past.time
    windows = [past.between(time - width) for width in WINDOWS.values()]
    ever = past.between(np.zeros_like(time))
    ever = _Totals(
        ever.number + past.lifetime[:, 0], ever.sum + past.lifetime[:, 1], ever.squares + past.lifetime[:, 2]
    )
    mean, deviation = _mean(ever), _deviation(ever)
    # An empty profile says nothing: ratio 1 and z 0. Ten units of deviation more keep short histories from shouting.
    empty = ever.number == 0
    ratio = np.where(empty, 1, amount / 100 / np.maximum(mean, 0.01))
    z = np.where(empty, 0, (amount / 100 - mean) / (deviation + 10))
    start = past.until(np.zeros_like(time))
    last = past.keys[np.maximum(past.end - 1, 0)] - past.base if len(past.keys) else np.zeros_like(time)
    idle = np.where(past.end > start, np.minimum(time - last, LONGEST), LONGEST) / DAY
    above = np.zeros(len(past.keys) + 1, np.int64)
    (past.amounts >= amount[past.rows]).cumsum(out=above[1:])
    share = (above[past.end] - above[start] + 0.5) / (past.end - start + 1)
    return [
        *(np.asarray(window.number, np.float64) for window in windows),
        *(window.sum / 100 for window in windows),
        *(_mean(window) for window in windows),
        *(_deviation(window) for window in windows[2:]),
        idle,
        ratio,
        z,
        share,
    ]


def _risk(past: _Past) -> list[Floats]:
    """What labels say about the terminal. Rates use only transactions old enough for their label to be known."""
    time, rows, times = past.time, past.fraud_rows, past.fraud_times
    settled = time - FEEDBACK_DELAY
    before_settled = past.frauds_after(settled)
    columns: list[Floats] = []
    frauds = []
    for width in RISK_WINDOWS.values():
        count = past.between(settled - width, settled).number
        frauds.append(past.frauds_after(settled - width) - before_settled)
        columns.append(frauds[-1] / np.maximum(count, 1))
    last, first = np.zeros_like(time), time + 1
    np.maximum.at(last, rows, times)
    recent = times > (time - FEEDBACK_DELAY - LONGEST)[rows]
    np.minimum.at(first, rows[recent], times[recent])
    never = 2.0 * LONGEST / DAY
    genuine = past.between(last, settled).number
    return [
        *columns,
        before_settled.astype(np.float64),
        frauds[1].astype(np.float64),
        frauds[2].astype(np.float64),
        np.where(last > 0, np.minimum((time - last) / DAY, never), never),
        np.where(first <= time, (time - first) / DAY, never),
        np.where(last > 0, np.maximum(genuine, 0), -1).astype(np.float64),
    ]
