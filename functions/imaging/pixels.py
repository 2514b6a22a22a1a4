"""Dataset -> what its pixels are, checked, and the stored values of its first frame.

The size that is declared, the size that the codestream declares and the bytes that are there must agree before anything
is decoded; what is compressed is decoded in a process of its own.
"""

import math
import re
import struct
from io import BytesIO
from typing import NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import generate_fragments, parse_basic_offsets
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID

from cuatro.errors import Rejected
from functions.imaging.isolation import Ended, filled
from functions.imaging.reading import quiet

_NATIVE = {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"}
_RLE = {"1.2.840.10008.1.2.5"}
_JPEG = {f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 57, 70, 80, 81)}
_JPEG_EXTENDED = "1.2.840.10008.1.2.4.51"
"""With 12 bits no codec that we may ship reads it reliably."""
_JPEG_2000 = {f"1.2.840.10008.1.2.4.{number}" for number in (90, 91)}
TRANSFER_SYNTAXES = frozenset(_NATIVE | _RLE | _JPEG | _JPEG_2000)
"""What the codecs of the layer are shown to decode. High-throughput JPEG 2000 is not among it: nothing here can write
one to show it with. Deflated files are read as Explicit VR Little Endian (see reading)."""
_GREY = frozenset({"MONOCHROME1", "MONOCHROME2"})
_COLOUR = frozenset({"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"})
_LONGEST_SIDE = 32_768

Values = NDArray[np.integer]


class Format(NamedTuple):
    """rows, columns: pixels. samples: 1 or 3. allocated: bits of a sample in memory, 8 or 16; stored: of these used."""

    rows: int
    columns: int
    samples: int
    frames: int
    allocated: int
    stored: int
    signed: bool
    photometric: str
    syntax: str

    @property
    def frame_bytes(self) -> int:
        """Of one frame, decoded."""
        return self.rows * self.columns * self.samples * self.allocated // 8

    @property
    def dtype(self) -> np.dtype[np.integer]:
        """Of the stored values, decoded."""
        return np.dtype(f"{'i' if self.signed else 'u'}{self.allocated // 8}")


def format_of(dataset: Dataset, *, max_pixels: int, max_frames: int = 1) -> Format:
    """max_pixels: of all frames together.

    Raises Rejected: missing_tag, unsupported_transfer_syntax, multi_frame, too_many_pixels, unsupported_pixel_format.
    """
    with quiet():
        found = Format(
            rows=_number(dataset, "Rows"),
            columns=_number(dataset, "Columns"),
            samples=_number(dataset, "SamplesPerPixel"),
            frames=_number(dataset, "NumberOfFrames", 1),
            allocated=_number(dataset, "BitsAllocated"),
            stored=_number(dataset, "BitsStored"),
            signed=_number(dataset, "PixelRepresentation") == 1,
            photometric=_text(dataset, "PhotometricInterpretation"),
            syntax=_text(dataset.file_meta, "TransferSyntaxUID"),
        )
        high_bit = _number(dataset, "HighBit")
    if found.syntax not in TRANSFER_SYNTAXES or (found.syntax == _JPEG_EXTENDED and found.stored > 8):
        _reject("unsupported_transfer_syntax", "the transfer syntax is not one that is read")
    if found.frames > max_frames:
        _reject("multi_frame", f"more frames than the {max_frames} that are read")
    if found.rows * found.columns * found.frames > max_pixels or max(found.rows, found.columns) > _LONGEST_SIDE:
        _reject("too_many_pixels", f"more pixels than the {max_pixels} that are read")
    grey = found.samples == 1 and found.photometric in _GREY
    colour = found.samples == 3 and found.photometric in _COLOUR and found.allocated == 8 and not found.signed
    bits = found.allocated in {8, 16} and 6 <= found.stored <= found.allocated and high_bit == found.stored - 1
    if not ((grey or colour) and bits and min(found.rows, found.columns, found.frames) > 0):
        _reject("unsupported_pixel_format", "bits, samples and photometric interpretation are not ones that are read")
    return found


def check_length(dataset: Dataset, format_: Format) -> None:
    """The bytes that are there are the pixels that are declared: neither fewer nor more.

    Raises Rejected: no_pixels, truncated, pixel_data_length.
    """
    data = _data(dataset)
    if format_.syntax in _NATIVE:
        size = _native_size(format_)
        if len(data) < size:
            _reject("truncated", "fewer bytes of pixel data than are declared")
        if len(data) > size + size % 2:  # an odd length is padded by one byte
            _reject("pixel_data_length", "more bytes of pixel data than are declared")
        return
    codestream = _codestream(data, format_)
    size_found = _declared(codestream, format_)
    if size_found != (format_.rows, format_.columns):
        _reject("pixel_data_length", "the compressed image is not of the size that the file declares")


