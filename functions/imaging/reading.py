"""Bytes of a sender -> a DICOM dataset, read within bounds and without a word of it in any log, warning or error.

pydicom parses; what is added is what a file from outside can do to it: a deflated file that grows a thousandfold,
millions of tiny elements, sequences in sequences. Its warnings and errors quote values, so they end here.
"""

import logging
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import NamedTuple, NoReturn

from pydicom import config
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.errors import InvalidDicomError
from pydicom.filereader import read_dataset, read_preamble
from pydicom.tag import BaseTag
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from cuatro.errors import Rejected

MAX_INFLATED = 256 << 20
"""Bytes of a deflated dataset. Deflate reaches 1 : 1032, so a small file may hide a large one."""
MAX_READS = 50_000
"""Of the parser, for one file: one to three for an element, and a radiograph has some hundreds of these."""
MAX_NESTED = 8 << 20
"""Bytes of all sequences and unknown elements together: they are parsed when they are looked at, which costs a
hundred times their size."""
_PIXELS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
_QUOTING = ("pydicom", "pylibjpeg", "highdicom")

# Values as they are, whatever the standard says of them: what must hold is checked where it matters.
config.settings.reading_validation_mode = config.IGNORE
for _name in _QUOTING:
    logging.getLogger(_name).addHandler(logging.NullHandler())
    logging.getLogger(_name).propagate = False


@contextmanager
def quiet() -> Iterator[None]:
    """Within, libraries' warnings are dropped: they quote values, and Lambda writes them to the log."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def header(data: bytes, inflated: int = MAX_INFLATED) -> FileDataset:
    """The elements before the pixel data. data: the whole file or its beginning; what is cut off is left out.

    inflated: so many bytes of a deflated file are looked at. Raises Rejected: not_dicom, damaged, oversized_header.
    """
    return _read(data, _Until(inflated, lambda tag, _vr, _length: tag in _PIXELS or tag > 0x7FE00010))


def whole(data: bytes) -> FileDataset:
    """All elements. A deflated file comes back as what it holds, in Explicit VR Little Endian.

    Raises Rejected: not_dicom, damaged, oversized_header.
    """
    return _read(data, _Until(MAX_INFLATED, None))


class _Until(NamedTuple):
    inflated: int
    stop_when: Callable[[BaseTag, str | None, int], bool] | None


def _read(data: bytes, until: _Until) -> FileDataset:
    with quiet():
        try:
            return _parsed(data, until)
        except InvalidDicomError:
            _reject("not_dicom", "there is no DICOM prefix after the preamble")
        except Rejected:
            raise
        except Exception:  # noqa: BLE001 - whatever a damaged file makes of the parser; its words quote values
            _reject("damaged", "the file cannot be parsed")


def _parsed(data: bytes, until: _Until) -> FileDataset:
    file = _Metered(data)
    preamble = read_preamble(file, force=False)
    meta = FileMetaDataset(read_dataset(file, is_implicit_VR=False, is_little_endian=True, stop_when=_after_meta))
    syntax = str(meta.get("TransferSyntaxUID", ""))
    if not syntax:
        _reject("damaged", "the file does not say its transfer syntax")
    if syntax == DeflatedExplicitVRLittleEndian:
        file = _Metered(_inflated(data[file.tell() :], until), file.reads)
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
    implicit, little = syntax == ImplicitVRLittleEndian, syntax != ExplicitVRBigEndian
    dataset = read_dataset(file, implicit, little, stop_when=until.stop_when)
    _check_nested(dataset)
    return FileDataset(file, dataset, preamble, meta, implicit, little)


def _after_meta(tag: BaseTag, _vr: str | None, _length: int) -> bool:
    return tag >> 16 != 2


def _inflated(packed: bytes, until: _Until) -> bytes:
    unpacking = zlib.decompressobj(-zlib.MAX_WBITS)
    content = unpacking.decompress(packed, until.inflated)
    if unpacking.unconsumed_tail and until.stop_when is None:
        _reject("oversized_header", f"the deflated file has more than {MAX_INFLATED} bytes")
    return content


def _check_nested(dataset: Dataset) -> None:
    nested = 0
    for tag in dataset.keys():  # noqa: SIM118 - iterating would parse the elements
        element = dataset.get_item(tag)
        is_pixels = tag in _PIXELS or (tag.group & 0xFF01 == 0x6000 and tag.element == 0x3000)
        if isinstance(element, RawDataElement) and element.VR in {None, "SQ", "UN"} and not is_pixels:
            nested += len(element.value or b"")
    if nested > MAX_NESTED:
        _reject(
            "oversized_header", f"sequences and unknown elements have more than the {MAX_NESTED} bytes that are read"
        )


def _reject(code: str, reason: str) -> NoReturn:
    raise Rejected(reason, code=code) from None


class _Metered(BytesIO):
    """A file in memory that can be read so many times."""

    def __init__(self, data: bytes, reads: int = 0) -> None:
        super().__init__(data)
        self.reads = reads

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads += 1
        if self.reads > MAX_READS:
            _reject("oversized_header", "the file has more elements than are read")
        return super().read(size)
