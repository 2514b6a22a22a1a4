"""DetectDominantLanguage, BatchDetectDominantLanguage: texts -> the pipeline's detector -> languages."""

from collections.abc import Sequence
from typing import Any

from local.aws.service import Input, Operation, Output, Service
from local.comprehend import limits, reading

SHOWN = 0.05
"""A language with a smaller score is not told, unless it is the best."""


def detect(service: Service, given: Input) -> Output:
    """DetectDominantLanguage."""
    limits.whole(given["Text"], limits.LONG_BYTES)
    (found,) = _read(service, [given["Text"]])
    return found


def detect_batch(service: Service, given: Input) -> Output:
    """BatchDetectDominantLanguage."""
    return limits.batched(given, limits.SENTIMENT_BYTES, lambda texts: _read(service, texts))


def _read(service: Service, texts: Sequence[str]) -> list[dict[str, Any]]:
    rows = reading.asked(service, "languages", texts)
    return [
        {"Languages": [{"LanguageCode": code, "Score": score} for at, (code, score) in enumerate(row)
                       if not at or score >= SHOWN]}
        for row in rows
    ]  # fmt: skip


OPERATIONS: dict[str, Operation] = {"DetectDominantLanguage": detect, "BatchDetectDominantLanguage": detect_batch}
