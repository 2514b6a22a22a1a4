"""model.tar.gz of a champion and a challenger -> one layer that holds both, each with its checksum beside it.

What a model cannot be used without, such as its tokenizer, comes along from the archive; both have the same.
"""

import hashlib
import io
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from cuatro.errors import Rejected

MODEL, SHADOW = "model.onnx", "shadow.onnx"
BESIDE = "tokenizer."
"""Begins the names of the files in an archive that stand beside the model where it is used."""
LARGEST = 64 * 1024 * 1024
"""Bytes of a model: two of them and ONNX Runtime are what Lambda's 250 MB for a function with its layers hold."""


def path(pipeline: str, name: str) -> str:
    """Where a function finds a model of the layer."""
    return f"/opt/models/{pipeline}/{name}"


class Unpacked(NamedTuple):
    """model: the ONNX file. beside: name -> content of what it cannot be used without."""

    model: bytes
    beside: Mapping[str, bytes]


def unpacked(archive: bytes, uri: str, sha256: str = "") -> Unpacked:
    """What of a model.tar.gz is used. Raises Rejected when there is no model, or another one than was registered."""
    files: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            for member in tar.getmembers():
                name = member.name.removeprefix("./")
                if name not in files and (name == MODEL or (name.startswith(BESIDE) and "/" not in name)):
                    found = tar.extractfile(member)
                    files[name] = found.read(LARGEST + 1) if found else b""
    except (tarfile.TarError, EOFError, OSError, ValueError) as error:
        raise Rejected(f"{uri} is no archive of a model: {error}") from None
    content = files.pop(MODEL, b"")
    if not content:
        raise Rejected(f"{uri} holds no {MODEL}")
    if len(content) + sum(map(len, files.values())) > LARGEST:
        raise Rejected(f"{uri}: the model has more than {LARGEST} bytes, two of them fit into no function")
    if sha256 and hashlib.sha256(content).hexdigest() != sha256:
        raise Rejected(f"{uri} is not what was registered: its {MODEL} has another SHA-256 than {sha256}")
    return Unpacked(content, files)


def packed(pipeline: str, champion: Unpacked, challenger: Unpacked) -> bytes:
    """The layer's zip; the same models give the same bytes. Raises Rejected for models that need different files."""
    if dict(champion.beside) != dict(challenger.beside):
        names = ", ".join(sorted({*champion.beside, *challenger.beside}))
        raise Rejected(f"the champion's {names} and the challenger's differ: one is for both, deploy it with the code")
    files = {f"models/{pipeline}/{name}": content for name, content in sorted(champion.beside.items())}
    for name, (content, _) in ((MODEL, champion), (SHADOW, challenger)):
        files[f"models/{pipeline}/{name}"] = content
        files[f"models/{pipeline}/{name}.sha256"] = f"{hashlib.sha256(content).hexdigest()}\n".encode()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for key, content in files.items():
            entry = zipfile.ZipInfo(key, date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16  # functions run as another user
            archive.writestr(entry, content)
    return stream.getvalue()


def replaced(layers: Sequence[str], name: str, arn: str) -> tuple[str, ...]:
    """A function's layers with `arn` in place of the one of this name. Raises Rejected when there is none."""
    old = named(layers, name)
    return tuple(arn if each == old else each for each in layers)


def named(layers: Sequence[str], name: str) -> str:
    """The one of this name. Raises Rejected when there is none."""
    found = [each for each in layers if _name(each) == name]
    if not found:
        raise Rejected(f"the function has no layer {name} to replace; it has {', '.join(layers) or 'none'}")
    return found[0]


def _name(arn: str) -> str:
    return arn.split(":")[6] if arn.count(":") == 7 else ""
