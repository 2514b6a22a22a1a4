"""Progress and results -> the terminal: a live view where there is one, plain lines in a log."""

import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from types import TracebackType
from typing import Any, Self

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from cuatro.currencies import EXPONENTS, formatted
from local.demo.decisions import Decision
from local.demo.playback import Progress
from local.feed.transactions import Feed

STYLES = {"approve": "green", "review": "yellow", "decline": "red"}
WORDS = {"approve": "approved", "review": "sent to review", "decline": "declined"}
SHOWN_LIVE, LOG_EVERY_S = 5, 2.0


def short(identifier: str) -> str:
    """An id without the run's prefix."""
    return identifier.partition("-")[2] or identifier


def price(fields: Mapping[str, Any] | None) -> str:
    """Amount and currency, "?" where they are not what they should be."""
    amount, currency = (fields or {}).get("amount"), (fields or {}).get("currency")
    if isinstance(amount, int) and currency in EXPONENTS:
        return formatted(amount, str(currency))
    return "?"


def alert_line(item: Feed, decision: Decision) -> Text:
    """decline  812.40 EUR  c12  0.93  why; one line, cut where the terminal ends."""
    why = decision.reasons[0] if decision.reasons else ""
    card = short(str((item.fields or {}).get("card_id")))
    line = Text(no_wrap=True, overflow="ellipsis")
    line.append(f"{decision.outcome:8}", STYLES[decision.outcome])
    line.append(f"{price(item.fields):>14}  {card:6}  ")
    line.append(f"{decision.score:.2f}", "bold")
    line.append(f"  {why}", "dim")
    return line


class Screen:
    """Shows a playback: use it as a context manager, and as the playback's `tell`."""

    def __init__(self, console: Console, feeds: Sequence[Feed]) -> None:
        self._console = console
        self._feeds = {item.transaction_id: item for item in feeds}
        self._seen = 0
        self._latest: deque[Text] = deque(maxlen=SHOWN_LIVE)
        self._counts: Counter[str] = Counter()
        self._progress = Progress()
        self._live = Live(console=console, get_renderable=self._view, refresh_per_second=8, transient=True)
        self._logged = 0.0

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def __call__(self, progress: Progress) -> None:
        """Take in what is new."""
        self._progress = progress
        for transaction_id, decision in islice(progress.decisions.items(), self._seen, None):
            self._counts[decision.outcome] += 1
            if decision.alerted and transaction_id in self._feeds:
                self._latest.append(alert_line(self._feeds[transaction_id], decision))
        self._seen = len(progress.decisions)
        now = time.monotonic()
        if not self._console.is_terminal and (progress.phase == "done" or now - self._logged > LOG_EVERY_S):
            self._logged = now
            self._console.print(self._counters())

    def _counters(self) -> Text:
        """history 2,310/4,000 Oct 12: 2,280 approved, 18 review, 12 declined, 22 labels; fits 80 columns."""
        progress, line = self._progress, Text()
        line.append(f"{progress.phase:7} {progress.sent:,}/{progress.total:,}")
        line.append(progress.at.strftime(" %b %d:") if progress.at else ":")
        for outcome, word in (("approve", "approved"), ("review", "review"), ("decline", "declined")):
            line.append(f" {self._counts[outcome]:,} ").append(word, STYLES[outcome]).append(",")
        line.append(f" {progress.labels:,} labels" if progress.labels else " no labels")
        return line

    def _view(self) -> RenderableType:
        progress = self._progress
        bar = ProgressBar(total=max(1, progress.total), completed=self._seen, width=max(20, self._console.width - 2))
        heading = Text(f"Latest of {self._counts['review'] + self._counts['decline']:,} alerts", "bold")
        return Group(Padding(bar), self._counters(), Text(), heading, *reversed(self._latest))


def outcomes_table(feeds: Sequence[Feed], decisions: Mapping[str, Decision]) -> Table:
    """Outcome by outcome: transactions, share, amount a purchase, and how many were frauds if that is known."""
    decided = [(item, decisions[item.transaction_id]) for item in feeds if item.transaction_id in decisions]
    labelled = any(item.fraud for item in feeds)
    table = Table("Decision", title="Decisions", title_justify="left", box=box.SIMPLE_HEAD)
    for name in ("transactions", "share", "typical amount", *(("frauds",) if labelled else ())):
        table.add_column(name, justify="right")
    for outcome, words in WORDS.items():
        mine = sorted(
            (item for item, decision in decided if decision.outcome == outcome),
            key=lambda item: (item.fields or {}).get("amount", 0),
        )
        typical = price(mine[len(mine) // 2].fields) if mine else "-"
        row = [f"{len(mine):,}", f"{len(mine) / max(1, len(decided)):.1%}", typical]
        row += [f"{sum(bool(item.fraud) for item in mine):,}"] if labelled else []
        table.add_row(Text(words, STYLES[outcome]), *row)
    return table


def alert_lines(feeds: Sequence[Feed], decisions: Mapping[str, Decision], shown: int) -> Iterator[RenderableType]:
    """The newest alerts, each with its reasons below it, and the truth if it is known."""
    flagged = [item for item in feeds if (made := decisions.get(item.transaction_id)) and made.alerted]
    labelled = any(item.fraud for item in feeds)
    yield Text(f"The newest {min(shown, len(flagged))} of {len(flagged):,} alerts", "bold")
    for item in flagged[-shown:]:
        decision = decisions[item.transaction_id]
        line = Text("  ")
        line.append(f"{item.time:%b %d %H:%M}" if item.time else "?")
        line.append(f"{price(item.fields):>15}  {short(str((item.fields or {}).get('card_id'))):6}")
        line.append(f"  {decision.outcome:8}", STYLES[decision.outcome]).append(f"{decision.score:.2f}", "bold")
        if labelled:
            line.append("   it was fraud" if item.fraud else "   it was genuine", "red" if item.fraud else "green")
        yield line
        yield Padding(Text("; ".join(decision.reasons) or "-", "dim"), (0, 0, 0, 6))
