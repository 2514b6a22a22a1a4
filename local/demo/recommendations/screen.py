"""Rounds, lists and reasons -> the terminal."""

from collections.abc import Mapping, Sequence
from statistics import mean
from typing import Any

from rich.console import Console
from rich.markup import escape

WIDTH = 36
FULL, PARTS = "█", " ▏▎▍▌▋▊▉"
TITLE, FEW = 31, 3
STYLES = {"popular": "dim", "model": "green"}


def bar(share: float, most: float) -> str:
    """A bar of `WIDTH` characters at most, exact to an eighth of one."""
    eighths = round(8 * WIDTH * min(share / most, 1)) if most > 0 else 0
    return FULL * (eighths // 8) + PARTS[eighths % 8].strip()


def show_round(console: Console, turn: int, shares: Mapping[str, Sequence[float]], most: float) -> None:
    """One line an arm: how many wishes are known, how many people, a bar, the mean share; `most` is the bar's end.

    An arm of fewer than `FEW` people says nothing.
    """
    told = sorted((arm, found) for arm, found in shares.items() if len(found) >= FEW)
    for number, (arm, found) in enumerate(told):
        known = f"{turn:>3}" if number == 0 else "   "
        style, share, who = STYLES.get(arm, "cyan"), mean(found), f"{arm} ({len(found)})"
        console.print(f"  {known}  {who:12} [{style}]{bar(share, most):{WIDTH}}[/] {share:6.1%}", highlight=False)


def show_list(console: Console, listed: Mapping[str, Any], most: int) -> None:
    """Title and reason of the first items."""
    for number, item in enumerate(listed["items"][:most], start=1):
        title = str(item.get("title") or item["item_id"])
        console.print(
            f"  {number:>2}  {escape(title[:TITLE]):{TITLE}}  [dim]{escape(str(item.get('why') or ''))}[/]",
            highlight=False,
            no_wrap=True,
            overflow="ellipsis",
        )


def percentiles(latencies: Sequence[float]) -> str:
    """p50 and p99 of milliseconds."""
    ordered = sorted(latencies)
    p50, p99 = (ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))] for share in (0.5, 0.99))
    return f"p50 [bold]{p50:,.0f} ms[/], p99 [bold]{p99:,.0f} ms[/]"
