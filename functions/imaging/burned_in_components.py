"""A black and white picture -> its connected components as boxes, with numpy alone.

Runs of a row, joined with the runs that they touch in the next one (8 neighbours), as in two-pass labelling (Rosenfeld
and Pfaltz 1966), with the equivalences resolved for all runs at once.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


class Components(NamedTuple):
    """One row each. boxes: [n, 4] top, left, bottom, right (exclusive). areas: pixels. weights: sums over them."""

    boxes: NDArray[np.int64]
    areas: NDArray[np.int64]
    weights: NDArray[np.float64]

    def where(self, chosen: Mask) -> "Components":
        """Those that are chosen."""
        return Components(self.boxes[chosen], self.areas[chosen], self.weights[chosen])


def components(mask: Mask, weight: NDArray[np.float32] | None = None) -> Components:
    """mask: [h, w]. weight: [h, w], whose sum over each component is wanted; without it the area."""
    rows, starts, ends = _runs(mask)
    label = _joined(rows, starts, ends, mask.shape[1])
    roots, label = np.unique(label, return_inverse=True)
    boxes = np.empty((len(roots), 4), np.int64)
    for column, values, fold in ((0, rows, np.minimum), (1, starts, np.minimum), (2, rows + 1, np.maximum),
                                 (3, ends, np.maximum)):  # fmt: skip
        boxes[:, column] = np.iinfo(np.int64).max if fold is np.minimum else -1
        fold.at(boxes[:, column], label, values)
    areas = np.bincount(label, ends - starts, len(roots)).astype(np.int64)
    if weight is None:
        return Components(boxes, areas, areas.astype(np.float64))
    sums = np.pad(np.cumsum(weight, axis=1, dtype=np.float64), ((0, 0), (1, 0)))
    weights = np.bincount(label, sums[rows, ends] - sums[rows, starts], len(roots)).astype(np.float64)
    return Components(boxes, areas, weights)


def _runs(mask: Mask) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Row, first column and the column after the last one of each run, row by row."""
    steps = np.diff(np.pad(mask, ((0, 0), (1, 1))).view(np.int8), axis=1)
    rows, starts = np.nonzero(steps == 1)
    return rows, starts, np.nonzero(steps == -1)[1]


def _joined(
    rows: NDArray[np.int64], starts: NDArray[np.int64], ends: NDArray[np.int64], width: int
) -> NDArray[np.int64]:
    """A label of each run, the same for runs of one component."""
    span = width + 2
    first = np.searchsorted(rows * span + ends, (rows + 1) * span + starts, "left")
    after = np.searchsorted(rows * span + starts, (rows + 1) * span + ends, "right")
    touching = np.maximum(after - first, 0)
    upper = np.repeat(np.arange(len(rows)), touching)
    lower = np.arange(touching.sum()) - np.repeat(np.cumsum(touching) - touching, touching) + np.repeat(first, touching)
    label = np.arange(len(rows))
    while True:
        one, other = label[upper], label[lower]
        if (one == other).all():
            return label
        least = np.minimum(one, other)
        np.minimum.at(label, one, least)
        np.minimum.at(label, other, least)
        while not ((further := label[label]) == label).all():
            label = further
