"""Texts of a request -> Comprehend's refusals, as it words them: too long, too many, a language it does not do."""

from collections.abc import Callable, Sequence
from typing import Any

from local.aws.errors import AwsError
from local.aws.service import Input, Output

TEXTS = 25
SENTIMENT_BYTES, LONG_BYTES = 5_000, 100_000
"""Of a text whose sentiment is asked for, and of one whose language or personal data is."""


def whole(text: str, most: int) -> None:
    """Raises TextSizeLimitExceededException."""
    words = too_long(text, most)
    if words:
        raise AwsError("TextSizeLimitExceededException", words)


def too_long(text: str, most: int) -> str:
    """Comprehend's words for a text of more bytes; empty for one that fits."""
    size = len(text.encode())
    if size <= most:
        return ""
    return (
        f"Input text size exceeds limit. Max length of request text allowed is {most} bytes while in this request the "
        f"text size is {size} bytes"
    )


def batched(given: Input, most: int, read: Callable[[Sequence[str]], list[dict[str, Any]]]) -> Output:
    """The answer of a Batch operation: `read` is asked for what fits, the rest is in ErrorList.

    Raises BatchSizeLimitExceededException.
    """
    texts = given["TextList"]
    if len(texts) > TEXTS:
        text = f"Documents batch size exceeds limit. Max number of documents allowed is {TEXTS} while in this request"
        raise AwsError("BatchSizeLimitExceededException", f"{text} the number of documents is {len(texts)}")
    refused = {place: words for place, text in enumerate(texts) if (words := too_long(text, most))}
    places = [place for place in range(len(texts)) if place not in refused]
    told = read([texts[place] for place in places]) if places else []
    return {
        "ResultList": [{"Index": place, **each} for place, each in zip(places, told, strict=True)],
        "ErrorList": [
            {"Index": place, "ErrorCode": "TEXT_SIZE_LIMIT_EXCEEDED", "ErrorMessage": words}
            for place, words in refused.items()
        ],
    }
