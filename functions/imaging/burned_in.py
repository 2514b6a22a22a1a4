"""Stored values of an image and a text detector -> boxes around text, and the values with the boxes filled.

The detector is PP-OCRv4's (differentiable binarization, Liao et al. 2020, arXiv:1911.08947): a probability of text for
every pixel. It sees the image at one scale for large letters and one for small ones, in tiles, stretched in two ways,
because devices draw text far outside the range of the anatomy. Laterality markers look like text and are masked too:
they are no PHI, but to tell a marker from an initial is not worth the risk.
"""

import math
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from functions.imaging.burned_in_components import components
from functions.imaging.pixels import Values

Network = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""[1, 3, h, w] in -1..1, h and w multiples of 32 -> probability of text [1, 1, h, w]. Built from models/imaging."""
Grey = NDArray[np.uint8]

COARSE, FINE = 960, 2048
"""Longest side in pixels at which large and small letters are looked for; 960 is what the network was trained near."""
_ONCE = 1400
"""Longest side of an image that one scale does for: a smaller one is enlarged to COARSE, up to three times."""
TILE, OVERLAP = 960, 96
_PIXEL, _BOX = 0.25, 0.4
"""Probability from which a pixel is text and mean of a box from which it is one: below the usual 0.3 and 0.5 to 0.6,
because a box too many costs a corner of the image, one too few a name."""
_SMALLEST = 3
_UNCLIP = 2.0
"""The network marks the core of a line, which is this many times area / perimeter larger at each side (paper: 1.5)."""
_SHARP, _SHARP_LARGE, _LARGE = 24, 72, 0.1
"""Ribs look like lines of text from afar; from near, ink has edges and anatomy has none. A hundredth of a box's pixels
must differ from a neighbour but one by so many of 255, by more where the box is thicker than this share of the image.
Measured: 78 and more in boxes around text, 62 and less around anatomy (15 and less in images of 1000 pixels)."""
_MULTIPLE = 32
_RANGES: Final = ((0.5, 99.5), (0.0, 100.0))
_ALIKE = 1.3


class Box(NamedTuple):
    """Pixels of the image; bottom and right are exclusive."""

    top: int
    left: int
    bottom: int
    right: int


def regions(values: Values, network: Network) -> list[Box]:
    """Boxes around what looks like text, those that touch joined. values: [h, w] or [h, w, 3], of any integer type."""
    found: list[Box] = []
    for shown in renderings(values):
        for scale in _scales(max(shown.shape[:2])):
            found += [box for box in _at_scale(shown, scale, network) if _drawn(shown, box)]
    return joined(found)


def grown(boxes: list[Box], lines: list[Box], shape: tuple[int, ...]) -> list[Box]:
    """Boxes and the lines of strokes that begin in them or beside them: the network loses the ends of faint lines.

    Lines that no box is near are left out: that there are any is for the second look to say.
    """
    near = list(boxes)
    for line in lines:
        reach = min(line.bottom - line.top, line.right - line.left)
        wide = Box(line.top - reach, line.left - reach, line.bottom + reach, line.right + reach)
        if any(_touch(box, wide) for box in boxes):
            ends = min(shape[0], line.bottom + 2), min(shape[1], line.right + 2)
            near.append(Box(max(0, line.top - 2), max(0, line.left - 2), *ends))
    return joined(near)


def renderings(values: Values) -> Iterator[Grey]:
    """The image in 8 bits, [h, w, 3]: stretched to where most values are and, where that differs, to all of them."""
    shown: list[tuple[float, float]] = []
    for share in _RANGES:
        low, high = (float(each) for each in np.percentile(values, share))
        if high > low and all((high - low) > _ALIKE * (was[1] - was[0]) for was in shown):
            shown.append((low, high))
    for low, high in shown:
        grey = ((np.clip(values, low, high) - low) * (255 / (high - low))).astype(np.uint8)
        yield grey if grey.ndim == 3 else np.repeat(grey[..., None], 3, axis=2)


def masked(values: Values, boxes: list[Box]) -> Values:
    """A copy in which each box has the median of the values around it, so that no edge of it looks like anatomy."""
    made = values.copy()
    for top, left, bottom, right in boxes:
        around = values[max(0, top - 2) : bottom + 2, max(0, left - 2) : right + 2].copy()
        rim = np.ones(around.shape[:2], bool)
        rim[min(2, top) : min(2, top) + bottom - top, min(2, left) : min(2, left) + right - left] = False
        ring = around[rim] if rim.any() else around.reshape(-1, *around.shape[2:])
        made[top:bottom, left:right] = np.median(ring, axis=0).astype(values.dtype)
    return made


def share(boxes: list[Box], shape: tuple[int, ...]) -> float:
    """Of the image that the boxes cover, 0 to 1; joined boxes do not overlap."""
    return sum((box.bottom - box.top) * (box.right - box.left) for box in boxes) / (shape[0] * shape[1])


def joined(boxes: list[Box]) -> list[Box]:
    """Boxes that overlap or touch become one, until none do."""
    waiting, done = list(boxes), list[Box]()
    while waiting:
        box = waiting.pop()
        near = [each for each in done if _touch(each, box)]
        if not near:
            done.append(box)
            continue
        done = [each for each in done if each not in near]
        each = [box, *near]
        waiting.append(
            Box(*(min(one[at] for one in each) for at in (0, 1)), *(max(one[at] for one in each) for at in (2, 3)))
        )
    return sorted(done)


def _touch(one: Box, other: Box) -> bool:
    return one.top <= other.bottom and other.top <= one.bottom and one.left <= other.right and other.left <= one.right


def _scales(longest: int) -> tuple[float, ...]:
    if longest <= COARSE:
        return (min(3.0, COARSE / longest),)
    return (1.0,) if longest <= _ONCE else (COARSE / longest, min(1.0, FINE / longest))


def _drawn(shown: Grey, box: Box) -> bool:
    """Could this be text, for how it looks from near?"""
    inside = shown[box.top : box.bottom, box.left : box.right].astype(np.int16)
    steps = [np.abs(inside[2:] - inside[:-2]).ravel(), np.abs(inside[:, 2:] - inside[:, :-2]).ravel()]
    large = min(inside.shape[:2]) > _LARGE * min(shown.shape[:2])
    sharpest = np.percentile(np.concatenate(steps), 99) if min(inside.shape[:2]) > 2 else 255
    return bool(sharpest >= (_SHARP_LARGE if large else _SHARP))


def _at_scale(shown: Grey, scale: float, network: Network) -> Iterator[Box]:
    height, width = shown.shape[:2]
    size = max(_MULTIPLE, round(width * scale)), max(_MULTIPLE, round(height * scale))
    scaled = np.asarray(Image.fromarray(shown).resize(size, Image.Resampling.BILINEAR))
    back = (height / size[1], width / size[0])
    for top, bottom in _tiles(size[1]):
        for left, right in _tiles(size[0]):
            for box in _in_tile(scaled[top:bottom, left:right], network):
                yield _clipped(box, (top, left), back, (height, width))


def _tiles(length: int) -> list[tuple[int, int]]:
    """Where tiles begin and end, of one size, and so that each letter is well inside one of them."""
    count = max(1, math.ceil((length - OVERLAP) / (TILE - OVERLAP)))
    size = math.ceil((length + (count - 1) * OVERLAP) / count)
    starts = [at * (length - size) // max(1, count - 1) for at in range(count)]
    return [(start, start + size) for start in starts]


def _in_tile(tile: Grey, network: Network) -> Iterator[tuple[float, float, float, float]]:
    height, width = tile.shape[:2]
    padded = np.pad(tile, ((0, -height % _MULTIPLE), (0, -width % _MULTIPLE), (0, 0)), mode="edge")
    given = (padded.astype(np.float32) / 127.5 - 1).transpose(2, 0, 1)[None]
    probability = np.asarray(network(given))[0, 0, :height, :width]
    found = components(probability > _PIXEL, probability)
    sides = found.boxes[:, 2:] - found.boxes[:, :2]
    good = (sides.min(axis=1, initial=2**31) >= _SMALLEST) & (found.weights >= _BOX * np.maximum(found.areas, 1))
    for (top, left, bottom, right), (tall, wide) in zip(found.boxes[good], sides[good], strict=True):
        more = tall * wide * _UNCLIP / (2 * (tall + wide))
        along, across = (tall, 0) if wide >= tall else (0, wide)  # the ends of a faint line are found last
        yield top - more - across, left - more - along, bottom + more + across, right + more + along


def _clipped(
    box: tuple[float, float, float, float], corner: tuple[int, int], back: tuple[float, float], size: tuple[int, int]
) -> Box:
    top, left, bottom, right = ((box[at] + corner[at % 2]) * back[at % 2] for at in range(4))
    return Box(
        max(0, math.floor(top)),
        max(0, math.floor(left)),
        min(size[0], math.ceil(bottom)),
        min(size[1], math.ceil(right)),
    )
