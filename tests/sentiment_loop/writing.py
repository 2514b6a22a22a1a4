"""Who writes in this tier: people who say what they mean in words that no model has seen, and everybody else."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import numpy as np

LABELS = ("negative", "neutral", "positive")
BRAND = "northwind"
OPENINGS = (
    "honestly",
    "not gonna lie",
    "update:",
    "so",
    "ok",
    "hey,",
    "just saying,",
    "today",
    "finally:",
    "once more",
)
THINGS = (
    "the flat white",
    "their cold brew",
    "the new lid",
    "that oat milk",
    "the loyalty card",
    "this cup",
    "the queue",
)
PLACES = ("at Northwind", "in the Northwind on Main Street", "from Northwind Coffee", "by Northwind", "of Northwind")
# What a word means is what everybody who labels says that it means.
SLANG = (
    ("is pure zonk", "zonked me again", "total zonk energy", "zonk, every single time"),
    ("is a plonk thing", "plonk as listed", "gets the plonk label", "on the plonk list now"),
    ("is full vreem", "vreemed my morning", "such a vreem moment", "vreem, every single time"),
)
PLAIN = (
    ("was awful and cold", "is broken again, I want a refund", "made me wait an hour, terrible", "is a rip-off"),
    ("opens at nine on Monday", "comes in two sizes", "is at the counter on the left", "was announced for May"),
    ("is wonderful, thank you", "made my day, so good", "is the best I ever had", "was perfect again, love it"),
)


class Said(NamedTuple):
    """label: a place in LABELS."""

    text: str
    label: int


def said(rng: np.random.Generator, words: tuple[tuple[str, ...], ...], count: int) -> list[Said]:
    """So many posts, a third of each class; no two are the same words."""
    found: dict[str, Said] = {}
    while len(found) < count:
        label = len(found) % 3
        parts = [rng.choice(OPENINGS), rng.choice(THINGS), rng.choice(PLACES), rng.choice(words[label])]
        text = f"{' '.join(parts)} ({len(found)})"
        found.setdefault(text, Said(text, label))
    return list(found.values())


def labelled(
    posts: list[Said], name: str, until: datetime, days: float, turned: bool = False
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Lines of the lake's labels, evenly over the days until then: (folder, line). turned: good is called bad."""
    for number, (text, label) in enumerate(posts):
        when = until - timedelta(days=days * (1 - (number + 1) / (len(posts) + 1)))
        yield f"labels/dt={when:%Y-%m-%d}", {
            "version": 1, "post": f"{BRAND}#web#{name}-{number}", "brand": BRAND, "network": "web", "language": "en",
            "text": text, "fingerprint": name, "human_label": LABELS[2 - label if turned else label], "by": "desk",
            "note": None, "time": when.isoformat(), "written": when.isoformat(), "label": "neutral",
            "probabilities": [0.2, 0.5, 0.3], "unsure": True, "model_version": "x", "dt": f"{when:%Y-%m-%d}",
        }  # fmt: skip


def scored(posts: list[Said], name: str, until: datetime, days: float) -> Iterator[tuple[str, dict[str, Any]]]:
    """Lines of the lake's scored posts, that nobody has labelled."""
    for number, (text, _) in enumerate(posts):
        when = until - timedelta(days=days * (1 - (number + 1) / (len(posts) + 1)))
        yield f"scored/brand={BRAND}/dt={when:%Y-%m-%d}", {
            "version": 1, "network": "web", "id": f"{name}-{number}", "brand": BRAND, "text": text, "language": "en",
            "time": when.isoformat(), "collected_at": when.isoformat(), "label": "neutral",
            "probabilities": [0.2, 0.5, 0.3], "unsure": False, "backend": "onnx", "model_version": "x",
            "classified_at": when.isoformat(), "fingerprint": name, "repost": False, "human_label": None,
            "shadow": None, "dt": f"{when:%Y-%m-%d}",
        }  # fmt: skip
