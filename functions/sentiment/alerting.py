"""A brand's alerts, and what is still to be told of them <-> a row of the alerts table; and the words for it."""

from typing import Any, Literal

import msgspec

from cuatro.adapters.publishing import Alert as Message
from cuatro.events import AlertPost, SentimentAlertCleared, SentimentAlertRaised
from cuatro.times import text_of
from functions.sentiment.alerts import Alert, State

KEY = "brand"
"""The table's key attribute."""


class Notice(msgspec.Struct, frozen=True):
    """What has happened to an alert, and nobody has been told yet."""

    what: Literal["raised", "cleared"]
    alert: Alert


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """Attribute p. notices commit with the state they follow from. claimed_s: until then (unix seconds) somebody is
    telling them.
    """

    state: State = State()
    notices: tuple[Notice, ...] = ()
    claimed_s: int = 0


encode = msgspec.msgpack.Encoder().encode
"""Attribute p."""
_DECODE = msgspec.msgpack.Decoder(Row).decode


def decode(p: bytes | None) -> Row:
    """Raises ValueError for what encode() did not write; None: a brand of which nothing is known."""
    return _DECODE(p) if p else Row()


def event(brand: str, notice: Notice) -> SentimentAlertRaised | SentimentAlertCleared:
    """For the bus."""
    alert = notice.alert
    made = SentimentAlertRaised if notice.what == "raised" else SentimentAlertCleared
    return made(
        alert_id=alert.alert_id,
        brand=brand,
        kind=alert.kind,
        started_at=text_of(alert.started * 60_000),
        time=text_of((alert.raised_s if notice.what == "raised" else alert.cleared_s or alert.raised_s) * 1000),
        value=alert.value,
        baseline=alert.baseline,
        score=alert.score,
        window_min=alert.window_min,
        posts=[AlertPost(post=one.post, text=one.text, url=one.url, label=one.label) for one in alert.examples],
    )


def message(brand: str, notice: Notice) -> Message | None:
    """For people: when an alert begins, unless it is quiet."""
    alert = notice.alert
    if notice.what != "raised" or alert.told_s is None:
        return None
    body: dict[str, Any] = {
        "brand": brand,
        "what": words(alert),
        **msgspec.to_builtins(event(brand, notice)),
        "alerts": f"/brands/{brand}/alerts",
    }
    subject = f"{brand}: {words(alert)}"
    return Message(subject, body, {"brand": brand, "kind": alert.kind})


def words(alert: Alert) -> str:
    """What an alert says, for people."""
    if alert.kind == "spike":
        return f"{alert.value:.0f} posts in {alert.window_min} minutes, {alert.baseline:.1f} are usual"
    return f"{alert.value:.0%} of posts are negative, {alert.baseline:.0%} are usual"


def shown(brand: str, alert: Alert) -> dict[str, Any]:
    """For the API."""
    return {
        "alert_id": alert.alert_id,
        "brand": brand,
        "kind": alert.kind,
        "what": words(alert),
        "started_at": text_of(alert.started * 60_000),
        "raised_at": text_of(alert.raised_s * 1000),
        "cleared_at": None if alert.cleared_s is None else text_of(alert.cleared_s * 1000),
        "value": alert.value,
        "baseline": alert.baseline,
        "score": alert.score,
        "window_min": alert.window_min,
        "posts": [{"post": one.post, "text": one.text, "url": one.url, "label": one.label} for one in alert.examples],
    }
