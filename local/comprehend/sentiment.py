"""DetectSentiment, BatchDetectSentiment: texts -> the project's own model -> classes as Comprehend tells them.

Comprehend has a fourth class, MIXED. Ours has no such output: of a text that is torn, for which negative and positive
are both likelier than neutral, what the two have in common is told as mixed, half of it taken from each.
"""

from collections.abc import Sequence
from typing import Any

from local.aws.service import Input, Operation, Output, Service
from local.comprehend import limits, reading


def detect(service: Service, given: Input) -> Output:
    """DetectSentiment."""
    limits.whole(given["Text"], limits.SENTIMENT_BYTES)
    (found,) = _read(service, [given["Text"]], given["LanguageCode"])
    return found


def detect_batch(service: Service, given: Input) -> Output:
    """BatchDetectSentiment."""
    language = given["LanguageCode"]
    return limits.batched(given, limits.SENTIMENT_BYTES, lambda texts: _read(service, texts, language))


def told(negative: float, neutral: float, positive: float) -> dict[str, Any]:
    """Three probabilities -> Sentiment and SentimentScore."""
    torn = min(negative, positive)
    mixed = torn if torn > neutral else 0.0
    score = {
        "Positive": positive - mixed / 2,
        "Negative": negative - mixed / 2,
        "Neutral": neutral,
        "Mixed": mixed,
    }
    best = max(score, key=lambda name: score[name])
    return {"Sentiment": best.upper(), "SentimentScore": score}


def _read(service: Service, texts: Sequence[str], language: str) -> list[dict[str, Any]]:
    rows = reading.asked(service, "sentiment", texts, language.partition("-")[0])
    return [told(*row) for row in rows]


OPERATIONS: dict[str, Operation] = {"DetectSentiment": detect, "BatchDetectSentiment": detect_batch}
