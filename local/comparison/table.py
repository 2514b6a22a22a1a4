"""Measurements -> a table side by side, and notes on what a reader must know about them."""

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cuatro import prices
from local.comparison.measured import Measured


def show(console: Console, found: Sequence[Measured], local: bool) -> None:
    """local: services are answered by the platform here, so that their quality and latency are not AWS's."""
    table = Table(title=f"{found[0].posts:,} posts", title_justify="left")
    table.add_column("")
    for each in found:
        table.add_column(escape(each.name), justify="right", overflow="fold")
    for name, *values in rows(found):
        table.add_row(name, *values)
    console.print(table)
    for note in notes(found, local):
        console.print(f"[dim]{escape(note)}[/]")


def rows(found: Sequence[Measured]) -> Iterator[list[str]]:
    """Name and a value each."""
    yield ["macro recall", *(f"{each.quality.macro_recall:.3f}" for each in found)]
    yield ["macro F1", *(f"{each.quality.macro_f1:.3f}" for each in found)]
    yield ["accuracy", *(f"{each.quality.accuracy:.3f}" for each in found)]
    yield ["calibration error", *(f"{each.quality.ece:.3f}" for each in found)]
    for label in found[0].recalls:
        yield [f"recall, {label}", *(f"{each.recalls[label]:.3f}" for each in found)]
    for language in found[0].by_language:
        yield [f"macro recall, {language}", *(f"{each.by_language[language].macro_recall:.3f}" for each in found)]
    yield ["unsure", *(f"{each.unsure:.1%}" for each in found)]
    yield ["refused", *(f"{each.unsupported:,}" for each in found)]
    if any(each.opinions or each.unanswered for each in found):
        yield ["second opinions", *(f"{each.opinions:,} ({each.changed:,} changed)" for each in found)]
    yield ["one post, p50", *(f"{each.p50_ms:.1f} ms" for each in found)]
    yield ["one post, p99", *(f"{each.p99_ms:.1f} ms" for each in found)]
    yield ["posts a second, batches", *(f"{each.posts_a_second:,.0f}" for each in found)]
    yield ["USD per 1,000 posts", *(f"{each.cost.usd:.5f}" for each in found)]
    yield ["model", *(each.version or "not told" for each in found)]


def notes(found: Sequence[Measured], local: bool) -> Iterator[str]:
    """What a reader must know."""
    for each in found:
        yield f"{each.name}: {each.cost.basis}."
        for problem in each.problems[:3]:
            yield f"{each.name}: {each.unanswered:,} opinions were not given: {problem}"
    yield f"List prices of us-east-1 as of {prices.AS_OF} (cuatro/prices.py); yours may differ."
    if local and any(each.name != "onnx" for each in found):
        yield (
            "Services are answered by the local platform with this project's own model: their quality and latency here "
            "say that the code path works, not how AWS would answer. Give --target aws for that."
        )
