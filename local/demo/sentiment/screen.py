"""Counts, terms, alerts and posts of a brand -> the terminal."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

STYLES = {"negative": "red", "neutral": "dim", "positive": "green"}
LEVELS = "▁▂▃▄▅▆▇█"
TEXT = 66


def sparkline(values: Sequence[float]) -> str:
    """One character a value, the highest as high as it gets."""
    most = max(values, default=0) or 1
    return "".join(LEVELS[min(7, round(7 * value / most))] for value in values)


def show_day(console: Console, buckets: Sequence[Mapping[str, Any]]) -> None:
    """Hour by hour: all posts, and how many are negative."""
    recent = list(buckets)[-24:]
    console.print(f"  posts     {sparkline([each['posts'] for each in recent])}  {sum(e['posts'] for e in recent):,}")
    negative = [each["negative"] for each in recent]
    console.print(f"  negative  [red]{sparkline(negative)}[/]  {sum(negative):,}")


def classes(posts: Iterable[Mapping[str, Any]], field: str) -> Table:
    """Network by network or language by language: how many of each class."""
    counts: dict[str, Counter[str]] = {}
    for post in posts:
        counts.setdefault(post[field], Counter())[post["label"]] += 1
    table = Table(field, box=box.SIMPLE_HEAD)
    for name in (*STYLES, "all"):
        table.add_column(name, justify="right")
    for name, found in sorted(counts.items(), key=lambda each: -each[1].total()):
        cells = [Text(f"{found[label]:,}", style) for label, style in STYLES.items()]
        table.add_row(name, *cells, f"{found.total():,}")
    return table


def show_terms(console: Console, terms: Mapping[str, Sequence[Mapping[str, Any]]], most: int) -> None:
    """What people talk about, by class."""
    for label, style in STYLES.items():
        if found := terms.get(label):
            words = ", ".join(str(each["term"]) for each in found[:most])
            console.print(f"  [{style}]{label:9}[/] {escape(words)}", no_wrap=True, overflow="ellipsis")


def show_alert(console: Console, alert: Mapping[str, Any]) -> None:
    """What an alert says, with its posts."""
    console.print(f"  [bold red]{alert['kind']}[/] {escape(alert['what'])}, score {alert['score']:.1f}")
    for post in alert["posts"][:4]:
        style = STYLES[post["label"]]
        console.print(f"    [{style}]{post['label']:8}[/] {escape(post['text'])}", no_wrap=True, overflow="ellipsis")


def show_post(console: Console, post: Mapping[str, Any]) -> None:
    """Its class, how sure that is, and its beginning."""
    sure = f"{max(post['probabilities']):.2f}{'?' if post['unsure'] else ' '}"
    text = escape(post["text"][:TEXT])
    told = f"  [{STYLES[post['label']]}]{post['label']:8}[/] {sure} {post['language']}  {text}"
    console.print(told, highlight=False, no_wrap=True, overflow="ellipsis")
