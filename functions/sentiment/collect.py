"""A post as it came, from a network or a hook -> the post of a brand: cleaned, redacted, cut. It leaves only so."""

from collections.abc import Iterable
from datetime import datetime

from cuatro.posts import MAX_TEXT, Incoming, Post, moment, primary, written
from functions.sentiment.brands import Brand, matches
from functions.sentiment.clean import cleaned
from functions.sentiment.redact import pseudonym, redacted, redacted_url

MAX_RAW = 200_000
"""Characters of a text that are looked at: markup and all, some twenty times what is kept."""

_EDGE = 100
"""Characters before a cut: they may be half of an e-mail or a number."""


def clean_text(incoming: Incoming, html: bool = False) -> str:
    """What is to be read of it, for `matched` and `collected`; not yet redacted: it must not leave the process."""
    return cleaned(incoming.text[:MAX_RAW], html)


def matched(clean: str, brands: Iterable[Brand]) -> list[Brand]:
    """The brands that a clean text is about. One that is not enabled is not watched."""
    return [brand for brand in brands if brand.enabled and matches(brand, clean)]


def collected(  # noqa: PLR0913 - where it came from
    incoming: Incoming,
    brand: Brand,
    *,
    clean: str,
    source: str | None,
    collected_at: datetime,
    key: bytes,
    correlation_id: str | None = None,
) -> Post:
    """clean: from clean_text. key: of the pseudonyms; without one the author is nobody: such a hash hides no name.

    Text is cut after redaction, which knows no half e-mail; of a longer one twice as much is looked at.
    """
    language = primary(incoming.language)
    text, _ = redacted(clean[: 2 * MAX_TEXT], brand.handles, key, language, incoming.network)
    if len(clean) > 2 * MAX_TEXT:
        text = text[:-_EDGE]
    time, adjusted = written(incoming.time, collected_at)
    return Post(
        network=incoming.network,
        id=incoming.id,
        brand=brand.brand,
        text=text[:MAX_TEXT],
        language=language,
        time=time,
        collected_at=moment(collected_at.timestamp()),
        url=redacted_url(incoming.url, brand.handles) if incoming.url else None,
        author=pseudonym(incoming.author, incoming.network, key) if incoming.author and key else None,
        repost_of=incoming.repost_of,
        likes=incoming.likes,
        reposts=incoming.reposts,
        replies=incoming.replies,
        source=source,
        cut=max(len(text), len(clean) - MAX_TEXT) > MAX_TEXT,
        time_adjusted=adjusted,
        correlation_id=correlation_id,
    )
