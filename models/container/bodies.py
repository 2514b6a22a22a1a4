"""A request's body -> a matrix, scores -> the answer's body, by content type; what is wrong names its row."""

import io
import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from cuatro.errors import Rejected
from models.container.loading import ServedModel

JSON, LINES, CSV, NPY = "application/json", "application/jsonlines", "text/csv", "application/x-npy"


class _Instances(msgspec.Struct):
    instances: list[Any]


class _Line(msgspec.Struct):
    features: Any


def _json(body: bytes, width: int) -> NDArray[np.float32]:
    try:
        rows = msgspec.json.decode(body, type=_Instances).instances
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Rejected(f'not {{"instances": [[...], ...]}}: {error}') from None
    return _matrix(rows, width)


def _lines(body: bytes, width: int) -> NDArray[np.float32]:
    rows = []
    for number, line in enumerate(body.splitlines(), 1):
        if not line.strip():
            continue
        try:
            rows.append(msgspec.json.decode(line, type=_Line).features)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise Rejected(f'line {number} is not {{"features": [...]}}: {error}') from None
    return _matrix(rows, width)


def _csv(body: bytes, width: int) -> NDArray[np.float32]:
    try:
        lines = [line for line in body.decode().splitlines() if line.strip()]
    except UnicodeDecodeError as error:
        raise Rejected(f"not UTF-8: {error}") from None
    rows = []
    for number, line in enumerate(lines, 1):
        try:
            rows.append([float(value) for value in line.split(",")])
        except ValueError as error:
            raise Rejected(f"row {number}: {error} (no header, no quotes: only numbers)") from None
    return _matrix(rows, width)


def _npy(body: bytes, width: int) -> NDArray[np.float32]:
    stream = io.BytesIO(body)
    try:
        major, _ = np.lib.format.read_magic(stream)
        header = np.lib.format.read_array_header_1_0 if major == 1 else np.lib.format.read_array_header_2_0
        shape, fortran, kind = header(stream)
    except ValueError as error:
        raise Rejected(f"not a .npy file: {error}") from None
    content = body[stream.tell() :]
    if kind.kind not in "fiu" or len(shape) != 2:
        raise Rejected(f"an array of {kind} with {len(shape)} axes, not a matrix of numbers")
    # Before anything is allocated: a header may promise more than there is.
    if math.prod(shape) * kind.itemsize != len(content):
        raise Rejected(f"the header tells of {shape} values of {kind}, but {len(content)} bytes follow")
    if shape[1] != width and shape[0]:
        raise Rejected(f"rows have {shape[1]} values, the model takes {width}")
    values = np.frombuffer(content, kind).reshape(shape, order="F" if fortran else "C")
    return _finite(values.reshape(-1, width))


def _matrix(rows: list[Any], width: int) -> NDArray[np.float32]:
    """Raises Rejected for the first row that is none."""
    for number, row in enumerate(rows, 1):
        if not isinstance(row, list):
            raise Rejected(f"row {number} is no list of numbers: {row!r:.40}")
        if len(row) != width:
            raise Rejected(f"row {number} has {len(row)} values, the model takes {width}")
        if not {float, int}.issuperset(map(type, row)):  # true and false are no numbers here
            wrong = next(value for value in row if type(value) not in {float, int})
            raise Rejected(f"row {number}: {wrong!r:.40} is not a number")
    return _finite(np.array(rows, np.float64).reshape(-1, width))


def _finite(values: NDArray[Any]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        matrix = np.ascontiguousarray(values, np.float32)
    wrong = np.flatnonzero(~np.isfinite(matrix).all(axis=1))
    if len(wrong):
        raise Rejected(f"row {wrong[0] + 1} has a value that is not finite (as a 32-bit number)")
    return matrix


def _answer(scores: NDArray[np.float32], model: ServedModel) -> bytes:
    told: dict[str, Any] = {"version": model.version, "thresholds": model.thresholds, "baseline": model.baseline}
    if not len(scores):
        told |= {"features": model.features, "reference": model.reference}
    return msgspec.json.encode({**told, "scores": scores.tolist()})


def _joined(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


DECODE: dict[str, Callable[[bytes, int], NDArray[np.float32]]] = {JSON: _json, LINES: _lines, CSV: _csv, NPY: _npy}
"""Content type -> (body, number of features) -> float32 [rows, features]. Raises Rejected."""

ENCODE: dict[str, Callable[[NDArray[np.float32], ServedModel], bytes]] = {
    JSON: _answer,
    LINES: lambda scores, _: _joined(f'{{"score":{score!r}}}' for score in scores.tolist()),
    CSV: lambda scores, _: _joined(map(repr, scores.tolist())),
}
"""Accept -> (scores, model) -> body. The first says what scored as well; with no rows, also what it expects."""


class Scores:
    """A model that takes a matrix and gives a score a row, as the server wants it (models.container.shapes.Served)."""

    takes, gives = tuple(DECODE), tuple(ENCODE)

    def __init__(self, directory: Path) -> None:
        """Load it. Raises ModelMismatch."""
        self.model = ServedModel(directory)
        self.version = self.model.version

    def reply(self, body: bytes, given: str, wanted: str) -> bytes:
        """Raises Rejected."""
        return ENCODE[wanted](self.model.score(DECODE[given](body, self.model.width)), self.model)
