"""Stored values -> the radiograph that has them, native or compressed; and what is read of it."""

from pathlib import Path
from typing import Any

import numpy as np
from pydicom import Dataset
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGBaseline8Bit

from functions.imaging.pixels import stored
from functions.imaging.reading import whole
from tests.functional.imaging.images import file, image

MAX = 1_000_000
FILM = np.random.default_rng(1).integers(0, 4096, (60, 41), dtype=np.uint16)
Values = np.ndarray[Any, Any]


def film(values: Values = FILM, bits: int = 12, **changes: Any) -> Dataset:
    """A radiograph with these stored values, in native encoding."""
    signed = values.dtype.kind == "i"
    made = image(
        Rows=values.shape[0], Columns=values.shape[1], BitsAllocated=8 * values.itemsize, BitsStored=bits,
        HighBit=bits - 1, PixelRepresentation=int(signed), **changes,
    )  # fmt: skip
    made.PixelData = values.tobytes() + b"\0" * (values.nbytes % 2)
    made["PixelData"].VR = "OW"
    return made


def compressed(*frames: bytes, rows: int = 60, columns: int = 41, syntax: str = JPEGBaseline8Bit) -> Dataset:
    """A radiograph of 8 bits that says that these are its compressed frames."""
    made = film(np.zeros((rows, columns), np.uint8), 8)
    made.file_meta.TransferSyntaxUID = syntax
    made.PixelData = encapsulate(list(frames))
    made["PixelData"].VR = "OB"
    made["PixelData"].is_undefined_length = True
    return made


def read(dataset: Dataset) -> Values:
    """As it comes out of a file."""
    return stored(whole(file(dataset)), max_pixels=MAX)


def sample(name: str) -> bytes:
    """A test file of pydicom's."""
    path = get_testdata_file(name)
    assert isinstance(path, str), name
    return Path(path).read_bytes()
