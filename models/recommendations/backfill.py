"""Past interactions -> the lake that the suite would have written: one Parquet file a day, as Firehose delivers them.

    python -m models.recommendations.backfill --interactions FILE|simulated --out DIR

So a shop that has a history need not wait for months until its own lake can train a model.
"""

import argparse
import io
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from cuatro.events import Kind
from models.recommendations import data
from models.recommendations.simulator import interactions
from models.recommendations.world import World

SCHEMA = pa.schema(
    [
        ("version", pa.int32()),
        ("event_id", pa.string()),
        ("user_id", pa.string()),
        ("item_id", pa.string()),
        ("kind", pa.string()),
        ("time", pa.string()),
        ("value", pa.float64()),
        ("context", pa.map_(pa.string(), pa.string())),
        ("list_id", pa.string()),
        ("correlation_id", pa.string()),
    ]
)
"""The columns of the Glue table."""
CONTEXT = ("country", "device", "page")


def files(table: pd.DataFrame, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    """(key below the lake's prefix, Parquet): a file a day.

    table: user_id, item_id, time (UTC), and where it has them event_id, kind (view where not), value and the columns of
    CONTEXT. prefix: goes before the ids of users and events. Raises ValueError for missing columns.
    """
    missing = {"user_id", "item_id", "time"} - set(table)
    if missing:
        raise ValueError(f"columns missing: {', '.join(sorted(missing))}")
    when = pd.to_datetime(table["time"], utc=True)
    count = len(table)
    if "event_id" not in table:
        table = table.assign(event_id=[f"backfill-{number}" for number in range(count)])
    keys = [key for key in CONTEXT if key in table]
    columns = {
        "version": [1] * count,
        "event_id": (prefix + table["event_id"].astype(str)).tolist(),
        "user_id": (prefix + table["user_id"].astype(str)).tolist(),
        "item_id": table["item_id"].astype(str).tolist(),
        "kind": table["kind"].tolist() if "kind" in table else ["view"] * count,
        "time": when.dt.strftime("%Y-%m-%dT%H:%M:%SZ").tolist(),
        "value": [None if pd.isna(value) else float(value) for value in table["value"]]
        if "value" in table
        else [None] * count,
        "context": [
            [(key, value) for key, value in zip(keys, row, strict=True) if isinstance(value, str)]
            for row in table[keys].itertuples(index=False, name=None)
        ]
        if keys
        else [[]] * count,
        "list_id": [None] * count,
        "correlation_id": [None] * count,
    }
    whole = pa.table(columns, SCHEMA)
    for day, rows in sorted(when.groupby(when.dt.strftime("%Y-%m-%d")).indices.items()):
        stream = io.BytesIO()
        pq.write_table(whole.take(rows), stream, compression="snappy")
        yield f"interactions/dt={day}/backfill.parquet", stream.getvalue()


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line: write the lake's files below --out."""
    parser = argparse.ArgumentParser(
        prog="python -m models.recommendations.backfill", description=str(__doc__).split("\n")[0]
    )
    parser.add_argument("--interactions", required=True, metavar="FILE|simulated", help="as train takes it")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--days", type=float, default=150, help="days to simulate, up to now")
    parser.add_argument("--people", type=int, default=3000, help="people to simulate")
    given = parser.parse_args(arguments)
    try:
        table = (
            _simulated(given.days, given.people)
            if given.interactions == "simulated"
            else read(Path(given.interactions))
        )
        written = list(files(table))
    except (OSError, ValueError) as error:
        parser.error(f"{given.interactions}: {error}")
    for key, content in written:
        path = given.out / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    print(  # noqa: T201 - the command's answer
        f"{len(table):,} interactions of {len(written)} days -> {given.out / 'interactions'}"
    )


def _simulated(days: float, people: int) -> pd.DataFrame:
    return interactions(World(people=people, newcomers=0), 0, days, datetime.now(UTC) - timedelta(days=days))


def read(file: Path) -> pd.DataFrame:
    """A table for `files`, from CSV, TSV or Parquet with the lake's own columns, or from whatever train reads.

    Columns of the lake: user_id, item_id, time (ISO 8601), and where there are any event_id, kind, value, country,
    device, page. Raises ValueError, also for interactions without a time.
    """
    if file.suffix == ".parquet":
        table = pd.read_parquet(file)
    else:
        plain = data.read(file)
        if not plain["timed"].all():
            raise ValueError("interactions without a time cannot be put into days")
        table = _own_columns(file, plain)
    if missing := {"user_id", "item_id", "time"} - set(table):
        raise ValueError(f"columns missing: {', '.join(sorted(missing))}")
    if "kind" in table and (wrong := sorted(set(table["kind"].dropna()) - set(get_args(Kind)))):
        raise ValueError(f"kinds that there are not: {', '.join(map(str, wrong[:5]))}; {', '.join(get_args(Kind))} are")
    return table


def _own_columns(file: Path, plain: pd.DataFrame) -> pd.DataFrame:
    """What train reads, and beside it what only the lake keeps; rows are in the file's order in both."""
    table = pd.DataFrame(
        {
            "user_id": plain["user"],
            "item_id": plain["item"],
            "time": pd.Timestamp(0, tz="UTC") + pd.to_timedelta(plain["time"], unit="s"),
        }
    )
    whole = pd.read_csv(file, sep=None, engine="python", dtype=str, encoding="utf-8-sig")
    whole = whole.rename(columns={name: name.split(":")[0].lower() for name in whole})
    if len(whole) != len(table):  # no header: there are no other columns to keep
        return table
    others = {name: whole[name] for name in ("event_id", "kind", "value", *CONTEXT) if name in whole}
    if "value" in others:
        others["value"] = pd.to_numeric(others["value"], errors="coerce")
    return table.assign(**others)


if __name__ == "__main__":
    main()
