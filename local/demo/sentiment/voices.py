"""(brand, time, seed) -> posts of many people about it, with what they feel: a quiet day, and then a crisis.

The same seed tells the same story. The true class stays here: the suite gets the text alone.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from local.demo.sentiment.phrases import PHRASES

NETWORKS = ("mastodon", "bluesky", "reddit", "x", "rss")
# English and Spanish first, as brands that watch both have it.
LANGUAGES = {"en": 0.42, "es": 0.26, "de": 0.09, "fr": 0.09, "it": 0.07, "pt": 0.07}
QUIET = {"negative": 0.2, "neutral": 0.45, "positive": 0.35}
_EMOJI = {"negative": ("😡", "👎", "🙄"), "neutral": ("🤔", "📦"), "positive": ("😍", "👍", "🎉")}
_EMOJI_SHARE, _REPOST_SHARE, _CRISIS_SHARE = 0.15, 0.06, 0.85


@dataclass(frozen=True)
class Said:
    """A post as its network has it, and the truth about it."""

    network: str
    id: str
    text: str
    language: str
    time: datetime
    truth: str
    repost_of: str | None = None

    def incoming(self, brand: str) -> dict[str, Any]:
        """As `POST /posts` takes it."""
        return {
            "version": 1, "brand": brand, "network": self.network, "id": self.id, "text": self.text,
            "language": self.language, "time": self.time.isoformat(), "repost_of": self.repost_of,
        }  # fmt: skip


class Voices:
    """People who talk about `name`. run: before all ids, so that runs do not mix."""

    def __init__(self, name: str, run: str, seed: int) -> None:
        self.name, self.run = name, run
        self._rng = random.Random(seed)  # noqa: S311 - a story, not a secret
        self._number = 0
        self._last: dict[str, Said] = {}

    def quiet(self, start: datetime, end: datetime, count: int) -> list[Said]:
        """`count` posts between, more of them by day than by night, in order of time."""
        return [self._said(time, self._feeling(QUIET), crisis=False) for time in sorted(self._times(start, end, count))]

    def crisis(self, start: datetime, end: datetime, count: int) -> list[Said]:
        """Most are angry about the same thing."""
        times = sorted(start + (end - start) * self._rng.random() for _ in range(count))
        angry = [self._rng.random() < _CRISIS_SHARE for _ in times]
        return [
            self._said(time, "negative" if each else self._feeling(QUIET), crisis=each)
            for time, each in zip(times, angry, strict=True)
        ]

    def _times(self, start: datetime, end: datetime, count: int) -> Iterator[datetime]:
        found = 0
        while found < count:
            time = start + timedelta(seconds=self._rng.random() * (end - start).total_seconds())
            if self._rng.random() < (1.0 if 7 <= time.hour < 23 else 0.5):
                found += 1
                yield time

    def _feeling(self, shares: dict[str, float]) -> str:
        return self._rng.choices(tuple(shares), tuple(shares.values()))[0]

    def _said(self, time: datetime, truth: str, *, crisis: bool) -> Said:
        network = self._rng.choice(NETWORKS)
        self._number += 1
        number = f"{self.run}-{self._number}"
        before = self._last.get(network)
        if before and network != "rss" and self._rng.random() < _REPOST_SHARE:
            return Said(
                network, number, before.text, before.language, time, before.truth, before.repost_of or before.id
            )
        language = self._rng.choices(tuple(LANGUAGES), tuple(LANGUAGES.values()))[0]
        phrases = PHRASES[language]
        sentences: list[str] = phrases.crisis if crisis else getattr(phrases, truth)
        sentence = self._rng.choice(sentences).format(b=self.name) + self._rng.choice(phrases.tails)
        text = self._rng.choice(phrases.frames).format(s=sentence)
        if self._rng.random() < _EMOJI_SHARE:
            text = f"{text} {self._rng.choice(_EMOJI[truth])}"
        said = Said(network, number, text, language, time, truth)
        self._last[network] = said
        return said
