"""A row of any accepted shape -> transaction v1 as the stream takes it; a bad row is still sent, with what is wrong.

Two shapes are known: transaction v1 (docs: its JSON schema; CSV and Parquet use the same names as columns) and the
columns TRANSACTION_ID, TX_DATETIME, CUSTOMER_ID, TERMINAL_ID, TX_AMOUNT (major units), with TX_FRAUD and LABEL_TIME if
the truth is known.
"""

import math
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

from cuatro.currencies import EXPONENTS
from cuatro.events import decode_transaction
from local.feed.events import Event, checked, encoded, moment, moved, rfc3339, weeks_to
from local.feed.rows import Row

__all__ = ["Feed", "encoded", "feed", "judged", "moment", "moved", "rfc3339", "weeks_to"]

_LABELS = ("TX_FRAUD", "LABEL_TIME", "fraud", "label_time")
_IDS = ("transaction_id", "card_id", "terminal_id", "merchant_id", "correlation_id")


@dataclass(frozen=True)
class Feed(Event):
    """One transaction on its way. `fraud` and `known_at` are the label, if any."""

    keyed_by: ClassVar[str] = "card_id"

    fraud: bool | None = None
    known_at: datetime | None = None

    @property
    def transaction_id(self) -> str:
        """The transaction's id, "" if it has none."""
        found = (self.fields or {}).get("transaction_id")
        return found if isinstance(found, str) else ""

    def later(self, by: timedelta) -> "Feed":
        """The same transaction at another time, its label too."""
        return replace(super().later(by), known_at=self.known_at + by if self.known_at and self.time else self.known_at)


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
    return checked(item, now, decode_transaction)
