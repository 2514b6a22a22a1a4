"""SageMaker's Factorization Machines: model.tar.gz <-> its parameters, without MXNet.

The archive holds `model_algo-1`, a zip of `symbol.json` and `params`, which is MXNet's list of named arrays (format of
MXNet 1.x, NDArray::Save: magic numbers, shapes, then the bytes; also its row-sparse arrays).
"""

import io
import json
import struct
import tarfile
import zipfile
from collections.abc import Mapping
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

MEMBER, PARAMS, SYMBOL = "model_algo-1", "params", "symbol.json"
LIST_MAGIC, V1_MAGIC, V2_MAGIC = 0x112, 0xF993FAC8, 0xF993FAC9
DENSE, ROW_SPARSE = 0, 1
TYPES = {0: np.float32, 1: np.float64, 2: np.float16, 3: np.uint8, 4: np.int32, 5: np.int8, 6: np.int64}
_CPU = struct.pack("<ii", 1, 0)
LARGEST = 2 * 1024**3

Floats = NDArray[np.float32]


class Parameters(NamedTuple):
    """A factorization machine of degree 2 (Rendle 2010): bias w0; linear w1 float32 [width]; factors v [width, f]."""

    bias: float
    linear: Floats
    factors: Floats


def unpacked(archive: bytes) -> Parameters:
    """Of a model.tar.gz that the algorithm left. Raises ValueError when it is something else."""
    try:
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            member = tar.extractfile(next(each for each in tar.getmembers() if each.name.endswith(MEMBER)))
            if member is None:
                raise ValueError(f"{MEMBER} is no file")
            with zipfile.ZipFile(io.BytesIO(member.read(LARGEST))) as found:
                arrays = _arrays(io.BytesIO(found.read(PARAMS)))
        named = {name.partition(":")[2]: value for name, value in arrays.items()}
        return Parameters(
            float(named["w0_weight"].ravel()[0]),
            named["w1_weight"].astype(np.float32).ravel(),
            named["v"].astype(np.float32),
        )
    except (tarfile.TarError, zipfile.BadZipFile, StopIteration, KeyError, struct.error, EOFError) as error:
        raise ValueError(f"no model of the Factorization Machines algorithm: {error!r}") from error


def packed(model: Parameters) -> bytes:
    """A model.tar.gz as the algorithm leaves it."""
    inner, outer = io.BytesIO(), io.BytesIO()
    arrays = {
        "arg:v": model.factors,
        "arg:w0_weight": np.array([model.bias], np.float32),
        "arg:w1_weight": model.linear.reshape(-1, 1),
    }
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(SYMBOL, json.dumps({"nodes": [{"op": "null", "name": name[4:]} for name in arrays]}))
        archive.writestr(PARAMS, _written(arrays))
    with tarfile.open(fileobj=outer, mode="w:gz") as tar:
        entry = tarfile.TarInfo(MEMBER)
        entry.size = inner.tell()
        inner.seek(0)
        tar.addfile(entry, inner)
    return outer.getvalue()


def _arrays(file: BinaryIO) -> dict[str, NDArray[np.generic]]:
    magic, _ = _take(file, "<QQ")
    if magic != LIST_MAGIC:
        raise ValueError(f"{PARAMS} does not begin like a list of MXNet's arrays")
    (count,) = _take(file, "<Q")
    values = [_array(file) for _ in range(count)]
    (named,) = _take(file, "<Q")
    names = [file.read(_take(file, "<Q")[0]).decode() for _ in range(named)]
    return dict(zip(names, values, strict=True))


def _array(file: BinaryIO) -> NDArray[np.generic]:
    (magic,) = _take(file, "<I")
    if magic not in {V1_MAGIC, V2_MAGIC}:
        raise ValueError(f"an array of a version that is not known: {magic:#x}")
    storage = _take(file, "<i")[0] if magic == V2_MAGIC else DENSE
    if storage not in {DENSE, ROW_SPARSE}:
        raise ValueError(f"an array is stored in a way that is not known: {storage}")
    stored = _shape(file) if storage == ROW_SPARSE else None
    shape = _shape(file)
    if not shape:
        return np.zeros(0, np.float32)
    file.read(len(_CPU))
    (kind,) = _take(file, "<i")
    if stored is None:
        return _values(file, kind, shape)
    (row_kind,) = _take(file, "<i")
    row_shape = _shape(file)
    values = _values(file, kind, stored)
    rows = _values(file, row_kind, row_shape)
    whole = np.zeros(shape, values.dtype)
    whole[rows.astype(np.int64)] = values
    return whole


def _shape(file: BinaryIO) -> tuple[int, ...]:
    (dimensions,) = _take(file, "<I")
    return tuple(_take(file, f"<{dimensions}q"))


def _values(file: BinaryIO, kind: int, shape: tuple[int, ...]) -> NDArray[np.generic]:
    if kind not in TYPES:
        raise ValueError(f"an array's type is not known: {kind}")
    kept = np.dtype(TYPES[kind]).newbyteorder("<")
    size = int(np.prod(shape)) * kept.itemsize
    content = file.read(size)
    if len(content) < size:
        raise EOFError("an array is cut off")
    return np.frombuffer(content, kept).reshape(shape)


def _take(file: BinaryIO, form: str) -> tuple[int, ...]:
    return struct.unpack(form, file.read(struct.calcsize(form)))


def _written(arrays: Mapping[str, Floats]) -> bytes:
    parts = [struct.pack("<QQQ", LIST_MAGIC, 0, len(arrays))]
    for value in arrays.values():
        parts += [
            struct.pack("<Ii", V2_MAGIC, DENSE),
            struct.pack(f"<I{value.ndim}q", value.ndim, *value.shape),
            _CPU,
            struct.pack("<i", 0),
            np.ascontiguousarray(value, "<f4").tobytes(),
        ]
    parts.append(struct.pack("<Q", len(arrays)))
    parts += [struct.pack("<Q", len(name)) + name.encode() for name in arrays]
    return b"".join(parts)
