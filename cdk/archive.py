"""Files -> one zip with byte code, the same bytes for the same files: what functions and layers are deployed as.

Byte code is compiled unchecked: /var/task and /opt are read-only in Lambda, so without it every cold start compiles
every module again (2.4 to 3.4 times slower imports, measured).
"""

import compileall
import hashlib
import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path, PurePosixPath
from py_compile import PycInvalidationMode

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / ".build"
# Changes when the way archives are made changes, so that no old one is taken for a new one.
RECIPE = f"1 python{sys.version_info.major}.{sys.version_info.minor}"
_EPOCH = (1980, 1, 1, 0, 0, 0)


def digest(files: Mapping[str, Path], *more: str) -> str:
    """Hash of names and contents of `files` and of whatever else the archive depends on (`more`): 32 hex digits."""
    total = hashlib.sha256("\0".join((RECIPE, *more)).encode())
    for name in sorted(files):
        content = files[name].read_bytes()
        total.update(f"\0{name}\0{len(content)}\0".encode())
        total.update(content)
    return total.hexdigest()[:32]


def sources(directory: Path, suffixes: Iterable[str]) -> dict[str, Path]:
    """The files under `directory` that end in one of `suffixes`, by their path relative to it."""
    wanted = set(suffixes)
    return {
        path.relative_to(directory).as_posix(): path
        for path in sorted(directory.rglob("*"))
        if path.suffix in wanted and path.is_file() and "__pycache__" not in path.parts
    }


def place(files: Mapping[str, Path], folder: Path) -> None:
    """Copy `files` into `folder` under their names."""
    for name, path in files.items():
        copy = folder / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)


def archive(target: Path, fill: Callable[[Path], None], mounted_at: str) -> Path:
    """The zip `target`, made once: `fill` puts files into an empty folder, byte code is added, the folder is zipped.

    `mounted_at` is where Lambda unpacks it, for the file names in tracebacks. Safe when several processes build the
    same archive: each builds its own, the last one in place wins, and they are equal.
    """
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".making-") as made:
        folder = Path(made, "tree")
        folder.mkdir()
        fill(folder)
        _compile(folder, mounted_at)
        draft = Path(made, "draft.zip")
        _zip(folder, draft)
        os.replace(draft, target)  # noqa: PTH105 - atomic, unlike a move
    return target


def _compile(folder: Path, mounted_at: str) -> None:
    done = compileall.compile_dir(
        folder,
        quiet=2,
        stripdir=str(folder),
        prependdir=mounted_at,
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
    )
    if not done:
        raise RuntimeError(f"some modules do not compile: python -m compileall {folder}")


def _zip(folder: Path, target: Path) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as out:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(str(PurePosixPath(path.relative_to(folder))), _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o755 if path.suffix == ".so" else 0o644) << 16
            out.writestr(entry, path.read_bytes())
