"""Labelled posts in lines of JSON -> checked rows; a folder of them -> languages and parts; the hash of what was read.

A line: {"text": ..., "label": negative | neutral | positive, any case, or 0 | 1 | 2}, optionally "lang" or "language".
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from functions.sentiment.features import LABELS

LANGUAGES = {
    "english": "en",
    "spanish": "es",
    "portuguese": "pt",
    "french": "fr",
    "italian": "it",
    "german": "de",
}
"""Names of the files <language>_train.jsonl and <language>_validation.jsonl, with their codes."""


class Post(NamedTuple):
    """label: a place in LABELS; language: a code of two letters, None where nobody told."""

    text: str
    label: int
    language: str | None = None


def parsed(line: str) -> Post:
    """Raises ValueError, which says what is wrong with the line."""
    try:
        row: Any = json.loads(line)
    except ValueError as error:
        raise ValueError(f"no JSON: {error}") from None
    if not isinstance(row, dict) or not isinstance(row.get("text"), str):
        raise ValueError('no object with a "text"')  # noqa: TRY004 - one kind for every bad line
    label, language = row.get("label"), row.get("lang") or row.get("language")
    if isinstance(label, str) and label.strip().lower() in LABELS:
        place = LABELS.index(label.strip().lower())
    elif not isinstance(label, bool) and str(label).strip() in {"0", "1", "2"}:
        place = int(label)
    else:
        raise ValueError(f"the label {label!r} is none of {', '.join(LABELS)}, 0, 1, 2")
    if language is not None and not isinstance(language, str):
        raise ValueError(f"the language {language!r} is no text")
    return Post(row["text"], place, language)


def read(path: Path, language: str | None = None, *, skip_bad: bool = False) -> tuple[list[Post], int]:
    """The posts of a file and how many lines were skipped. Raises ValueError with the line's number, OSError."""
    found, bad = [], 0
    with path.open(encoding="utf-8", errors="surrogateescape", newline="\n") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                post = parsed(line)
            except ValueError as error:
                if not skip_bad:
                    raise ValueError(f"{path.name}, line {number}: {error}") from None
                bad += 1
                continue
            found.append(post if post.language or not language else post._replace(language=language))
    if not found:
        raise ValueError(f"{path.name}: no posts in it")
    return found, bad


def posts(folder: Path, part: str) -> Iterator[Post]:
    """All posts of <language>_<part>.jsonl in the folder, in the order of LANGUAGES. Raises ValueError, OSError."""
    files = [(folder / f"{name}_{part}.jsonl", code) for name, code in LANGUAGES.items()]
    there = [(path, code) for path, code in files if path.exists()]
    if not there:
        raise ValueError(f"{folder}: none of {', '.join(path.name for path, _ in files)}")
    for path, code in there:
        yield from read(path, code)[0]


def digest(rows: Iterable[Post] | Sequence[Post]) -> str:
    """SHA-256 of the posts with their labels and languages, in their order."""
    total = hashlib.sha256()
    for row in rows:
        total.update(json.dumps([row.text, row.label, row.language]).encode())
    return total.hexdigest()
