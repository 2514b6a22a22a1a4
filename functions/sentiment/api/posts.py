"""Posts over HTTP -> cleaned, redacted, for each brand they are about -> Firehose; what cannot be taken is told.

Nothing of a post is kept, written to a log or sent on before it is redacted.
"""

from typing import Any

from cuatro.adapters import secrets
from cuatro.adapters.dynamodb import Dynamo
from cuatro.adapters.publishing import put_each
from cuatro.decoding import check_time
from cuatro.errors import Rejected, Unavailable
from cuatro.posts import Incoming, Post, decode_incoming_posts, encode, moment, told
from functions.sentiment.api.brands import watched
from functions.sentiment.api.settings import Settings
from functions.sentiment.brands import Brand
from functions.sentiment.collect import clean_text, collected, matched
from functions.sentiment.policy import policy

_AWAY = Rejected("cannot be taken at the moment, try again", code="unavailable")


def accept(  # noqa: PLR0913, PLR0917 - where they come from, and when
    body: bytes, source: str | None, correlation_id: str, setting: Settings, dynamo: Dynamo, now: float
) -> dict[str, Any]:
    """{"accepted", "matched", "rejected": [{"index", "error"}]}; a post that was sent before counts once.

    accepted: posts that were taken, of which one may be about no brand; matched: times that one is about a brand.
    An index with the code "unavailable" can be sent again as it is. source: a hook's name. now: unix seconds.
    Raises Rejected when the body is none, or nothing of it can be taken; Unavailable when nobody takes anything.
    """
    good, bad = decode_incoming_posts(body)
    brands = {brand.brand: brand for brand in watched(setting.brands_table, dynamo)} if good else {}
    key = secrets.text(setting.pseudonym_secret_arn).encode()
    posts: list[Post] = []
    places: list[int] = []
    taken: set[int] = set()
    for place, incoming in good:
        try:
            clean = clean_text(incoming)
            for brand in _about(incoming, clean, brands, now, policy(setting.policy).max_age_days):
                posts.append(
                    collected(
                        incoming,
                        brand,
                        clean=clean,
                        source=source,
                        collected_at=moment(now),
                        key=key,
                        correlation_id=correlation_id or None,
                    )
                )
                places.append(place)
            taken.add(place)
        except Rejected as rejected:
            bad.append((place, rejected))
    if not taken:
        raise bad[0][1] if len(bad) == 1 else Rejected(f"none of {len(bad)} can be taken: {bad[0][1].reason}",
                                                       bad[0][1].field, bad[0][1].code)  # fmt: skip
    lost = put_each(setting.posts_delivery, [encode(post) for post in posts])
    if posts and len(lost) == len(posts):
        raise Unavailable("the delivery takes nothing")
    away = {places[number] for number in lost}
    bad += [(place, _AWAY) for place in away]
    errors = [{"index": place, "error": told(why)} for place, why in sorted(bad, key=lambda each: each[0])]
    return {"accepted": len(taken - away), "matched": len(posts) - len(lost), "rejected": errors}


def _about(incoming: Incoming, clean: str, brands: dict[str, Brand], now: float, max_age_days: float) -> list[Brand]:
    """The brand that the sender names, or those whose terms the text has. Raises Rejected."""
    if incoming.time is not None and incoming.time.timestamp() < now:
        check_time(incoming.time, now, max_age_days * 86_400)
    if incoming.brand is None:
        return matched(clean, brands.values())
    if incoming.brand not in brands:
        raise Rejected("no such brand", "brand", "unknown_brand")
    if not brands[incoming.brand].enabled:
        raise Rejected("the brand is not watched at the moment", "brand", "brand_disabled")
    return [brands[incoming.brand]]
