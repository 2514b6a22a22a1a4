"""(candidate, labelled posts) -> how good, how quick, how dear: quality by class and language, latency, cost."""

import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from cuatro.classification import UNSUPPORTED, Text
from cuatro.posts import LABELS, Verdict
from local.comparison.candidates import BATCH, Candidate, Cost
from local.comparison.posts import Labelled, languages
from models.sentiment.comparison import Figures, figures

SINGLES = 100
"""Posts that are classified one by one, for the latency."""
FEWEST = 20
"""Posts of a language without which its figures are luck: they are not told."""


class Measured(NamedTuple):
    """p50_ms, p99_ms: of a call with one post. posts_a_second: in batches of 100. unsupported: refused texts."""

    name: str
    version: str
    posts: int
    quality: Figures
    recalls: dict[str, float]
    by_language: dict[str, Figures]
    unsure: float
    unsupported: int
    p50_ms: float
    p99_ms: float
    posts_a_second: float
    cost: Cost
    opinions: int
    changed: int
    unanswered: int
    problems: list[str]

    def told(self) -> dict[str, Any]:
        """As JSON has it."""
        found = self._asdict()
        found["quality"] = self.quality._asdict()
        found["by_language"] = {language: each._asdict() for language, each in self.by_language.items()}
        found["cost"] = {"usd_per_1000": self.cost.usd, "basis": self.cost.basis}
        return found


def measured(
    candidate: Candidate, posts: Sequence[Labelled], tell: Callable[[float], None], singles: int = SINGLES
) -> Measured:
    """Every post in batches, then some of them one by one. tell: the share that is done. Raises what a backend raises.

    The first call is not timed: it loads a model or opens a connection.
    """
    texts = [each.text for each in posts]
    candidate.classify(texts[:1])
    candidate.spent_usd, candidate.opinions, candidate.changed, candidate.unanswered = 0.0, 0, 0, 0
    verdicts: list[Verdict] = []
    began = time.perf_counter()
    for start in range(0, len(texts), BATCH):
        verdicts += candidate.classify(texts[start : start + BATCH])
        tell(0.9 * len(verdicts) / len(texts))
    seconds = (time.perf_counter() - began) / len(texts)
    cost = candidate.cost(texts, seconds, len(texts))
    opinions, changed, unanswered = candidate.opinions, candidate.changed, candidate.unanswered
    single = _single(candidate, texts, min(singles, len(texts)))
    tell(1.0)
    truth = np.array([each.truth for each in posts])
    said = np.array([each.probabilities for each in verdicts])
    return Measured(
        name=candidate.name,
        version=candidate.backend.version,
        posts=len(posts),
        quality=figures(truth, said),
        recalls={label: float((said[truth == place].argmax(axis=1) == place).mean())
                 for place, label in enumerate(LABELS) if (truth == place).any()},
        by_language=_by_language(posts, truth, said),
        unsure=sum(each.unsure for each in verdicts) / len(verdicts),
        unsupported=sum(each.backend.endswith(UNSUPPORTED) for each in verdicts),
        p50_ms=float(np.percentile(single, 50)),
        p99_ms=float(np.percentile(single, 99)),
        posts_a_second=1 / seconds,
        cost=cost,
        opinions=opinions,
        changed=changed,
        unanswered=unanswered,
        problems=sorted(candidate.problems),
    )  # fmt: skip


def _single(candidate: Candidate, texts: Sequence[Text], count: int) -> list[float]:
    """Milliseconds of each call with one post, evenly over the posts."""
    found = []
    for at in range(count):
        began = time.perf_counter()
        candidate.classify([texts[at * len(texts) // count]])
        found.append(1000 * (time.perf_counter() - began))
    return found


def _by_language(posts: Sequence[Labelled], truth: Any, said: Any) -> dict[str, Figures]:
    of = np.array([each.text.language for each in posts])
    found = {}
    for language in languages(posts):
        rows = of == language
        if rows.sum() >= FEWEST:
            found[language] = figures(truth[rows], said[rows])
    return found
