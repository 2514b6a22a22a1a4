"""A row of any accepted shape -> transaction v1 as the stream takes it; a bad row is still sent, with what is wrong.

Two shapes are known: transaction v1 (docs: its JSON schema; CSV and Parquet use the same names as columns) and the
columns TRANSACTION_ID, TX_DATETIME, CUSTOMER_ID, TERMINAL_ID, TX_AMOUNT (major units), with TX_FRAUD and LABEL_TIME if
the truth is known. Nothing is repaired: the platform judges, and keeps what it rejects where a person can replay it.
"""

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from cuatro.currencies import EXPONENTS
from cuatro.errors import Rejected
from cuatro.events import decode_transaction
from local.feed.rows import Row

MAX_RECORD_BYTES = 1_048_576  # Kinesis takes no larger record
WEEK = timedelta(weeks=1)
_LABELS = ("TX_FRAUD", "LABEL_TIME", "fraud", "label_time")
_IDS = ("transaction_id", "card_id", "terminal_id", "merchant_id", "correlation_id")


@dataclass(frozen=True)
class Feed:
    """One transaction on its way. `fields` is None if it is no object; `fraud` and `known_at` are the label, if any."""

    number: int
    payload: bytes
    fields: dict[str, Any] | None
    problem: str | None = None
    fraud: bool | None = None
    known_at: datetime | None = None

    @property
    def key(self) -> str:
        """Partition key: the card, so that one card's transactions stay in order."""
        card = (self.fields or {}).get("card_id")
        return card[:256] if isinstance(card, str) and card else f"line-{self.number}"

    @property
    def transaction_id(self) -> str:
        """The transaction's id, "" if it has none."""
        found = (self.fields or {}).get("transaction_id")
        return found if isinstance(found, str) else ""

    @property
    def time(self) -> datetime | None:
        """When the purchase took place, None if that cannot be read."""
        return moment((self.fields or {}).get("time"))

    @property
    def too_large(self) -> bool:
        """Can Kinesis not take it at all?"""
        return len(self.payload) + len(self.key.encode()) > MAX_RECORD_BYTES

    def changed(self, **fields: Any) -> "Feed":
        """The same transaction with other values in some fields."""
        merged = {**(self.fields or {}), **fields}
        return replace(self, fields=merged, payload=encoded(merged))


def encoded(fields: dict[str, Any]) -> bytes:
    """Compact JSON; values that JSON does not have become text."""
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False, default=str).encode()


def moment(value: Any) -> datetime | None:
    """A time with zone from what files hold; without a zone it counts as UTC. None if it is no time."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def rfc3339(value: datetime) -> str:
    """2026-11-23T10:00:00.000Z."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def feed(row: Row, currency: str = "EUR") -> Feed:
    """Read one row; `currency` is for rows that name none."""
    if row.fields is None:
        return Feed(row.number, row.raw, None, row.problem)
    if "TRANSACTION_ID" in row.fields or "TX_DATETIME" in row.fields:
        fields = _from_columns(row.fields, currency)
    elif row.raw.startswith(b"{") and not any(name in row.fields for name in _LABELS):
        return Feed(row.number, row.raw, row.fields, row.problem)  # transaction v1 goes out as it came in
    else:
        fields = _typed(row.fields, currency)
    fraud, known_at = _label(row.fields)
    return Feed(row.number, encoded(fields), fields, row.problem, fraud, known_at)


def _from_columns(columns: dict[str, Any], currency: str) -> dict[str, Any]:
    when = moment(columns.get("TX_DATETIME"))
    fields = {
        "version": 1,
        "transaction_id": _text(columns.get("TRANSACTION_ID")),
        "card_id": _text(columns.get("CUSTOMER_ID")),
        "terminal_id": _text(columns.get("TERMINAL_ID")),
        "amount": _minor(columns.get("TX_AMOUNT"), columns.get("currency", currency)),
        "currency": columns.get("currency", currency),
        "time": rfc3339(when) if when else columns.get("TX_DATETIME"),
    }
    return {name: value for name, value in fields.items() if value is not None}


def _typed(columns: dict[str, Any], currency: str) -> dict[str, Any]:
    """Transaction v1 from columns: CSV has only text, Parquet has times and numpy numbers."""
    fields = {"version": 1, "currency": currency}
    fields |= {name: value for name, value in columns.items() if name not in _LABELS}
    for name in ("version", "amount"):
        fields[name] = _whole(fields.get(name))
    for name in _IDS:
        fields[name] = _text(fields.get(name))
    if isinstance(fields.get("time"), date):
        when = moment(fields["time"])
        fields["time"] = rfc3339(when) if when else str(fields["time"])
    return {name: value for name, value in fields.items() if value is not None}


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, int) else value


def _whole(value: Any) -> Any:
    try:
        return int(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _minor(amount: Any, currency: Any) -> Any:
    """Minor units of an amount in major units; what is no number stays as it is."""
    try:
        value = float(amount)
    except (TypeError, ValueError):
        return amount
    exponent = EXPONENTS.get(currency, 2) if isinstance(currency, str) else 2
    return round(value * 10**exponent) if math.isfinite(value) else str(amount)


def _label(columns: dict[str, Any]) -> tuple[bool | None, datetime | None]:
    fraud = columns.get("TX_FRAUD", columns.get("fraud"))
    if fraud is None or str(fraud).lower() not in {"0", "1", "true", "false"}:
        return None, None
    return str(fraud).lower() in {"1", "true"}, moment(columns.get("LABEL_TIME", columns.get("label_time")))


def judged(item: Feed, now: datetime) -> Feed:
    """The transaction with what the platform will say against it, if anything; its age limit is not known here."""
    if item.problem is not None:
        return item
    if item.too_large:
        return replace(item, problem=f"{len(item.payload):,} bytes: Kinesis takes records up to 1 MiB")
    try:
        decode_transaction(item.payload, now.timestamp(), math.inf)
    except Rejected as rejected:
        field = f"{rejected.field} " if rejected.field else ""
        return replace(item, problem=f"{field}{rejected.reason}")
    return item


def weeks_to(now: datetime, feeds: Iterable[Feed]) -> timedelta:
    """Whole weeks by which to move all times so that the last is in the week before `now`: hours and weekdays stay."""
    times = [time for item in feeds if (time := item.time)]
    if not times:
        return timedelta(0)
    return (now - max(times)) // WEEK * WEEK


def moved(feeds: Iterable[Feed], by: timedelta) -> Iterator[Feed]:
    """The same transactions, earlier or later; what has no readable time stays as it is."""
    for item in feeds:
        time = item.time
        if not by or time is None:
            yield item
            continue
        later = item.known_at + by if item.known_at else None
        yield replace(item.changed(time=rfc3339(time + by)), known_at=later)
