"""Bytes from outside -> checked transactions and labels, or Rejected with field and reason; and events to publish.

Schemas are versioned (see cuatro.decoding).
"""

from datetime import datetime
from typing import Annotated, Literal, TypeVar

import msgspec

from cuatro.currencies import EXPONENTS
from cuatro.decoding import check_time, decoded
from cuatro.errors import Rejected
from cuatro.studies import StudyFailed, StudyRead, StudyRejected

MAX_RECORD_BYTES = 65_536
"""A transaction has some 300 bytes; anything longer than this is not one."""
MAX_LABELS, MAX_LABELS_BYTES = 500, 262_144

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.:-]+\Z")]
Amount = Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)]
ZonedTime = Annotated[datetime, msgspec.Meta(tz=True)]
Outcome = Literal["approve", "review", "decline"]
Kind = Literal["view", "click", "cart", "purchase", "rating"]
Network = Literal["mastodon", "bluesky", "reddit", "x", "rss", "web"]
Sentiment = Literal["negative", "neutral", "positive"]


class Transaction(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A card wants to pay. Amount in minor units of the currency, time with zone."""

    version: Literal[1]
    transaction_id: Id
    card_id: Id
    terminal_id: Id
    merchant_id: Id | None = None
    amount: Amount
    currency: str
    time: ZonedTime
    correlation_id: Id | None = None
    channel: Literal["stream", "api"] = "stream"


class Label(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A past transaction was fraud, or was not; `time` is when that became known."""

    version: Literal[1]
    transaction_id: Id
    fraud: bool
    time: ZonedTime
    source: Literal["chargeback", "analyst", "customer"]


class Labels(msgspec.Struct, frozen=True):
    """The body of POST /labels."""

    labels: Annotated[list[Label], msgspec.Meta(min_length=1, max_length=MAX_LABELS)]


class TransactionScored(msgspec.Struct, frozen=True, kw_only=True):
    """A decision was made, once for each transaction_id; it may be delivered more than once."""

    version: Literal[1] = 1
    transaction_id: str
    card_id: str
    terminal_id: str
    merchant_id: str | None
    amount: int
    currency: str
    time: str
    outcome: Outcome
    score: float
    rules: list[str]
    reasons: list[str]
    model_version: str
    decided_at: str
    latency_ms: int
    correlation_id: str


class CardBlocked(msgspec.Struct, frozen=True, kw_only=True):
    """All further transactions of the card are declined."""

    version: Literal[1] = 1
    card_id: str
    reason: str
    correlation_id: str


class InteractionRecorded(msgspec.Struct, frozen=True, kw_only=True):
    """A user did something with an item, and the profile knows it; it may be delivered more than once."""

    version: Literal[1] = 1
    event_id: str
    user_id: str
    item_id: str
    kind: Kind
    value: float | None
    list_id: str | None
    context: dict[str, str]
    time: str
    recorded_at: str
    correlation_id: str


class PostClassified(msgspec.Struct, frozen=True, kw_only=True):
    """A post of a brand has its class; it may be delivered more than once.

    post: the key of its row, brand#network#id. text: redacted, at most 280 characters. probabilities: negative,
    neutral, positive.
    """

    version: Literal[1] = 1
    post: str
    brand: str
    network: Network
    language: str
    label: Sentiment
    probabilities: tuple[float, float, float]
    unsure: bool
    backend: str
    model_version: str
    repost: bool
    time: str
    classified_at: str
    url: str | None
    text: str
    correlation_id: str


class PostRelabelled(msgspec.Struct, frozen=True, kw_only=True):
    """A person says another class than the model: `label` was the model's."""

    version: Literal[1] = 1
    post: str
    brand: str
    label: Sentiment
    human_label: Sentiment
    by: str | None
    time: str


class AlertPost(msgspec.Struct, frozen=True, kw_only=True):
    """An example of what an alert is about; its text as in PostClassified."""

    post: str
    text: str
    url: str | None
    label: Sentiment


class SentimentAlertRaised(msgspec.Struct, frozen=True, kw_only=True):
    """A brand is written about far more (spike), or in a far worse mood (shift), than its own past has it.

    value, baseline: of the window, and what was to be expected. score: robust standard deviations between them.
    """

    version: Literal[1] = 1
    alert_id: str
    brand: str
    kind: Literal["spike", "shift"]
    started_at: str
    time: str
    value: float
    baseline: float
    score: float
    window_min: int
    posts: list[AlertPost]


class SentimentAlertCleared(SentimentAlertRaised, frozen=True, kw_only=True):
    """The alert of that id is over: the brand is as it was."""


class ModelPromoted(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a model decides from now on. report: URI of the comparison with the one before; may be empty."""

    version: Literal[1] = 1
    pipeline: str
    model_version: str
    previous_version: str
    package_arn: str
    report: str
    time: str


class ModelRolledBack(msgspec.Struct, frozen=True, kw_only=True):
    """A version decides no more, or never did alone. weight: its share of the calls when it was taken back."""

    version: Literal[1] = 1
    pipeline: str
    model_version: str
    back_to: str
    package_arn: str
    weight: float
    reason: str
    time: str


PublishedEvent = (
    TransactionScored | CardBlocked | InteractionRecorded | PostClassified | PostRelabelled
    | SentimentAlertRaised | SentimentAlertCleared | ModelPromoted | ModelRolledBack
    | StudyRead | StudyRejected | StudyFailed
)  # fmt: skip

T = TypeVar("T")
_TRANSACTION = msgspec.json.Decoder(Transaction)
_LABELS = msgspec.json.Decoder(Labels)


def decode_transaction(data: bytes, now: float, max_age_s: float) -> Transaction:
    """A checked transaction. `now` in unix seconds. Raises Rejected."""
    transaction = decoded(_TRANSACTION, data, MAX_RECORD_BYTES)
    if transaction.currency not in EXPONENTS:
        raise Rejected(f"{transaction.currency!r:.20} is not an ISO 4217 currency", "currency", "unknown_currency")
    check_time(transaction.time, now, max_age_s)
    return transaction


def decode_labels(data: bytes, now: float) -> list[Label]:
    """The checked labels of one request. `now` in unix seconds. Raises Rejected."""
    labels = decoded(_LABELS, data, MAX_LABELS_BYTES).labels
    for number, label in enumerate(labels):
        check_time(label.time, now, field=f"labels[{number}].time")
    return labels


def decode_body(data: bytes, cls: type[T]) -> T:
    """Any other JSON body. Raises Rejected."""
    return decoded(msgspec.json.Decoder(cls), data, MAX_RECORD_BYTES)


def checked_id(text: str, field: str) -> str:
    """An id from a path. Raises Rejected."""
    try:
        return msgspec.convert(text, Id)
    except msgspec.ValidationError:
        raise Rejected("must be 1 to 64 letters, digits and _ . : -", field, "invalid_value") from None


def milliseconds(time: datetime) -> int:
    """Unix milliseconds of a time with zone."""
    return round(time.timestamp() * 1000)