def stored(dataset: Dataset, *, max_pixels: int, max_frames: int = 1) -> Values:
    """The first frame's stored values: [rows, columns], or [rows, columns, 3] in RGB where there are three samples.

    Unused bits are cleared, signed values are signed. Raises Rejected as format_of and check_length do, and
    "undecodable" where the codec cannot read what is there, or would take more time or memory than an image may.
    """
    format_ = format_of(dataset, max_pixels=max_pixels, max_frames=max_frames)
    check_length(dataset, format_)
    shape = (format_.rows, format_.columns, 3)[: 3 if format_.samples == 3 else 2]
    with quiet():
        try:
            if format_.syntax in _NATIVE:
                return _decoded(dataset, format_, shape)
            made = filled(format_.frame_bytes, lambda buffer: _fill(buffer, dataset, format_, shape))
            return np.frombuffer(made, format_.dtype).reshape(shape)
        except Ended as ended:
            _reject("undecodable", f"the codec ended: {ended}")
        except Exception:  # noqa: BLE001 - whatever bad pixel data makes of the decoder
            _reject("undecodable", "the pixel data cannot be decoded")


def _fill(buffer: memoryview, dataset: Dataset, format_: Format, shape: tuple[int, ...]) -> None:
    np.frombuffer(buffer, format_.dtype).reshape(shape)[...] = _decoded(dataset, format_, shape)


def _decoded(dataset: Dataset, format_: Format, shape: tuple[int, ...]) -> Values:
    values, _ = get_decoder(UID(format_.syntax)).as_array(dataset, index=0)
    if values.shape != shape:
        raise ValueError(values.shape)
    values = np.asarray(values, format_.dtype)
    if unused := format_.allocated - format_.stored:
        # Some codecs leave the unused bits as they were; the shift to the right extends the sign.
        values = values << unused
        values >>= unused
    return values


def _native_size(format_: Format) -> int:
    if format_.photometric == "YBR_FULL_422":
        return format_.frame_bytes * format_.frames * 2 // 3
    return format_.frame_bytes * format_.frames


def _data(dataset: Dataset) -> bytes:
    with quiet():
        try:
            data = dataset.PixelData
        except Exception:  # noqa: BLE001 - absent, or of a type that cannot be
            data = None
    if not isinstance(data, bytes) or not data:
        _reject("no_pixels", "there is no pixel data")
    return data


def _codestream(data: bytes, format_: Format) -> bytes:
    """The first frame, compressed."""
    try:
        file = BytesIO(data)
        offsets = parse_basic_offsets(file)
        fragments = list(generate_fragments(file))
    except Exception:  # noqa: BLE001 - whatever a damaged encapsulation makes of the parser
        _reject("truncated", "the pixel data is not encapsulated as it should be")
    count = len(offsets) or (len(fragments) if format_.syntax in _RLE else format_.frames)
    if count != format_.frames or not fragments:
        _reject("pixel_data_length", "not as many compressed frames as are declared")
    # Several frames that are not told apart: the first fragment begins the first frame, which is what is looked at.
    return b"".join(fragments[:1] if format_.frames > 1 else fragments)


_FRAME_HEADER = re.compile(rb"\xff[\xc0-\xc3\xc5-\xc7\xc9-\xcb\xcd-\xcf\xf7]")
_RLE_HEADER, _SIZ = struct.Struct("<16L"), struct.Struct(">HHHHLLLL")


def _declared(codestream: bytes, format_: Format) -> tuple[int, int]:
    """Rows and columns that the compressed image itself declares."""
    try:
        if format_.syntax in _JPEG_2000:
            start = max(0, codestream.find(b"\xff\x4f\xff\x51"))  # a JP2 file may be around it
            marker, siz, _, _, right, bottom, left, top = _SIZ.unpack_from(codestream, start)
            return (bottom - top, right - left) if (marker, siz) == (0xFF4F, 0xFF51) else (0, 0)
        if format_.syntax in _JPEG:
            return _jpeg_size(codestream)
        segments = _RLE_HEADER.unpack_from(codestream)[0]
        # RLE declares no size: a segment for each byte of a sample, and no more than 128 bytes made of two.
        bounded = format_.frame_bytes <= 64 * len(codestream) + 64
        right_count = segments == format_.samples * math.ceil(format_.allocated / 8)
    except struct.error:
        _reject("truncated", "the compressed image ends in its header")
    return (format_.rows, format_.columns) if bounded and right_count else (0, 0)


def _jpeg_size(codestream: bytes) -> tuple[int, int]:
    """Of JPEG (ITU-T T.81 B.2.2) and JPEG-LS (T.87 C.2.2): marker after marker, each with its length."""
    at = 2
    while True:
        marker, length = struct.unpack_from(">HH", codestream, at)
        if marker >> 8 != 0xFF:
            return 0, 0
        if _FRAME_HEADER.match(codestream, at):
            _precision, rows, columns = struct.unpack_from(">BHH", codestream, at + 4)
            return rows, columns
        at += 1 if marker == 0xFFFF else 2 + length  # any number of fill bytes may come before a marker


def _number(dataset: Dataset, keyword: str, default: int | None = None) -> int:
    """A whole number. Raises Rejected: missing_tag where there is none."""
    try:
        value = dataset.get(keyword)
        return int(value) if value not in {None, ""} or default is None else default
    except Exception:  # noqa: BLE001 - absent, several, or of a type that cannot be
        _reject("missing_tag", f"{keyword} is missing or no number")


def _text(dataset: Dataset, keyword: str) -> str:
    try:
        value = dataset.get(keyword)
    except Exception:  # noqa: BLE001
        value = None
    return str(value).strip() if isinstance(value, str) else ""


def _reject(code: str, reason: str) -> NoReturn:
    raise Rejected(reason, code=code) from None
