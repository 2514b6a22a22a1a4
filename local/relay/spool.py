"""Images that came in -> files of a directory, on disk before anybody is told that they were taken; sent ones go.

    waiting/<arrival>-<sha256>    to be sent, in the order of their arrival
    refused/<sha256>              never to be taken, with why in <sha256>.json beside it

A file is written whole and flushed before it has its name, so after a power cut there are whole files only. Names tell
nothing of a patient; what is in the files does, so the directory is its owner's alone and belongs on an encrypted disk.
"""

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

_WRITING = ".part"


class FullError(Exception):
    """There is no room for what came."""


class Spool:
    """One directory. limit: bytes of what waits; clock: unix seconds."""

    def __init__(self, directory: Path, limit: int, clock: Callable[[], float] = time.time) -> None:
        self._waiting, self._refused = directory / "waiting", directory / "refused"
        self._limit, self._clock = limit, clock
        for each in (directory, self._waiting, self._refused):
            each.mkdir(mode=0o700, parents=True, exist_ok=True)
            each.chmod(0o700)
        for left in self._waiting.glob(f"*{_WRITING}"):
            left.unlink()  # nobody was told that it was taken

    def add(self, content: bytes) -> str:
        """Kept for good once this returns; its SHA-256. The same bytes that wait already are not kept twice.

        Raises FullError.
        """
        digest = hashlib.sha256(content).hexdigest()
        if any(self._waiting.glob(f"*-{digest}")):
            return digest
        if self.size() + len(content) > self._limit:
            raise FullError
        target = self._waiting / f"{int(self._clock() * 1e6):020d}-{digest}"
        try:
            self._write(target, content)
        except OSError as error:
            raise FullError from error
        return digest

    def waiting(self) -> Iterator[Path]:
        """Oldest first."""
        return iter(sorted(each for each in self._waiting.iterdir() if each.suffix != _WRITING))

    def size(self) -> int:
        """Bytes that wait."""
        return sum(each.stat().st_size for each in self.waiting())

    def sent(self, path: Path) -> None:
        """It is where it was to go."""
        path.unlink(missing_ok=True)

    def refuse(self, path: Path, why: str) -> None:
        """It will never be taken: kept for a person to look at."""
        digest = path.name.partition("-")[2]
        reason = {"why": why, "at": int(self._clock())}
        self._write(self._refused / f"{digest}.json", json.dumps(reason).encode())
        path.replace(self._refused / digest)

    def refused(self) -> dict[str, str]:
        """Why, by SHA-256."""
        return {each.stem: str(json.loads(each.read_text())["why"]) for each in self._refused.glob("*.json")}

    @staticmethod
    def _write(target: Path, content: bytes) -> None:
        part = target.with_name(target.name + _WRITING)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # the name, too
        finally:
            os.close(folder)
