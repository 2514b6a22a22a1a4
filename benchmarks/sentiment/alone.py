"""Texts -> the steps of a post's way, each alone: CPU a post, without any AWS call."""

from collections.abc import Callable
from itertools import cycle
from typing import Any

from benchmarks.measure import Contestant, interleaved
from benchmarks.sentiment.workload import BATCH, incoming, post
from cuatro.adapters.classifier import Classifier
from functions.sentiment import features
from functions.sentiment.fingerprint import fingerprint
from functions.sentiment.language import detect

ONE, MANY, NAIVE = "classify one", "classify 100", "naive, one"
COLLECT, LANGUAGE, FINGERPRINT = "clean and redact", "language", "fingerprint"


def measure(model: str, rounds: int) -> dict[str, Any]:
    """CPU nanoseconds a post, by step."""
    from benchmarks.sentiment import naive  # noqa: PLC0415 - it reads the environment when imported

    raw = incoming()
    texts = [post(each).text for each in raw]
    ours = Classifier(model, features)
    batch = (texts * (BATCH // len(texts) + 1))[:BATCH]
    contestants = [
        Contestant(ONE, _each(lambda text: ours.classify([text]), texts), BATCH),
        Contestant(MANY, lambda: ours.classify(batch)),
        Contestant(NAIVE, _each(naive.classify, texts), BATCH),
        Contestant(COLLECT, _each(post, raw), BATCH),
        Contestant(LANGUAGE, _each(detect, texts), BATCH),
        Contestant(FINGERPRINT, _each(fingerprint, texts), BATCH),
    ]
    spent = interleaved(contestants, rounds)
    spent[MANY] = [each // BATCH for each in spent[MANY]]
    return {"ns": spent, "characters": sorted(map(len, texts))[len(texts) // 2]}


def _each(run: Callable[[Any], object], things: list[Any]) -> Callable[[], object]:
    """One of the things at a time, in turn."""
    turn = cycle(things)
    return lambda: run(next(turn))
