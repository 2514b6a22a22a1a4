"""A seed or somebody's file -> the transactions to play, in order, with ids of this run only.

Every run prefixes all ids with its run id, so that cards, terminals and transactions of earlier runs do not mix in.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from local.feed.rows import Row, rows
from local.feed.transactions import Feed, feed, judged, moved, weeks_to

if TYPE_CHECKING:
    import pandas as pd

DAYS, RATE_A_DAY = 45, 1.6
FRAUD_RATE = 0.02  # more than in life, so that a short story has enough of them
FEEDBACK = timedelta(days=7)  # a label without its own time is known a week after the purchase
MAX_ID = 64


@dataclass(frozen=True)
class Story:
    """What is played: one line about its origin, and the transactions in order."""

    origin: str
    feeds: Sequence[Feed]

    @property
    def labelled(self) -> bool:
        """Is the truth known, so that quality can be told?"""
        return any(item.fraud for item in self.feeds)


def prefixed(run: str, item: Feed) -> Feed:
    """The transaction with the run's prefix on its ids; too long ones stay as they are."""
    if item.fields is None:
        return item
    ids = {}
    for name in ("transaction_id", "card_id", "terminal_id"):
        value = item.fields.get(name)
        if isinstance(value, str) and len(value) + len(run) < MAX_ID:
            ids[name] = f"{run}-{value}"
    return item.changed(**ids)


def named(table: "pd.DataFrame", run: str = "") -> "pd.DataFrame":
    """The simulator's table with ids as the stream spells them, `run` before them where it is given."""
    before = f"{run}-" if run else ""
    return table.assign(
        TRANSACTION_ID=before + "t" + table["TRANSACTION_ID"].astype(str),
        CUSTOMER_ID=before + "c" + table["CUSTOMER_ID"].astype(str),
        TERMINAL_ID=before + "shop" + table["TERMINAL_ID"].astype(str),
    )


def played(table: "pd.DataFrame") -> list[Feed]:
    """Rows with such ids -> transactions and labels to send."""
    columns = [
        # pandas' NaT is no datetime: a label that never comes has no LABEL_TIME at all.
        {name: value for name, value in row.items() if value == value}  # noqa: PLR0124 - NaT is not itself
        for row in table.astype({"LABEL_TIME": object}).to_dict("records")
    ]
    return [feed(Row(number, b"", row)) for number, row in enumerate(columns, start=1)]


def simulated(count: int, seed: int, run: str, now: datetime) -> Story:
    """`count` simulated purchases of the last weeks, the newest just before `now`."""
    from models.fraud.simulator import Simulation, simulate  # noqa: PLC0415 - imports scikit-learn and pandas

    cards = max(4, math.ceil(count / (DAYS * RATE_A_DAY)))
    start = (now - timedelta(days=DAYS)).date().isoformat()
    while True:
        table = simulate(Simulation(DAYS + 1, cards, cards, seed, start, FRAUD_RATE))
        table = table[table["TX_DATETIME"] <= now.replace(tzinfo=None)].tail(count)
        if len(table) == count:
            break
        cards += max(1, cards // 10)
    feeds = played(named(table))
    days = (table["TX_DATETIME"].max() - table["TX_DATETIME"].min()).days + 1
    world = f"seed {seed}; {FRAUD_RATE:.0%} fraud, more than in life"
    origin = f"{len(feeds):,} simulated purchases of {cards} cards over {days} days ({world})"
    return Story(origin, [prefixed(run, item) for item in feeds])


def from_file(path: str, count: int, run: str, now: datetime) -> Story:
    """The file's first `count` transactions (0 = all), moved by whole weeks so that the last is of this week.

    Raises UnreadableError for a file that cannot be read or holds no line.
    """
    feeds = [feed(row) for row in islice(rows(path), count or None)]
    weeks = weeks_to(now, feeds)
    origin = f"{len(feeds):,} transactions of {path}"
    if weeks:
        origin += f", moved by {weeks.days // 7} weeks to end now"
    return Story(origin, [judged(prefixed(run, _labelled(item)), now) for item in moved(feeds, weeks)])


def _labelled(item: Feed) -> Feed:
    """A fraud whose label has no time becomes known after the usual delay."""
    if item.fraud and item.known_at is None and (when := item.time):
        return replace(item, known_at=when + FEEDBACK)
    return item
