"""Files of interactions and of the catalogue -> CSV files with the columns of Personalize's datasets."""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from local.feed.rows import SUFFIXES, UnreadableError, rows
from local.platform.errors import PlatformError

INTERACTIONS = ("USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", "EVENT_VALUE")
ITEMS = ("ITEM_ID", "CATEGORY", "TAGS", "PRICE")
KIND = "view"  # of a file that tells none
Row = dict[str, Any]


def interactions(source: Path, target: Path) -> int:
    """Interactions (the suite's own schema as JSON Lines or Parquet, or user, item, time in columns) -> rows written.

    Raises PlatformError for a file that cannot be read, with the line.
    """
    if SUFFIXES.get(source.suffix.lower()) in ("jsonl", "parquet"):
        return _written(target, INTERACTIONS, _converted(source, _interaction))
    return _written(target, INTERACTIONS, _table(source))


def items(source: Path, target: Path) -> int:
    """The catalogue, as `cuatro catalog import` takes it -> rows written. Raises PlatformError."""
    return _written(target, ITEMS, _converted(source, _item))


def _written(target: Path, columns: Iterable[str], found: Iterable[Row]) -> int:
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(columns), lineterminator="\n")
        writer.writeheader()
        count = 0
        for row in found:
            writer.writerow(row)
            count += 1
    return count


def _converted(source: Path, convert: Callable[[Mapping[str, Any]], Row]) -> Iterator[Row]:
    try:
        for row in rows(str(source)):
            if row.fields is None:
                raise _unreadable(source, row.number, row.problem or "not an object")
            try:
                yield convert(row.fields)
            except (KeyError, TypeError, ValueError) as error:
                raise _unreadable(source, row.number, repr(error)) from error
    except UnreadableError as error:
        raise PlatformError(str(error), "Give JSON Lines, CSV or Parquet.") from error


def _interaction(fields: Mapping[str, Any]) -> Row:
    value = fields.get("value")
    return {"USER_ID": _name(fields["user_id"]), "ITEM_ID": _name(fields["item_id"]),
            "TIMESTAMP": _seconds(fields["time"]), "EVENT_TYPE": fields.get("kind") or KIND,
            "EVENT_VALUE": "" if value is None else float(value)}  # fmt: skip


def _item(fields: Mapping[str, Any]) -> Row:
    tags = fields.get("tags") or []
    return {"ITEM_ID": _name(fields["item_id"]), "CATEGORY": fields.get("category") or "",
            "TAGS": "|".join(tags) if isinstance(tags, list) else str(tags),
            "PRICE": "" if fields.get("price") in (None, "") else float(fields["price"])}  # fmt: skip


def _table(source: Path) -> Iterator[Row]:
    import pandas as pd  # noqa: PLC0415 - takes long to import

    from models.recommendations import backfill  # noqa: PLC0415 - imports pandas

    try:
        table = backfill.read(source)
    except (OSError, ValueError) as error:
        raise PlatformError(f"{source}: {error}", "Give user, item and timestamp by tabs or commas.") from error
    for number, fields in enumerate(table.to_dict("records"), 1):
        try:
            yield _interaction({str(name): None if pd.isna(value) else value for name, value in fields.items()})
        except (KeyError, TypeError, ValueError) as error:
            raise _unreadable(source, number, repr(error)) from error


def _name(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{value!r} is no id")
    return value


def _seconds(time: Any) -> int:
    """Unix seconds of a time as text with an offset, of a moment, or of seconds."""
    if isinstance(time, str):
        time = datetime.fromisoformat(time)
    return int(time.timestamp() if isinstance(time, datetime) else float(time))


def _unreadable(source: Path, number: int, why: str) -> PlatformError:
    return PlatformError(f"{source}, line {number}: {why}", "Nothing was imported. Correct the line and try again.")
