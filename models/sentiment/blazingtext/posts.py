"""Labelled posts (JSON Lines) <-> BlazingText's supervised text format; which of them train and which validate.

    python -m models.sentiment.blazingtext.posts POSTS.jsonl TRAIN.txt VALIDATION.txt [--share 0.1]

Lines of POSTS are {"text", "label"}. A text always falls on the same side, by its hash, so that a later export with
more posts does not train on what an earlier one validated with; texts that are equal for the model fall together.
"""

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from cuatro.supervised_text import line, read, tokens

PARTS = 10_000


class Written(NamedTuple):
    """Posts of each label; left: those that have no token, or a label that is none."""

    training: Counter[str]
    validation: Counter[str]
    left: int


def validates(text: str, share: float) -> bool:
    """Is a post one of the share (0 to 1) that validates?"""
    digest = blake2b(tokens(text).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % PARTS < share * PARTS


def exported(posts: Iterable[tuple[str, str]], training: Path, validation: Path, share: float = 0.1) -> Written:
    """(label, text) of each post -> two files, a post a line."""
    written = Written(Counter(), Counter(), 0)
    left = 0
    with training.open("w", encoding="utf-8") as trains, validation.open("w", encoding="utf-8") as checks:
        for label, text in posts:
            try:
                row = line(label, text)
            except KeyError:
                left += 1
                continue
            if not tokens(text):
                left += 1
            elif validates(text, share):
                checks.write(f"{row}\n")
                written.validation[label] += 1
            else:
                trains.write(f"{row}\n")
                written.training[label] += 1
    return written._replace(left=left)


def imported(rows: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Lines of the format -> (label, tokens). Raises ValueError, which names the line."""
    for number, row in enumerate(rows, 1):
        if row.strip():
            try:
                yield read(row)
            except ValueError as error:
                raise ValueError(f"line {number}: {error}") from None


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("posts", type=Path)
    parser.add_argument("training", type=Path)
    parser.add_argument("validation", type=Path)
    parser.add_argument("--share", type=float, default=0.1, help="of the posts that validate")
    given = parser.parse_args()
    with given.posts.open(encoding="utf-8") as file:
        rows = (json.loads(row) for row in file if row.strip())
        posts = ((str(each["label"]), str(each["text"])) for each in rows)
        written = exported(posts, given.training, given.validation, given.share)
    print(json.dumps(written._asdict()))  # noqa: T201 - the command's answer


if __name__ == "__main__":
    main()
