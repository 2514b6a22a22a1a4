"""Pixel data that does not add up is not decoded: what is declared, what the codestream says, what is there."""

import struct
from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom import Dataset
from pydicom.uid import JPEG2000Lossless, JPEGBaseline8Bit, JPEGLosslessSV1, JPEGLSLossless, RLELossless

from cuatro.errors import Rejected
from functions.imaging.pixels import stored
from tests.unit.films import FILM, MAX, compressed, film


def code_of(dataset: Dataset, max_pixels: int = MAX) -> str:
    with pytest.raises(Rejected) as rejected:
        stored(dataset, max_pixels=max_pixels)
    return rejected.value.code


BAD: dict[str, tuple[str, Callable[[Dataset], Any]]] = {
    "no rows": ("missing_tag", lambda it: it.__delattr__("Rows")),
    "rows of another kind": ("missing_tag", lambda it: setattr(it, "Rows", None)),
    "no photometric interpretation": (
        "unsupported_pixel_format", lambda it: it.__delattr__("PhotometricInterpretation"),
    ),
    "palette": ("unsupported_pixel_format", lambda it: setattr(it, "PhotometricInterpretation", "PALETTE COLOR")),
    "32 bits": ("unsupported_pixel_format", lambda it: setattr(it, "BitsAllocated", 32)),
    "more bits stored than there are": ("unsupported_pixel_format", lambda it: setattr(it, "BitsStored", 17)),
    "a high bit elsewhere": ("unsupported_pixel_format", lambda it: setattr(it, "HighBit", 15)),
    "no pixels at all": ("unsupported_pixel_format", lambda it: setattr(it, "Rows", 0)),
    "two samples": ("unsupported_pixel_format", lambda it: setattr(it, "SamplesPerPixel", 2)),
    "two frames": ("multi_frame", lambda it: setattr(it, "NumberOfFrames", 2)),
    "a syntax of video": (
        "unsupported_transfer_syntax", lambda it: setattr(it.file_meta, "TransferSyntaxUID", "1.2.840.10008.1.2.4.100"),
    ),
    "no pixel data": ("no_pixels", lambda it: it.__delattr__("PixelData")),
    "empty pixel data": ("no_pixels", lambda it: setattr(it, "PixelData", b"")),
    "too few": ("truncated", lambda it: setattr(it, "PixelData", it.PixelData[:-2])),
    "too many": ("pixel_data_length", lambda it: setattr(it, "PixelData", it.PixelData + b"\0\0")),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_does_not_add_up_is_not_read(name: str) -> None:
    code, change = BAD[name]
    made = film()
    change(made)

    assert code_of(made) == code


def test_more_pixels_than_allowed_are_not_read() -> None:
    assert code_of(film(), max_pixels=FILM.size - 1) == "too_many_pixels"
    assert stored(film(), max_pixels=FILM.size).shape == FILM.shape


def test_a_side_longer_than_any_film_is_not_read() -> None:
    assert code_of(film(np.zeros((1, 40_000), np.uint8), 8)) == "too_many_pixels"


def jpeg(rows: int, columns: int) -> bytes:
    buffer = BytesIO()
    Image.new("L", (columns, rows), 128).save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.mark.parametrize(("rows", "columns"), [(20_000, 20_000), (61, 41), (41, 60)])
def test_a_compressed_image_of_another_size_is_not_decoded(rows: int, columns: int) -> None:
    """400 million pixels in a file that declares 2,460."""
    header = jpeg(60, 41)
    at = header.index(b"\xff\xc0") + 5
    stream = header[:at] + struct.pack(">HH", rows, columns) + header[at + 4 :]

    assert code_of(compressed(stream)) == "pixel_data_length"


def test_a_jpeg_2000_of_another_size_is_not_decoded() -> None:
    made = film()
    made.compress(JPEG2000Lossless)
    at = made.PixelData.index(b"\xff\x4f\xff\x51") + 8
    made.PixelData = made.PixelData[:at] + struct.pack(">LL", 60_000, 60_000) + made.PixelData[at + 8 :]

    assert code_of(made) == "pixel_data_length"


def test_rle_that_cannot_hold_so_many_pixels_is_not_decoded() -> None:
    made = film(np.zeros((8, 8), np.uint8), 8)
    made.compress(RLELossless, encoding_plugin="pydicom")
    made.Rows = made.Columns = 900

    assert code_of(made) == "pixel_data_length"


def test_a_second_frame_that_is_not_declared_is_not_read() -> None:
    assert code_of(compressed(jpeg(60, 41), jpeg(60, 41))) == "pixel_data_length"


@pytest.mark.parametrize("syntax", [JPEGBaseline8Bit, JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless, RLELossless])
@pytest.mark.parametrize(
    "stream", [b"\0\0", b"\0" * 64, b"\xff" * 300, jpeg(60, 41)[:200], b"\xff\x4f\xff\x51" + b"\1" * 50]
)
def test_what_is_no_image_is_not_read(syntax: str, stream: bytes) -> None:
    assert code_of(compressed(stream, syntax=syntax)) in {"truncated", "pixel_data_length", "undecodable"}


def test_pixel_data_that_is_not_encapsulated_is_not_read() -> None:
    made = film()
    made.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    made["PixelData"].VR = "OB"

    assert code_of(made) in {"truncated", "no_pixels"}
