"""Name -> record, one JSON file each, so that what was created is still there after a restart of the platform.

A record holds the members of the resource's Describe answer, times as unix seconds; keys that begin with `_` are ours.
"""

import copy
import hashlib
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from local.aws.errors import ResourceNotFound

Record = dict[str, Any]
_ORDER = "_order"
LONGEST = 200  # of a file name; file systems take 255


class Table:
    """Records of one kind. Every answer is a copy: only put, change and delete alter what is stored."""

    def __init__(self, directory: Path, kind: str) -> None:
        self._directory = directory
        self._kind = kind
        self._lock = threading.RLock()
        directory.mkdir(parents=True, exist_ok=True)
        found = [json.loads(path.read_text(encoding="utf-8")) for path in directory.glob("*.json")]
        self._records: dict[str, Record] = {
            entry["name"]: entry["record"] for entry in sorted(found, key=lambda entry: entry[_ORDER])
        }
        self._orders: dict[str, int] = {entry["name"]: entry[_ORDER] for entry in found}

    def find(self, name: str) -> Record | None:
        """The record, or None."""
        with self._lock:
            return copy.deepcopy(self._records.get(name))

    def get(self, name: str) -> Record:
        """The record. Raises ResourceNotFound."""
        found = self.find(name)
        if found is None:
            raise ResourceNotFound(f"Could not find {self._kind} {name!r}.")
        return found

    def put(self, name: str, record: Record) -> None:
        """Writes a record; a new name goes to the end of the order."""
        with self._lock:
            order = self._orders.setdefault(name, time.time_ns())
            kept = copy.deepcopy(record)
            text = json.dumps({"name": name, _ORDER: order, "record": kept})
            path = self._path(name)
            partial = path.with_suffix(".partial")
            partial.write_text(text, encoding="utf-8")
            partial.replace(path)
            self._records[name] = kept

    def change(self, name: str, function: Callable[[Record], Record | None]) -> Record:
        """Gives the record to `function`, which alters it or returns another; nobody else writes meanwhile.

        Raises ResourceNotFound, and whatever the function raises: then nothing is written. Returns what is stored.
        """
        with self._lock:
            record = self.get(name)
            changed = function(record)
            self.put(name, record if changed is None else changed)
            return self.get(name)

    def create(self, name: str, record: Record) -> bool:
        """Writes the record if the name is free; False when it is taken, also in other capitals: ARNs have none."""
        with self._lock:
            if name.lower() in map(str.lower, self._records):
                return False
            self.put(name, record)
            return True

    def delete(self, name: str) -> None:
        """Removes the record. Raises ResourceNotFound."""
        with self._lock:
            self.get(name)
            del self._records[name]
            del self._orders[name]
            self._path(name).unlink()

    def all(self) -> list[Record]:
        """Every record, in the order of creation."""
        with self._lock:
            return [copy.deepcopy(record) for record in self._records.values()]

    def _path(self, name: str) -> Path:
        short = quote(name, safe="")
        if len(short) > LONGEST:
            short = f"{short[:LONGEST]}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
        return self._directory / f"{short}.json"


class Store:
    """Tables of a directory, one folder each."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = threading.Lock()
        self._tables: dict[str, Table] = {}

    def table(self, kind: str) -> Table:
        """The records of a kind, such as `training-job`; the same Table for every caller."""
        with self._lock:
            if kind not in self._tables:
                self._tables[kind] = Table(self._directory / kind, kind)
            return self._tables[kind]
