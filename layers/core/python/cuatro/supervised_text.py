"""Posts <-> BlazingText's supervised text format (fastText's): `__label__<class> token token ...`, a post a line.

Training and asking must cut texts into the same tokens, so both use this module: lower case, words (with their
apostrophes), every other sign by itself. https://docs.aws.amazon.com/sagemaker/latest/dg/blazingtext.html
"""

import re
from collections.abc import Sequence

from cuatro.errors import ModelMismatch
from cuatro.posts import LABELS

PREFIX = "__label__"
_TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[^\w\s]")


def tokens(text: str) -> str:
    """Tokens with a space between them; empty where there are none. Never one that could be read as a label."""
    return " ".join(_TOKEN.findall(text.lower().replace("\u2019", "'")))


def line(label: str, text: str) -> str:
    """A line of a training file, without its end. Raises KeyError for a label that is none."""
    if label not in LABELS:
        raise KeyError(label)
    return f"{PREFIX}{label} {tokens(text)}".rstrip()


def read(row: str) -> tuple[str, str]:
    """A line -> (label, tokens). Raises ValueError."""
    label, _, rest = row.strip().partition(" ")
    if not label.startswith(PREFIX) or label.removeprefix(PREFIX) not in LABELS:
        raise ValueError(f"not a line of the supervised text format: {row[:80]!r}")
    return label.removeprefix(PREFIX), rest


def probabilities(labels: Sequence[str], probs: Sequence[float]) -> list[float]:
    """["__label__positive", ...], [0.7, ...] of a post -> probabilities in the order of LABELS.

    A label that the model did not tell has none; fastText's may sum to a little more than 1. Raises ModelMismatch.
    """
    told: dict[str, float] = {}
    for name, each in zip(labels, probs, strict=False):
        label = name.removeprefix(PREFIX)
        if label not in LABELS:
            raise ModelMismatch(f"the endpoint knows the class {label!r}, which is none of {', '.join(LABELS)}")
        told[label] = each
    return [told.get(label, 0.0) for label in LABELS]
