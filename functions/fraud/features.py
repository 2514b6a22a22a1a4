"""A transaction and the histories of its card and terminal -> one row of the model's input.

Serving and training both come through here. Rows wait in a Frame, and one pass of numpy makes the features of the whole
batch. Only integers are summed, and only + - * / and sqrt follow: a row has the same bits in any batch, on any machine.
"""

from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from functions.fraud.history import DAY, HOUR, History
from functions.fraud.windows import UNUSUAL, Floats, Ints, Past, Totals, Words

FEEDBACK_DELAY = 7 * DAY
"""A transaction older than this without a fraud label counts as genuine."""
WINDOWS = {"1h": HOUR, "24h": DAY, "7d": 7 * DAY, "30d": 30 * DAY}
RISK_WINDOWS = {"1d": DAY, "7d": 7 * DAY, "30d": 30 * DAY}
LONGEST = 30 * DAY
EPISODE = 35 * DAY
"""Frauds at a terminal within this time belong together: four weeks of abuse and the delay of its labels."""


def _side(name: str) -> tuple[str, ...]:
    kinds = ("count", "sum", "mean", "deviation")
    windows = (f"{name}_{kind}_{window}" for kind in kinds for window in WINDOWS)
    return (*windows, f"{name}_idle", f"{name}_profile_ratio", f"{name}_profile_z", f"{name}_above")


FEATURES: tuple[str, ...] = (
    "amount",
    "night",
    "weekend",
    *_side("card"),
    "card_unusual_7d",
    "card_unusual_14d",
    "card_unusual_peak_14d",
    "card_unusual_peak",
    "card_since_unusual",
    *_side("terminal"),
    *(f"terminal_risk_{window}" for window in RISK_WINDOWS),
    "terminal_frauds_recent",
    "terminal_frauds_7d",
    "terminal_frauds_30d",
    "terminal_frauds_plain_14d",
    "terminal_frauds_plain_35d",
    "terminal_since_fraud",
    "terminal_since_first_fraud",
    "terminal_since_before_fraud",
    "terminal_genuine_since_fraud",
    "terminal_risk_since_first",
)
"""Amounts in major units of the base currency, times in days.

ratio, z and above compare the amount with the usual ones, `unusual` tells of the card's own that stood out. A fraud is
plain when its amount did not: it then tells of the terminal rather than of the card. risk and 7d, 30d of frauds are of
the windows that end FEEDBACK_DELAY ago, recent are the frauds known since; `since_before` is the age of the last
transaction before the first plain fraud, which bounds the beginning of the abuse.
"""
FEATURE_SET = sha256("\n".join(FEATURES).encode()).hexdigest()[:12]
"""Names FEATURES and their order: rows of different sets cannot be compared."""


