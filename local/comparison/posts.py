"""A file of labelled posts (JSON Lines) -> posts with a language; the first bad line is named."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from cuatro.classification import Text
from cuatro.posts import LABELS

UNKNOWN = "und"


class Labelled(NamedTuple):
    """A post, and the place of its label in LABELS."""

    text: Text
    truth: int


class UnreadableError(ValueError):
    """str() names the line and what is wrong with it."""


def read(path: Path, detect: Callable[[str], str], limit: int | None = None) -> list[Labelled]:
    """Lines {"text", "label", "language"?}. detect: text -> language, where the line does not tell it.

    limit: so many posts, evenly over the file. Raises UnreadableError, OSError.
    """
    with path.open(encoding="utf-8", errors="replace") as file:
        rows = [(number, row) for number, row in enumerate(file, 1) if row.strip()]
    if not rows:
        raise UnreadableError(f"{path} has no line")
    if limit is not None and len(rows) > limit:
        rows = [rows[at * len(rows) // limit] for at in range(limit)]
    return [_labelled(number, row, detect) for number, row in rows]


def languages(posts: Iterable[Labelled]) -> list[str]:
    """Of the posts, the most frequent first."""
    counts: dict[str, int] = {}
    for each in posts:
        counts[each.text.language] = counts.get(each.text.language, 0) + 1
    return sorted(counts, key=lambda language: (-counts[language], language))


def _labelled(number: int, row: str, detect: Callable[[str], str]) -> Labelled:
    try:
        found = json.loads(row)
        text, label = found["text"], found["label"]
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadableError(f'line {number} is not {{"text", "label"}}: {error!r}') from None
    if not isinstance(text, str) or label not in LABELS:
        raise UnreadableError(f"line {number}: text must be a string, label one of {', '.join(LABELS)}")
    language = found.get("language") or detect(text) or UNKNOWN
    return Labelled(Text(text, str(language).partition("-")[0].lower()), LABELS.index(label))
