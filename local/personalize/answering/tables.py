"""Files of a dataset that others write -> its rows, each given once; all anew when what was imported changed."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

Row = Mapping[str, str]


class Followed:
    """Files of one dataset. `begin` is called before the first row, and again when rows must be forgotten."""

    def __init__(self, paths: Sequence[Path], begin: Callable[[], None], take: Callable[[Row], None]) -> None:
        self._paths = paths
        self._begin = begin
        self._take = take
        self._seen: dict[Path, tuple[int, int]] = {}  # inode, bytes read
        self._names: dict[Path, list[str]] = {}
        begin()

    def refresh(self) -> None:
        """Takes what was added since the last call."""
        stats = {path: path.stat() for path in self._paths if path.exists()}
        for path, (inode, read) in self._seen.items():
            if path not in stats or stats[path].st_ino != inode or stats[path].st_size < read:
                self._seen = {}
                self._begin()
                break
        for path, stat in stats.items():
            _, read = self._seen.get(path, (0, 0))
            if stat.st_size > read:
                self._seen[path] = (stat.st_ino, read + self._read(path, read))

    def _read(self, path: Path, start: int) -> int:
        """Bytes of whole rows after `start`."""
        with path.open("rb") as file:
            file.seek(start)
            data = file.read()
        rows = csv.reader(io.StringIO(data.decode(), newline=""))
        if not start:
            self._names[path] = next(rows)
        names = self._names[path]
        for row in rows:
            self._take(dict(zip(names, row, strict=True)))
        return len(data)
