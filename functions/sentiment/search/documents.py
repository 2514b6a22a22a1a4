"""A post's row -> what is searched of it: one document, under the row's key, in the index of its month."""

import re
from datetime import UTC, datetime
from typing import Any

from cuatro.posts import Scored
from functions.sentiment.search.template import NAME

_HASHTAG = re.compile(r"(?<![\w/])#(\w*[^\W\d_]\w*)")
MAX_HASHTAGS, MAX_HASHTAG = 20, 100


def index_of(scored: Scored) -> str:
    """sentiment-posts-2026.11: a post's own time never changes, so neither does its index."""
    return f"{NAME}-{scored.time.astimezone(UTC):%Y.%m}"


def document(key: str, scored: Scored) -> dict[str, Any]:
    """All fields of the template.

    score: probability of positive less that of negative, or 1, 0, -1 as a person said.
    """
    negative, _, positive = scored.probabilities
    said = {"negative": -1.0, "neutral": 0.0, "positive": 1.0}
    return {
        "post": key,
        "brand": scored.brand,
        "network": scored.network,
        "language": scored.language,
        "source": scored.source,
        "label": scored.human_label or scored.label,
        "model_label": scored.label,
        "corrected": scored.human_label is not None and scored.human_label != scored.label,
        "unsure": scored.unsure and scored.human_label is None,
        "repost": scored.repost,
        "score": said[scored.human_label] if scored.human_label else round(positive - negative, 4),
        "confidence": round(max(scored.probabilities), 4),
        "time": _rfc3339(scored.time),
        "collected_at": _rfc3339(scored.collected_at),
        "classified_at": _rfc3339(scored.classified_at),
        "text": scored.text,
        "hashtags": hashtags(scored.text),
        "url": scored.url,
        "likes": scored.likes,
        "reposts": scored.reposts,
        "replies": scored.replies,
        "backend": scored.backend,
        "model_version": scored.model_version,
    }


def hashtags(text: str) -> list[str]:
    """Without the sign, lower case, each once, in order; a number (#1) is none."""
    found = (tag.lower()[:MAX_HASHTAG] for tag in _HASHTAG.findall(text))
    return list(dict.fromkeys(found))[:MAX_HASHTAGS]


def _rfc3339(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
