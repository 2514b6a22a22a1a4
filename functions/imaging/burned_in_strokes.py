"""Stored values of an image -> is there still something drawn in lines of small, even, sharp strokes, as text is?

The second look at a masked image, by another method than the first: no network, no training. Thin structures that are
brighter or darker than what is at both sides of them (top-hat transform, Meyer 1979) and of one brightness are strokes;
as many of them as a word has, of one height on one line, side by side, are text. Anatomy has thin bright structures
too, but not of even brightness in a row.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from functions.imaging.burned_in import Grey, renderings
from functions.imaging.burned_in_components import Components, components
from functions.imaging.pixels import Values

LONGEST: Final = 2048
"""Side in pixels above which the image is made smaller: strokes are looked for at the size that devices draw them."""
_WINDOW = 13
"""Strokes are thinner than this, in pixels."""
_CONTRAST = 48
"""Of 255: what a stroke differs from its surroundings by, at least."""
_HEIGHTS = (6, 80)
_LETTERS = 4
"""In a row: fewer are a marker of a side, not a name."""


class Line(NamedTuple):
    """Letters in a row. letters: how many. box: top, left, bottom, right in pixels of the image that was looked at."""

    letters: int
    box: tuple[int, int, int, int]


def lines(values: Values) -> list[Line]:
    """What still looks like text, written along or across. values: [h, w] or [h, w, 3]."""
    found: list[Line] = []
    for shown in renderings(values):
        for grey in _planes(shown):
            for strokes in (_strokes(grey), _strokes(255 - grey)):
                found += _rows(strokes)
                found += [_turned(line) for line in _rows(strokes._replace(boxes=strokes.boxes[:, [1, 0, 3, 2]]))]
    return found


def _planes(shown: Grey) -> list[Grey]:
    """One of a grey image, three of a coloured one: text of any colour differs in one of them."""
    height, width = shown.shape[:2]
    scale = min(1.0, LONGEST / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    scaled = np.asarray(Image.fromarray(shown).resize(size, Image.Resampling.BOX)) if scale < 1 else shown
    plain = bool((scaled[..., :1] == scaled).all())
    return [np.ascontiguousarray(scaled[..., plane]) for plane in range(1 if plain else 3)]


def _strokes(grey: Grey) -> Components:
    """Components of the size of letters whose pixels are about equally bright."""
    opened = _extreme(_extreme(grey, np.minimum), np.maximum)
    above = grey.astype(np.int16) - opened
    found = components(above > _CONTRAST, grey.astype(np.float32))
    squares = components(above > _CONTRAST, grey.astype(np.float32) ** 2)
    height, width = (found.boxes[:, 2:] - found.boxes[:, :2]).T
    spread = np.sqrt(np.maximum(squares.weights / found.areas - (found.weights / found.areas) ** 2, 0))
    filled = found.areas / (height * width)
    tall = np.maximum(height, width)
    chosen = (tall >= _HEIGHTS[0]) & (tall <= _HEIGHTS[1]) & (found.areas >= 6)
    return found.where(chosen & (filled > 0.12) & (filled < 0.95) & (spread < 40))


def _extreme(grey: Grey, fold: np.ufunc) -> Grey:
    """Running minimum or maximum of a square window, by doubling."""
    half = _WINDOW // 2
    for axis in (0, 1):
        wide = np.pad(grey, [(half, half) if each == axis else (0, 0) for each in (0, 1)], mode="edge")
        length, reach = wide.shape[axis], 1
        while reach < _WINDOW:
            step = min(reach, _WINDOW - reach)
            cut = length - reach - step + 1
            wide = fold(wide.take(range(cut), axis), wide.take(range(step, step + cut), axis))
            reach += step
        grey = wide
    return grey


def _rows(strokes: Components) -> list[Line]:
    """Letters that follow each other from left to right, on one line and of one height."""
    boxes = strokes.boxes[np.argsort(strokes.boxes[:, 1], kind="stable")]
    heights, widths = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    upright = (heights >= _HEIGHTS[0]) & (widths <= 1.6 * heights)
    boxes, heights = boxes[upright], heights[upright]
    chain = np.ones(len(boxes), np.int64)
    begins = np.arange(len(boxes))
    for at in range(1, len(boxes)):
        before = _before(boxes, heights, at)
        if len(before):
            best = before[np.argmax(chain[before])]
            chain[at], begins[at] = chain[best] + 1, begins[best]
    return [
        Line(int(chain[at]), (int(boxes[at, 0]), int(boxes[begins[at], 1]), int(boxes[at, 2]), int(boxes[at, 3])))
        for at in np.nonzero(chain >= _LETTERS)[0]
    ]


def _before(boxes: NDArray[np.int64], heights: NDArray[np.int64], at: int) -> NDArray[np.int64]:
    """Letters that the letter `at` may follow: same height, same foot, no further away than a space."""
    begin = max(0, at - 60)
    others, tall = boxes[begin:at], heights[begin:at]
    gap = boxes[at, 1] - others[:, 3]
    near = (gap >= -0.3 * heights[at]) & (gap <= 0.9 * heights[at])
    size = (tall <= 1.5 * heights[at]) & (heights[at] <= 1.5 * tall)
    foot = np.abs(others[:, 2] - boxes[at, 2]) <= np.maximum(1, 0.12 * heights[at])
    return np.nonzero(near & size & foot)[0] + begin


def _turned(line: Line) -> Line:
    top, left, bottom, right = line.box
    return Line(line.letters, (left, top, right, bottom))
