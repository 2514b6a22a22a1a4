"""(group, identifier) -> the latest record by event time, in SQLite: what GetRecord answers from."""

import json
import sqlite3
import threading
import time
from dataclasses import dataclass
from typing import Any

from local.aws.service import Service

Values = list[dict[str, Any]]
_SCHEMA = """CREATE TABLE IF NOT EXISTS records (
    feature_group TEXT, identifier TEXT, event_time REAL, expires REAL, deleted INTEGER, body TEXT,
    PRIMARY KEY (feature_group, identifier))"""
# An older event time never replaces a newer one, whichever arrives first; a deleted record keeps its time for that.
_PUT = """INSERT INTO records VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET event_time = excluded.event_time,
    expires = excluded.expires, deleted = excluded.deleted, body = excluded.body
    WHERE excluded.event_time >= event_time OR expires <= ?"""


@dataclass(frozen=True)
class Found:
    """A record as it was put, and when it ends (unix seconds), if ever."""

    values: Values
    expires: float | None


class OnlineStore:
    """One file for all groups; used from many threads."""

    def __init__(self, service: Service) -> None:
        self._lock = threading.Lock()
        service.state.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(service.state / "online.sqlite", check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute(_SCHEMA)

    def put(self, group: str, identifier: str, event_time: float, expires: float | None, values: Values | None) -> None:
        """Keeps the record unless a newer one is there; values None marks it deleted since its event time."""
        row = (group, identifier, event_time, expires, values is None, json.dumps(values or []), time.time())
        with self._lock:
            self._database.execute(_PUT, row)

    def get(self, group: str, identifier: str) -> Found | None:
        """The record, or None when it is not there, deleted or expired."""
        with self._lock:
            row = self._database.execute(
                "SELECT body, expires FROM records WHERE feature_group = ? AND identifier = ? AND NOT deleted"
                " AND (expires IS NULL OR expires > ?)",
                (group, identifier, time.time()),
            ).fetchone()
        return Found(json.loads(row[0]), row[1]) if row else None

    def remove(self, group: str, identifier: str, event_time: float) -> None:
        """Removes the record and its history, unless a newer one is there."""
        with self._lock:
            self._database.execute(
                "DELETE FROM records WHERE feature_group = ? AND identifier = ? AND event_time <= ?",
                (group, identifier, event_time),
            )

    def remove_group(self, group: str) -> None:
        """Removes every record of a group."""
        with self._lock:
            self._database.execute("DELETE FROM records WHERE feature_group = ?", (group,))

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._database.close()


def store(service: Service) -> OnlineStore:
    """The service's store, opened when it is first needed."""
    return service.part(OnlineStore)


def close(service: Service) -> None:
    """Closes the service's store, if it was opened."""
    found = service.made(OnlineStore)
    if found:
        found.close()
