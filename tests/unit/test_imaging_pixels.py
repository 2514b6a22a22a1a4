"""Stored values come out as they went in, through every transfer syntax that is taken."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from pydicom.encaps import encapsulate, get_frame
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from functions.imaging.pixels import format_of, stored
from functions.imaging.reading import whole
from tests.unit.films import FILM, MAX, compressed, film, read, sample


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian])
@pytest.mark.parametrize(
    ("dtype", "bits", "low", "high"),
    [("u1", 8, 0, 256), ("u2", 12, 0, 4096), ("u2", 16, 0, 65536), ("i2", 12, -2048, 2048), ("i2", 16, -32768, 32768)],
)
def test_native_values_come_out(syntax: str, dtype: str, bits: int, low: int, high: int) -> None:
    values = np.random.default_rng(2).integers(low, high, (7, 5)).astype(dtype)
    made = film(values, bits)
    made.file_meta.TransferSyntaxUID = syntax

    assert np.array_equal(read(made), values)


def test_big_endian_values_come_out() -> None:
    made = film()
    made.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    made.PixelData = FILM.astype(">u2").tobytes()

    assert np.array_equal(read(made), FILM)


def test_unused_bits_are_cleared_and_the_sign_is_extended() -> None:
    """Overlays used to be hidden in the upper bits."""
    dirty = np.array([[0xF001, 0x8FFF], [0x0800, 0x7000]], np.uint16)

    assert read(film(dirty, 12)).tolist() == [[0x001, 0xFFF], [0x800, 0]]
    assert read(film(dirty.astype(np.int16), 12)).tolist() == [[1, -1], [-2048, 0]]


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless, JPEGLSLossless])
@pytest.mark.parametrize("signed", [False, True])
def test_lossless_compression_gives_the_values_back(syntax: str, signed: bool) -> None:
    values = (FILM.astype(np.int32) - 2048).astype(np.int16) if signed else FILM
    made = film(values)
    made.compress(syntax, encoding_plugin={RLELossless: "pydicom"}.get(syntax, ""))

    assert np.array_equal(read(made), values)


def test_a_frame_in_several_fragments_is_one_frame() -> None:
    made = film()
    made.compress(JPEGLSLossless)
    made.PixelData = encapsulate([get_frame(made.PixelData, 0, number_of_frames=1)], fragments_per_frame=4)

    assert np.array_equal(read(made), FILM)


def test_jpeg_lossless_as_radiographs_have_it() -> None:
    """pydicom-data's sample, of 8 bits."""
    dataset = whole(sample("JPGLosslessP14SV1_1s_1f_8b.dcm"))

    assert dataset.file_meta.TransferSyntaxUID == JPEGLosslessSV1
    values = stored(dataset, max_pixels=MAX)
    assert values.shape == (768, 1024)


@pytest.mark.parametrize(
    ("compressed", "plain"),
    [
        ("RG1_J2KR.dcm", "RG1_UNCR.dcm"),
        ("RG3_J2KR.dcm", "RG3_UNCR.dcm"),
        ("MR2_J2KR.dcm", "MR2_UNCR.dcm"),
        ("MR_small_RLE.dcm", "MR_small.dcm"),
        ("MR_small_jp2klossless.dcm", "MR_small.dcm"),
        ("MR_small_jpeg_ls_lossless.dcm", "MR_small.dcm"),
        ("MR_small_bigendian.dcm", "MR_small.dcm"),
        ("MR_small_implicit.dcm", "MR_small.dcm"),
        ("US1_J2KR.dcm", "US1_UNCR.dcm"),
    ],
)
def test_files_of_others_give_what_their_uncompressed_twins_have(compressed: str, plain: str) -> None:
    one, other = (stored(whole(sample(name)), max_pixels=10 * MAX) for name in (compressed, plain))

    assert np.array_equal(one, other)


@pytest.mark.parametrize(
    ("compressed", "plain"),
    [
        ("SC_rgb_dcmtk_+eb+cr.dcm", "SC_rgb_dcmtk_ebcr_dcmd.dcm"),
        ("SC_rgb_dcmtk_+eb+cy+np.dcm", "SC_rgb_dcmtk_ebcynp_dcmd.dcm"),
        ("SC_rgb_jpeg.dcm", "SC_rgb_jpeg_dcmd.dcm"),
    ],
)
def test_colours_come_out_as_rgb(compressed: str, plain: str) -> None:
    """JPEG is lossy, and decoders differ by a few steps."""
    one, other = (stored(whole(sample(name)), max_pixels=MAX).astype(int) for name in (compressed, plain))

    assert one.shape == other.shape
    assert np.abs(one - other).mean() < 3


def test_the_format_says_how_large_a_frame_is() -> None:
    found = format_of(film(), max_pixels=MAX)

    assert (found.frame_bytes, found.dtype) == (FILM.nbytes, np.dtype(np.uint16))


def test_a_jpeg_comes_out() -> None:
    buffer = BytesIO()
    Image.new("L", (41, 60), 128).save(buffer, "JPEG")

    assert np.array_equal(read(compressed(buffer.getvalue())), np.full((60, 41), 128))