class Frame:
    """Transactions with what was known at their time; matrix() makes their features in one go."""

    __slots__ = ("_amounts", "_cards", "_terminals", "_times")

    def __init__(self) -> None:
        self._times: list[int] = []
        self._amounts: list[int] = []
        self._cards: list[Words] = []
        self._terminals: list[Words] = []

    def __len__(self) -> int:
        return len(self._times)

    def append(self, time: int, amount: int, card: History, terminal: History) -> None:
        """Add a row: unix seconds, minor units. Call it before the transaction is folded; later changes do no harm."""
        self._times.append(time)
        self._amounts.append(amount)
        self._cards.append((card.singles.tobytes(), card.buckets.tobytes(), b""))
        self._terminals.append((terminal.singles.tobytes(), terminal.buckets.tobytes(), terminal.frauds.tobytes()))

    def matrix(self) -> NDArray[np.float32]:
        """float32 [rows, len(FEATURES)], never NaN; entries later than a row and labels unknown at its time are out."""
        if not self._times:
            return np.zeros((0, len(FEATURES)), np.float32)
        time, amount = np.array(self._times, np.int64), np.array(self._amounts, np.int64)
        card, terminal = Past(self._cards, time), Past(self._terminals, time)
        night = time % DAY < 7 * HOUR
        weekend = (time // DAY + 3) % 7 >= 5  # 1970-01-01 was a Thursday
        card_usual, terminal_usual = card.usual(), terminal.usual()
        columns = [amount / 100, night, weekend, *_spending(card, amount, card_usual), *_unusual(card, card_usual)]
        columns += [*_spending(terminal, amount, terminal_usual), *_risk(terminal, self._terminals)]
        return np.array(columns).T.astype(np.float32, order="C")


def _spending(past: Past, amount: Ints, usual: Totals) -> list[Floats]:
    """Columns of _side(): windows, idle time, and where the amount stands among the usual ones."""
    time = past.time
    windows = past.between(time - np.array(list(WINDOWS.values()))[:, None])
    money = amount / 100
    known = usual.number > 0  # an empty profile says nothing: ratio 1 and z 0
    mean = usual.mean()
    ratio = np.where(known, money / np.maximum(mean, 1), 1)
    z = np.where(known, (money - mean) / (usual.deviation() + 5), 0)
    last = past.keys[past.end - 1] - past.base if len(past.keys) else time
    idle = np.where(past.end > past.start, np.minimum(time - last, LONGEST), LONGEST) / DAY
    above = past.counted(past.amounts >= amount[past.rows])
    share = (above[past.end] - above[past.start] + 0.5) / (past.end - past.start + 1)
    return [*windows.number, *(windows.sum / 100), *windows.mean(), *windows.deviation(), idle, ratio, z, share]


def _unusual(card: Past, usual: Totals) -> list[Floats]:
    """How often lately, how much and how long ago the card paid amounts that stand out."""
    unusual = card.above(usual.number, usual.sum)
    counts = card.counted(unusual)
    since_week, since_fortnight = card.until(card.time - np.array([[7], [14]]) * DAY)
    mean = 100 * np.maximum(usual.mean(), 1)
    peaks = [card.largest(first) / mean for first in (since_fortnight, card.start)]
    # The position of the last one so far; it may be of a row before, then there is none.
    last = np.maximum.accumulate(np.where(unusual, np.arange(len(unusual)), -1)) if len(unusual) else unusual
    found = np.where(card.end > card.start, last[card.end - 1], -1) if len(unusual) else np.full(len(card.end), -1)
    since = card.time - (card.keys[found] - card.base) if len(unusual) else card.time
    week, fortnight = counts[card.end] - counts[since_week], counts[card.end] - counts[since_fortnight]
    return [week, fortnight, *peaks, np.where(found >= card.start, np.minimum(since / DAY, 60), 60)]


def _risk(terminal: Past, words: list[Words]) -> list[Floats]:
    """What labels say about the terminal. Rates use only transactions old enough for their label to be known."""
    time, count = terminal.time, len(terminal.time)
    frauds = np.frombuffer(b"".join([word[2] for word in words]), np.int64).reshape(-1, 3)
    rows = np.repeat(np.arange(count), [len(word[2]) // 24 for word in words])
    times = frauds[:, 1] >> 32
    known = ((frauds[:, 1] & 0xFFFFFFFF) <= time[rows]) & (times <= time[rows])
    plain = frauds[known, 2] < UNUSUAL
    rows, times = rows[known], times[known]
    settled = time - FEEDBACK_DELAY

    def after(low: Ints, chosen: NDArray[np.bool_] | None = None) -> Ints:
        later = times > low[rows]
        return np.bincount(rows[later if chosen is None else later & chosen], minlength=count)

    recent = after(settled)
    starts = settled - np.array(list(RISK_WINDOWS.values()))[:, None]
    number = [after(start) - recent for start in starts]
    rates = np.array(number) / np.maximum(terminal.between(starts, settled).number, 1)

    last, first = np.zeros_like(time), time + 1
    np.maximum.at(last, rows[plain], times[plain])
    episode = plain & (times > time[rows] - EPISODE)
    np.minimum.at(first, rows[episode], times[episode])
    ever, lately = last > 0, first <= time
    genuine, exposed = np.maximum(terminal.between(np.array([last, first]), settled).number, 0)
    of_episode = after(time - EPISODE, plain)
    before = terminal.until(first - 1)
    bound = terminal.keys[before - 1] - terminal.base if len(terminal.keys) else time
    return [
        *rates,
        recent,
        *number[1:],
        after(time - 14 * DAY, plain),
        of_episode,
        np.where(ever, np.minimum((time - last) / DAY, 90), 90),
        np.where(lately, (time - first) / DAY, 90),
        np.where(lately, np.where(before > terminal.start, np.minimum((time - bound) / DAY, 60), 60), 90),
        np.where(ever, genuine, -1),
        np.where(lately, of_episode / (exposed + 1), -1),
    ]
