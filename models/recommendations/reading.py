"""Days of the lake's interactions, Parquet or JSON lines -> one table, each event once, and how many were left out.

Columns of the table: user, item, kind (texts), time (unix seconds), value (missing where there is none). The lake has
what the stream had, before anybody looked at it: what serving rejects is left out here by the same rules, on columns
instead of records; only contexts, which training does not use, are not looked at.
"""

import io
import json
import logging
from datetime import date
from typing import Any, get_args

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from cuatro.errors import Rejected
from cuatro.events import Kind
from cuatro.interactions import MAX_RATING, checked_name
from models.container.lake import files, memory, unreadable

log = logging.getLogger(__name__)

KEPT = ("version", "event_id", "user_id", "item_id", "kind", "time", "value")
BYTES_A_ROW = 1_000
"""While all of them are being put together."""
MAX_VALUE = 1e9
_PARQUET = b"PAR1"
_ID, _ZONED = r"[A-Za-z0-9_.:-]{1,64}", r".*(?:[Zz]|[+-]\d\d:?\d\d)"


def recorded(where: str, first: date, last: date) -> tuple[pd.DataFrame, dict[str, int]]:
    """What arrived on the days first..last in where/interactions, in order of time.

    Raises ValueError when more than one row of a hundred is no JSON or Parquet at all and when there are more than fit
    into this machine's memory; FileNotFoundError for a directory that is not there.
    """
    most = memory() // BYTES_A_ROW
    parts: list[pd.DataFrame] = []
    rows = wrong = 0
    for name, content in files(where, "interactions", first, last):
        part, bad = _parquet(name, content) if content.startswith(_PARQUET) else _lines(name, content)
        parts.append(part)
        rows, wrong = rows + len(part) + bad, wrong + bad
        if rows > most:
            raise ValueError(
                f"more than {most:,} interactions from {first} to {last}, which is what the memory of this machine "
                "takes: fewer days (--train-days), or a larger instance (instance_type of the retraining)"
            )
    unreadable(wrong, rows)
    whole = pd.concat(parts, ignore_index=True) if parts else _table([])
    good = _checked(whole)
    once = good.drop_duplicates("event_id").sort_values(["time", "event_id"], kind="stable", ignore_index=True)
    left_out = {"unreadable": wrong, "rejected": len(whole) - len(good), "duplicates": len(good) - len(once)}
    return once[["user", "item", "kind", "time", "value"]], left_out


def _checked(rows: pd.DataFrame) -> pd.DataFrame:
    """Those that cuatro.interactions takes, with names in form C."""
    event, kind, time = (_texts(rows[name]).fillna("") for name in ("event_id", "kind", "time"))
    stamps = pd.to_datetime(time.where(time.str.fullmatch(_ZONED), None), utc=True, errors="coerce", format="ISO8601")
    value = pd.to_numeric(rows["value"], errors="coerce")
    rating = kind == "rating"
    good = (
        (pd.to_numeric(rows["version"], errors="coerce") == 1)
        & event.str.fullmatch(_ID)
        & kind.isin(get_args(Kind))
        & stamps.notna()
        & (rows["value"].isna() | value.between(0, MAX_VALUE))
        & (~rating | (value <= MAX_RATING))
    )
    user, item = _names(rows["user_id"]), _names(rows["item_id"])
    seconds = (stamps - pd.Timestamp(0, tz="UTC")).dt.total_seconds()
    found = pd.DataFrame({"event_id": event, "user": user, "item": item, "kind": kind, "time": seconds, "value": value})
    return found[good & user.notna() & item.notna()]


def _texts(column: pd.Series) -> pd.Series:
    return column.where(column.map(lambda value: isinstance(value, str)), None)


def _names(texts: pd.Series) -> pd.Series:
    """In form C; missing where it is none."""
    codes, names = pd.factorize(_texts(texts))
    checked = np.array([*map(_name, names), None], object)
    return pd.Series(checked[codes], texts.index, dtype=object)


def _name(text: str) -> str | None:
    try:
        return checked_name(text, "name")
    except Rejected:
        return None


def _parquet(name: str, content: bytes) -> tuple[pd.DataFrame, int]:
    """Rows, and 0; a file that cannot be read counts as one."""
    try:
        file = pq.ParquetFile(io.BytesIO(content))
        table = file.read([column for column in KEPT if column in file.schema_arrow.names]).to_pandas()
    except (pa.ArrowException, OSError) as error:
        log.warning("%s: %s", name, error)
        return _table([]), 1
    return table.reindex(columns=list(KEPT)).astype(object), 0


def _lines(name: str, content: bytes) -> tuple[pd.DataFrame, int]:
    rows: list[dict[str, Any]] = []
    wrong = 0
    for number, line in enumerate(content.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            told = json.loads(line)
        except (ValueError, RecursionError) as error:
            wrong += 1
            log.warning("%s, line %d: %s", name, number, error)
        else:
            rows.append(told if isinstance(told, dict) else {})
    return _table(rows), wrong


def _table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame({column: [row.get(column) for row in rows] for column in KEPT}, dtype=object)
