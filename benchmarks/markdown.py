"""Figures -> pieces of a page."""

from collections.abc import Iterable


def row(cells: Iterable[object]) -> str:
    """Cells -> a line of a table."""
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def us(seconds: float) -> str:
    """Microseconds, such as 99.9 us or 1,234 us."""
    us = 1e6 * seconds
    return f"{us:.1f} us" if us < 100 else f"{us:,.0f} us"


def calls_of(calls: dict[str, int]) -> str:
    """Counts by service.Operation -> a sentence."""
    return ", ".join(f"{count} {operation.split('.')[1]}" for operation, count in sorted(calls.items()))
