"""A network's name -> its source; only that one's modules are imported."""

from importlib import import_module

from functions.sentiment.sources.source import Source

_SOURCES = {"mastodon": "Mastodon", "bluesky": "Bluesky", "reddit": "Reddit", "x": "X", "rss": "Rss"}


def source_of(network: str) -> Source:
    """Raises KeyError for a network that there is none of."""
    module = import_module(f"functions.sentiment.sources.{network}")
    source: Source = getattr(module, _SOURCES[network])()
    return source
