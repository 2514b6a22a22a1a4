"""Stored values and what the dataset says of them -> the grey picture that a person would see, upright, in 8 bits.

The grayscale pipeline of DICOM PS3.4 N.2: modality LUT or rescale, VOI LUT or window, then the presentation: bright is
dense (MONOCHROME2), head up, the patient's left on the right. It is worked out for each value that occurs, not for each
pixel: a film of any size costs one look-up a pixel.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset

from functions.imaging.reading import quiet

LONGEST_SIDE = 2048
"""Pixels. A film at full size has 3,000 and more, which neither a screen shows nor the model sees."""
PERCENTILES = 0.1, 99.9
"""What becomes black and white where the file says nothing useful: a burned-in letter or a dead pixel is neither."""
_PART = 1 << 20
_ALL_CLIPPED = 0.99
"""A window that makes more than this share of the pixels black or white was not made for them."""

Grey = NDArray[np.uint8]
Curve = NDArray[np.float64]
_Steps = Callable[[Curve], Curve]


class Picture(NamedTuple):
    """image: uint8 [h, w]. inverted: bright was air in the file (MONOCHROME1), and is not here."""

    image: Grey
    inverted: bool


def picture(values: NDArray[np.integer], dataset: Dataset) -> Picture:
    """values: stored values, [rows, columns] or RGB [rows, columns, 3], as pixels.stored gives them."""
    with quiet():
        if values.ndim == 3:
            grey, inverted = np.asarray(Image.fromarray(values.astype(np.uint8)).convert("L")), False
        else:
            grey, inverted = _presented(values, dataset)
        return Picture(_sized(_upright(grey, dataset)), inverted)


def _presented(values: NDArray[np.integer], dataset: Dataset) -> tuple[Grey, bool]:
    unsigned, possible = _unsigned(values)
    counts = _counted(unsigned)
    padding = _padding(possible, dataset)
    counts = np.where(padding, 0, counts)
    modality = _modality(dataset)(possible)
    shares = _shown(modality, counts, dataset)
    inverted = _text(dataset, "PhotometricInterpretation") == "MONOCHROME1" or (
        _text(dataset, "PresentationLUTShape") == "INVERSE"
    )
    if inverted:
        shares = 1 - shares
    table = np.rint(np.where(padding, 0, shares) * 255).astype(np.uint8)
    grey = np.empty(values.shape, np.uint8)
    for part, shown in zip(_parts(unsigned), _parts(grey), strict=True):
        np.take(table, part, out=shown)
    return grey, inverted


def _unsigned(values: NDArray[np.integer]) -> tuple[NDArray[np.unsignedinteger[Any]], Curve]:
    """The same bits without a sign, and what each of their numbers stands for: 256 or 65,536 values."""
    bits = 8 * values.itemsize
    numbers = np.arange(1 << bits, dtype=np.float64)
    if values.dtype.kind == "i":
        numbers = np.where(numbers < 1 << (bits - 1), numbers, numbers - (1 << bits))
    return np.ascontiguousarray(values).view(f"u{values.itemsize}"), numbers


def _counted(unsigned: NDArray[np.unsignedinteger[Any]]) -> NDArray[np.int64]:
    size = 1 << 8 * unsigned.itemsize
    counts = np.zeros(size, np.int64)
    for part in _parts(unsigned):
        counts += np.bincount(part, minlength=size)
    return counts


def _parts(pixels: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """A million at a time: numpy takes eight bytes for each pixel that it counts or looks up."""
    flat = pixels.reshape(-1)
    return (flat[start : start + _PART] for start in range(0, flat.size, _PART))


def _padding(possible: Curve, dataset: Dataset) -> NDArray[np.bool_]:
    """Values that fill the picture where nothing was measured (PS3.3 C.7.5.1.1.2)."""
    first = _number(dataset, "PixelPaddingValue")
    if first is None:
        return np.zeros(possible.shape, np.bool_)
    last = _number(dataset, "PixelPaddingRangeLimit")
    ends = sorted((first, first if last is None else last))
    return np.asarray((possible >= ends[0]) & (possible <= ends[1]))


def _modality(dataset: Dataset) -> _Steps:
    """PS3.3 C.11.1."""
    if table := _table(dataset, "ModalityLUTSequence"):
        return table
    slope, intercept = _number(dataset, "RescaleSlope"), _number(dataset, "RescaleIntercept")
    if not slope or intercept is None:
        return lambda x: x
    return lambda x: x * slope + intercept


def _shown(modality: Curve, counts: NDArray[np.integer], dataset: Dataset) -> Curve:
    """For each value 0 (black) to 1: by the first VOI LUT, else the first window, else between percentiles."""
    table = _table(dataset, "VOILUTSequence")
    if table:
        shown = table(modality)
        ends = table(np.array([-np.inf, np.inf]))
        shares = _scaled(shown, min(shown.min(), *ends), max(shown.max(), *ends))
        if _useful(shares, counts):
            return shares
    window = _window(dataset)
    if window:
        shares = window(modality)
        if _useful(shares, counts):
            return shares
    return _between_percentiles(modality, counts)


def _useful(shares: Curve, counts: NDArray[np.integer]) -> bool:
    clipped = counts[(shares <= 0) | (shares >= 1)].sum()
    return bool(clipped <= _ALL_CLIPPED * max(1, counts.sum()))


def _between_percentiles(modality: Curve, counts: NDArray[np.integer]) -> Curve:
    if not counts.any():
        return np.zeros(modality.shape)
    order = np.argsort(modality, kind="stable")
    reached = np.cumsum(counts[order]) / counts.sum() * 100
    low, high = (modality[order[np.searchsorted(reached, each)]] for each in PERCENTILES)
    return _scaled(modality, low, high)


def _scaled(curve: Curve, low: float, high: float) -> Curve:
    if high <= low:
        return np.zeros(curve.shape)
    return np.clip((curve - low) / (high - low), 0, 1)


def _window(dataset: Dataset) -> _Steps | None:
    """PS3.3 C.11.2.1.2 and C.11.2.1.3, scaled to 0..1; None where there is none, or one that cannot be."""
    centre, width = _number(dataset, "WindowCenter"), _number(dataset, "WindowWidth")
    if centre is None or width is None:
        return None
    kind = _text(dataset, "VOILUTFunction") or "LINEAR"
    if kind == "SIGMOID" and width > 0:
        return lambda x: 1 / (1 + np.exp(np.clip(-4 * (x - centre) / width, -500, 500)))
    if kind == "LINEAR_EXACT" and width > 0:
        return lambda x: np.clip((x - centre) / width + 0.5, 0, 1)
    if kind == "LINEAR" and width > 1:
        return lambda x: np.clip((x - (centre - 0.5)) / (width - 1) + 0.5, 0, 1)
    return None


def _table(dataset: Dataset, name: str) -> _Steps | None:
    """The first LUT of the sequence (PS3.3 C.11.1.1, C.11.2.1.1); None where there is none that can be used."""
    try:
        item = dataset[name].value[0]
        entries, first, bits = (int(each) for each in item.LUTDescriptor)
        data = item.LUTData
    except Exception:  # noqa: BLE001 - no such sequence, or one that does not say what it must
        return None
    entries = entries or 1 << 16
    if isinstance(data, bytes):  # OW; 8 bits a value are packed by some
        data = np.frombuffer(data, np.uint8 if bits <= 8 and len(data) < 2 * entries else "<u2")
    values = np.asarray(data, np.float64).ravel()[:entries]
    if len(values) < entries:
        return None
    if first > 0x7FFF and _number(dataset, "PixelRepresentation") == 1:
        first -= 1 << 16  # written as if it had no sign
    return lambda x: values[np.rint(np.clip(x - first, 0, entries - 1)).astype(np.int64)]


def _upright(image: Grey, dataset: Dataset) -> Grey:
    """Patient Orientation says where the rows and the columns go (PS3.3 C.7.6.1.1.1); silent, it stays as it is."""
    try:
        rows, columns = (str(each).strip().upper()[:1] for each in dataset.PatientOrientation)
    except Exception:  # noqa: BLE001 - absent, or not two words
        return image
    if rows in {"H", "F"} and columns in {"L", "R", "A", "P"}:
        image, rows, columns = image.T, columns, rows
    if columns == "H":
        image = image[::-1]
    if rows == "R" and columns in {"H", "F"}:
        image = image[:, ::-1]
    return np.ascontiguousarray(image)


def _sized(image: Grey) -> Grey:
    scale = LONGEST_SIDE / max(image.shape)
    if scale >= 1:
        return image
    height, width = (max(1, round(side * scale)) for side in image.shape)
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC))


def _number(dataset: Dataset, name: str) -> float | None:
    """The first of the values."""
    value = _first(dataset, name)
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _text(dataset: Dataset, name: str) -> str:
    value = _first(dataset, name)
    return value.strip().upper() if isinstance(value, str) else ""


def _first(dataset: Dataset, name: str) -> Any:
    try:
        value = dataset.get(name)
        return value if isinstance(value, str | bytes) or not hasattr(value, "__getitem__") else value[0]
    except Exception:  # noqa: BLE001 - a value that cannot be, or none
        return None
