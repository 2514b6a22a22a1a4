"""What every index of posts is made with: fields, how text is read, the alias that stands for all of them.

One index a month of the post's own time, so that old months can be removed whole. Accents and case do not count in a
search: "cafe" finds "Café", in all of the languages.
"""

from typing import Any

NAME = "sentiment-posts"
"""Of the template, and of the alias over all indices."""
PATTERN = f"{NAME}-*"

_KEYWORD = {"type": "keyword", "ignore_above": 512}
_SHOWN = {"type": "keyword", "index": False, "doc_values": False}
_COUNT = {"type": "long"}

PROPERTIES: dict[str, Any] = {
    "post": _KEYWORD,
    "brand": _KEYWORD,
    "network": _KEYWORD,
    "language": _KEYWORD,
    "source": _KEYWORD,
    "label": _KEYWORD,
    "model_label": _KEYWORD,
    "corrected": {"type": "boolean"},
    "unsure": {"type": "boolean"},
    "repost": {"type": "boolean"},
    "score": {"type": "float"},
    "confidence": {"type": "float"},
    "time": {"type": "date"},
    "collected_at": {"type": "date"},
    "classified_at": {"type": "date"},
    "text": {"type": "text", "analyzer": "folded"},
    "hashtags": _KEYWORD,
    "url": _SHOWN,
    "likes": _COUNT,
    "reposts": _COUNT,
    "replies": _COUNT,
    "backend": _KEYWORD,
    "model_version": _KEYWORD,
}

TEMPLATE: dict[str, Any] = {
    "index_patterns": [PATTERN],
    "priority": 100,
    "version": 1,
    "template": {
        "aliases": {NAME: {}},
        "settings": {
            # A month of posts of some brands is far below the 10 to 50 GB that one shard is meant for.
            "number_of_shards": 1,
            "auto_expand_replicas": "0-1",
            # Fresh within a minute is what people are promised; each refresh costs the domain work.
            "refresh_interval": "10s",
            "analysis": {
                "analyzer": {
                    "folded": {"type": "custom", "tokenizer": "standard", "filter": ["lowercase", "asciifolding"]}
                }
            },
        },
        # A field that is not named here is kept in the document and not searched: no post can add fields.
        "mappings": {"dynamic": False, "properties": PROPERTIES},
    },
}
