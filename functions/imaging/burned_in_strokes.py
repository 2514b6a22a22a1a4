"""Stored values of an image -> is there still something drawn in lines of small, even, sharp strokes, as text is?

The second look at a masked image, by another method than the first: no network, no training. Thin structures that are
brighter or darker than what is at both sides of them (top-hat transform, Meyer 1979) and of one brightness are strokes;
as many of them as a word has, of one height on one line, side by side, are text. Anatomy has thin bright structures
too, but not of even brightness in a row.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from functions.imaging.burned_in import Grey, renderings
from functions.imaging.burned_in_components import Components, components
from functions.imaging.pixels import Values

LONGEST: Final = 2048
"""Side in pixels above which the image is made smaller: strokes are looked for at the size that devices draw them."""
_SCALES: Final = (1, 2, 4)
"""The image is looked at as it is, at half and at a quarter of that: strokes of 1 to 50 pixels."""
_WINDOW = 13
"""Strokes are thinner than this, in pixels."""
_CONTRAST, _NOISE = 28, 4
"""Of 255: what a stroke differs from its surroundings by, at least; and how often the median of all differences."""
_EVEN = 0.45
"""Standard deviation of a stroke's brightness, at most, as a share of its contrast: anatomy fades, ink does not."""
_SHORTEST, _TALLEST = 5, 80
_ENOUGH: Final = ((4, 100), (5, 50), (6, 40))
_ENOUGH_ACROSS: Final = ((6, 130),)
"""Letters in a row and their mean contrast that make a text: the fewer, the clearer. Fewer than four are a marker of a
side, not a name. Ribs at the wall of the chest are rows across, so those must be clearer. Measured on radiographs with
and without text: models/imaging/text.md."""
_WIDE = 1.6
"""Width by height from which a component is several letters that touch, not one."""


Rules = tuple[tuple[int, int], ...]


class Line(NamedTuple):
    """Letters in a row. letters: how many. contrast: of 255, their mean. box: top, left, bottom, right in pixels."""

    letters: int
    contrast: float
    box: tuple[int, int, int, int]


def lines(values: Values) -> list[Line]:
    """What still looks like text, written along or across. values: [h, w] or [h, w, 3]."""
    found: list[Line] = []
    for shown in renderings(values):
        for grey, scale in _planes(shown):
            for strokes in (_strokes(grey), _strokes(255 - grey)):
                found += [_placed(line, scale) for line in _rows(strokes, _ENOUGH)]
                turned = strokes._replace(boxes=strokes.boxes[:, [1, 0, 3, 2]])
                found += [_placed(_turned(line), scale) for line in _rows(turned, _ENOUGH_ACROSS)]
    return found


def _planes(shown: Grey) -> Iterator[tuple[Grey, float]]:
    """One of a grey image, three of a coloured one, as text of any colour differs in one of them; and what of the
    image's pixels one of theirs is."""
    height, width = shown.shape[:2]
    planes = range(1 if (shown[..., :1] == shown).all() else 3)
    for scale in _SCALES:
        factor = max(1.0, max(height, width) / LONGEST) * scale
        size = (max(1, round(width / factor)), max(1, round(height / factor)))
        scaled = np.asarray(Image.fromarray(shown).resize(size, Image.Resampling.BOX)) if factor > 1 else shown
        for plane in planes:
            yield np.ascontiguousarray(scaled[..., plane]), factor


def _strokes(grey: Grey) -> Components:
    """Components of the size of letters or of words whose pixels are about equally bright."""
    above = grey - _extreme(_extreme(grey, np.minimum), np.maximum)
    mask = above > _CONTRAST + _NOISE * int(np.median(above))
    contrast = above.astype(np.float32)
    found, squares = components(mask, contrast), components(mask, contrast**2)
    height, width = (found.boxes[:, 2:] - found.boxes[:, :2]).T
    mean = found.weights / found.areas
    even = np.sqrt(np.maximum(squares.weights / found.areas - mean**2, 0)) <= _EVEN * mean
    small, large = np.minimum(height, width), np.maximum(height, width)
    filled = found.areas / (height * width)
    size = (large >= _SHORTEST) & (small <= _TALLEST) & (found.areas >= 6)
    return found.where(even & size & (filled > 0.15) & (filled < 0.95))


def _extreme(grey: Grey, fold: np.ufunc) -> Grey:
    """Running minimum or maximum of a square window, by doubling."""
    half = _WINDOW // 2
    for axis in (0, 1):
        wide = np.pad(grey, [(half, half) if each == axis else (0, 0) for each in (0, 1)], mode="edge")
        reach = 1
        while reach < _WINDOW:
            step = min(reach, _WINDOW - reach)
            cut = wide.shape[axis] - step
            first, second = ((slice(None),) * axis + (slice(start, start + cut),) for start in (0, step))
            wide = fold(wide[first], wide[second])
            reach += step
        grey = wide
    return grey


def _rows(strokes: Components, enough: Rules) -> list[Line]:
    """Letters that follow each other from left to right, on one line and of one height."""
    order = np.argsort(strokes.boxes[:, 1], kind="stable")
    boxes, contrast = strokes.boxes[order], (strokes.weights / strokes.areas)[order]
    height, width = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    upright = (height >= _SHORTEST) & (height <= _TALLEST) & (width <= 12 * height)
    boxes, height, width, contrast = boxes[upright], height[upright], width[upright], contrast[upright]
    chain = np.where(width > _WIDE * height, np.round(width / height), 1).astype(np.int64)
    total = chain * contrast
    begins, goes_on = np.arange(len(boxes)), np.zeros(len(boxes), bool)
    for at in range(1, len(boxes)):
        before = _before(boxes, height, at)
        if len(before):
            best = before[np.argmax(chain[before])]
            chain[at], total[at], begins[at] = chain[best] + chain[at], total[best] + total[at], begins[best]
            goes_on[best] = True
    return [
        Line(
            int(chain[at]),
            float(total[at] / chain[at]),
            (int(boxes[at, 0]), int(boxes[begins[at], 1]), int(boxes[at, 2]), int(boxes[at, 3])),
        )
        for at in np.nonzero(~goes_on & (begins != np.arange(len(boxes))) & _enough(chain, total / chain, enough))[0]
    ]


def _enough(letters: NDArray[np.int64], contrast: NDArray[np.float64], enough: Rules) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = np.logical_or.reduce([(letters >= many) & (contrast >= clear) for many, clear in enough])
    return found


def _before(boxes: NDArray[np.int64], height: NDArray[np.int64], at: int) -> NDArray[np.int64]:
    """Letters that the letter `at` may follow: same height, same foot or head, no further away than a space."""
    begin = max(0, at - 60)
    others, tall = boxes[begin:at], height[begin:at]
    gap = boxes[at, 1] - others[:, 3]
    near = (gap >= -0.3 * height[at]) & (gap <= 0.9 * height[at])
    size = (tall <= 1.6 * height[at]) & (height[at] <= 1.6 * tall)
    slack = np.maximum(1, 0.12 * height[at])
    level = (np.abs(others[:, 2] - boxes[at, 2]) <= slack) | (np.abs(others[:, 0] - boxes[at, 0]) <= slack)
    return np.nonzero(near & size & level)[0] + begin


def _turned(line: Line) -> Line:
    top, left, bottom, right = line.box
    return line._replace(box=(left, top, right, bottom))


def _placed(line: Line, scale: float) -> Line:
    top, left, bottom, right = (round(each * scale) for each in line.box)
    return line._replace(box=(top, left, bottom, right))
