"""A seed -> an invented shop's items: their words, prices and days of arrival, and what nobody sees, their appeal.

Days count from the shop's opening. On day CHANGED new lines are launched (see tastes.py for what people make of them);
until then every week brings a few new models of the old lines.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.recommendations.assortment import CATEGORIES, MODELS

CHANGED = 120.0
"""The day of the change; the shipped model knows what came before."""
LAUNCHED_EVERY = 2
"""The last line of every second category is launched at the change."""
WEEKLY_SHARE, SOLD_OUT_SHARE, LAUNCH_DAYS = 0.08, 0.03, 3.0
PART_MODELS = (0.16, 0.22, 0.26, 0.2, 0.16)
"""How many models a part of a line has: 1 to 5, with these shares."""


@dataclass(frozen=True)
class Shop:
    """Items, arrays alike in length. line: number of the item's line; part: its place among the line's parts.

    tier: how far from the usual price, in octaves of about 1.5; appeal: log of how much it is wanted; added, sold_out:
    days. `by_line` [lines, most]: items of each line, -1 where a line has fewer.
    """

    ids: list[str]
    titles: list[str]
    line: NDArray[np.int64]
    part: NDArray[np.int64]
    brand: NDArray[np.int64]
    tier: NDArray[np.float64]
    price: NDArray[np.float64]
    appeal: NDArray[np.float64]
    added: NDArray[np.float64]
    sold_out: NDArray[np.float64]
    lines: list[tuple[str, str]]
    launched: NDArray[np.bool_]
    brands: list[str]
    by_line: NDArray[np.int64]

    @property
    def place(self) -> dict[str, int]:
        """Item id -> number."""
        return {name: at for at, name in enumerate(self.ids)}

    def there(self, day: float) -> NDArray[np.bool_]:
        """bool [items]: added, and not sold out."""
        return (self.added <= day) & (self.sold_out > day)

    def catalogue(self, opened: datetime, day: float = CHANGED) -> Iterator[dict[str, Any]]:
        """What is known of the items there on a day, for `cuatro catalog import`; opened: the moment of day 0."""
        for at in np.flatnonzero(self.added <= day):
            category, line = self.lines[self.line[at]]
            parts = CATEGORIES_BY_NAME[category].parts
            yield {
                "item_id": self.ids[at],
                "title": self.titles[at],
                "category": category,
                "tags": [line, list(parts)[self.part[at]], self.brands[self.brand[at]]],
                "available": bool(self.sold_out[at] > day),
                "added": (opened + timedelta(days=float(self.added[at]))).isoformat(timespec="seconds"),
                "price": float(self.price[at]),
            }


CATEGORIES_BY_NAME = {category.name: category for category in CATEGORIES}


def shop(seed: int) -> Shop:
    """Reproducible from the seed alone."""
    rng = np.random.default_rng([seed, 1])
    lines = [(category.name, line) for category in CATEGORIES for line in category.lines]
    late = np.array([
        line == category.lines[-1] and number % LAUNCHED_EVERY == 0
        for number, category in enumerate(CATEGORIES) for line in category.lines
    ])  # fmt: skip
    brands = sorted({brand for category in CATEGORIES for brand in category.brands})
    rows: list[tuple[int, int, int, str, str, float]] = []
    for number, (name, line) in enumerate(lines):
        category = CATEGORIES_BY_NAME[name]
        for part, (noun, price) in enumerate(category.parts.items()):
            for model in range(1 + int(rng.choice(len(PART_MODELS), p=PART_MODELS))):
                brand = category.brands[int(rng.integers(len(category.brands)))]
                title = f"{brand} {line} {noun}{MODELS[model]}"
                rows.append(
                    (number, part, brands.index(brand), _slug(f"{name}-{line}-{noun}-{model + 1}"), title, price)
                )
    line, part, brand = (np.array([row[column] for row in rows]) for column in range(3))
    count = len(rows)
    tier = rng.normal(0, 1, count)
    price = np.array([row[5] for row in rows]) * 1.5**tier
    added = np.where(rng.random(count) < WEEKLY_SHARE, rng.uniform(0, CHANGED - 7, count), -rng.uniform(1, 400, count))
    added[late[line]] = CHANGED + rng.uniform(0, LAUNCH_DAYS, int(late[line].sum()))
    sold_out = np.where(rng.random(count) < SOLD_OUT_SHARE, rng.uniform(30, CHANGED - 1, count), np.inf)
    sold_out[sold_out < added + 14] = np.inf
    return Shop(
        ids=[row[3] for row in rows],
        titles=[row[4][0].upper() + row[4][1:] for row in rows],
        line=line,
        part=part,
        brand=brand,
        tier=tier,
        price=np.maximum(np.round(price) - 0.05, 0.95).round(2),
        appeal=rng.normal(0, 0.9, count),
        added=added,
        sold_out=sold_out,
        lines=lines,
        launched=late,
        brands=brands,
        by_line=_padded(line, len(lines)),
    )


def write(lines: Iterator[dict[str, Any]]) -> str:
    """JSON lines."""
    return "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines)


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _padded(line: NDArray[np.int64], lines: int) -> NDArray[np.int64]:
    counts = np.bincount(line, minlength=lines)
    found = np.full((lines, counts.max()), -1)
    found[line, np.arange(len(line)) - np.searchsorted(line, line)] = np.arange(len(line))
    return found
