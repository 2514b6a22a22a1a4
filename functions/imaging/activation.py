"""A class activation map -> a grey heat map over the image.

The map is that of Zhou et al., "Learning Deep Features for Discriminative Localization", CVPR 2016: the model's last
feature maps weighted as its answer weighs them. It tells which regions spoke for a finding, not where its border is.
"""

import numpy as np
from numpy.typing import NDArray

LONGEST = 512
"""Pixels of a heat map's longer side: of a map with some 50 cells, more would only cost."""
FULL = 6.0
"""Evidence (in units of the logit) that is shown as brightest, unless there is more: faint evidence looks faint."""


def heat(cam: NDArray[np.float32], height: int, width: int) -> NDArray[np.uint8]:
    """cam [h, w] in the model's square -> uint8 [rows, columns] in the image's aspect ratio, 0 where nothing speaks.

    height, width: of the image in pixels; the longer side of what comes back has LONGEST at most.
    """
    evidence = np.maximum(cam, 0)
    scale = min(1.0, LONGEST / max(height, width))
    rows, columns = (max(1, round(side * scale)) for side in (height, width))
    spread = _grown(_grown(evidence, rows).T, columns).T
    return np.asarray(np.rint(np.clip(spread / max(FULL, float(evidence.max())), 0, 1) * 255), np.uint8)


def blank(height: int, width: int) -> NDArray[np.uint8]:
    """The heat map of an image that was not read."""
    return heat(np.zeros((1, 1), np.float32), height, width)


def _grown(values: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Linear interpolation along the first axis; the ends stay as they are."""
    places = np.clip((np.arange(size) + 0.5) * len(values) / size - 0.5, 0, len(values) - 1)
    below = np.floor(places).astype(int)
    above = np.minimum(below + 1, len(values) - 1)
    share = (places - below)[:, None].astype(np.float32)
    return np.asarray(values[below] * (1 - share) + values[above] * share, np.float32)
