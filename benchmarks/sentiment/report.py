"""Figures of the sentiment pipeline -> its part of docs/benchmarks.md."""

from typing import Any

from benchmarks.markdown import calls_of, row, us
from benchmarks.measure import p50
from benchmarks.sentiment.alone import COLLECT, FINGERPRINT, LANGUAGE, MANY, NAIVE, ONE

SECTION = """
## Sentiment

The shipped model ({megabytes:.1f} MB) on the project's own posts in six languages, of {characters} characters at the
median. One thread but for *naive*, whose session has the library's defaults.

### The steps of a post, each alone

No AWS call. CPU of a post.

| | CPU a post, p50 | posts/s and core | times the first |
|---|---:|---:|---:|
{alone}

- *naive* is `benchmarks/sentiment/naive.py`: an ONNX session as one opens it, SentencePiece and a run for each post.
  Much of the difference is the session's threads, which wait for each other. It runs the project's own model: a
  transformers pipeline is not installed, and would bring a model of another size.
- *clean and redact* is all that a collector does with a post: markup, Unicode, e-mails, phones, cards, IBANs, handles.

### The Firehose transform

{records} new posts, AWS stubbed as above, warm, {rounds} rounds.

| handler | CPU a post, p50 | posts/s and core | AWS calls a post | times naive |
|---|---:|---:|---:|---:|
{transform}

Calls of a batch:

{calls}

- *naive* writes each post by `put_item` and `put_record`. It checks nothing, writes again what comes again, knows no
  reposts.
- *classify* decides once for each post, whatever Firehose repeats, and finds reposts by their words: it reads rows and
  words, and writes both on condition.
"""

LIVE = """| {posts} posts put at once: classified, with their rows | {stored_a_second:.0f} a second |
| the same, until the aggregates count them | {counted_a_second:.0f} a second |
"""
_TITLES = {
    ONE: "**ours**, one at a time",
    MANY: "**ours**, a batch of 100",
    NAIVE: "naive, one at a time",
    COLLECT: "**clean and redact**",
    LANGUAGE: "**language**",
    FINGERPRINT: "**fingerprint**",
}


def section(measured: dict[str, Any]) -> str:
    """The pipeline's own section."""
    transform = measured["transform"]
    return SECTION.format(
        megabytes=measured["bytes"] / 1e6,
        characters=measured["alone"]["characters"],
        rounds=measured["rounds"],
        alone="\n".join(_alone(measured["alone"]["ns"])),
        records=transform["records"],
        transform="\n".join(_handlers(transform)),
        calls="\n".join(f"- {name}: {calls_of(calls)}" for name, calls in transform["calls"].items()),
    )


def live(figures: dict[str, Any]) -> str:
    """Lines of the running platform's table."""
    return LIVE.format(**figures)


def _alone(ns: dict[str, list[int]]) -> list[str]:
    first = p50(ns[ONE])
    return [
        row([title, us(p50(ns[name]) / 1e9), f"{1e9 / p50(ns[name]):,.0f}", f"{p50(ns[name]) / first:.2f}"])
        for name, title in _TITLES.items()
    ]


def _handlers(one: dict[str, Any]) -> list[str]:
    lines = []
    for name, spent in one["ns"].items():
        middle = p50(spent) / one["records"]
        calls = sum(one["calls"][name].values()) / one["records"]
        times = p50(one["ns"]["naive"]) / one["records"] / middle
        title = name if name == "naive" else f"**{name}**"
        lines.append(row([title, us(middle / 1e9), f"{1e9 / middle:,.0f}", f"{calls:.2f}", f"{times:.1f}"]))
    return lines
