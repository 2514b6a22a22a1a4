"""Folder of a hospital's file server -> the drop prefix of the imaging pipeline, as a task of AWS DataSync fills it.

On AWS an agent on the hospital's side does this (`-c datasync=...`, cdk/stacks/imaging_datasync.py), or a file share
of Storage Gateway. Here it is done from this machine: what is new or has changed is copied under its own path, and what
was copied is remembered, because the pipeline takes it out of the prefix.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from local.platform.errors import PlatformError

PREFIX = "drop/"


class Dropped(NamedTuple):
    """copied: files that went out. unchanged: those that an earlier run had copied as they are now."""

    copied: int
    unchanged: int


def drop(s3: Any, bucket: str, sender: str, folder: Path, memory: Path) -> Dropped:
    """Copies the files of `folder` to drop/<sender>/<their path>. memory: file that knows what was copied before.

    Hidden files are left out, and links are not followed. Raises PlatformError for a folder that is none.
    """
    if not folder.is_dir():
        raise PlatformError(f"{folder} is no folder.", "Give the folder that the hospital's programs write to.")
    known: dict[str, list[int]] = json.loads(memory.read_text()) if memory.exists() else {}
    copied = unchanged = 0
    for file in _files(folder):
        place, state = f"{sender} {file.resolve()}", _state(file)
        if known.get(place) == state:
            unchanged += 1
            continue
        s3.upload_file(str(file), bucket, f"{PREFIX}{sender}/{file.relative_to(folder).as_posix()}")
        known[place] = state
        copied += 1
        _keep(memory, known)
    return Dropped(copied, unchanged)


def _files(folder: Path) -> Iterator[Path]:
    for file in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
        if file.is_file() and not file.is_symlink() and not hidden:
            yield file


def _state(file: Path) -> list[int]:
    """By what DataSync, too, knows that a file has changed: its size and when it was written."""
    seen = file.stat()
    return [seen.st_size, seen.st_mtime_ns]


def _keep(memory: Path, known: dict[str, list[int]]) -> None:
    memory.parent.mkdir(parents=True, exist_ok=True)
    partial = memory.with_suffix(".partial")
    partial.write_text(json.dumps(known))
    partial.chmod(0o600)  # a hospital's names of files may name people
    partial.replace(memory)
