"""A seed and a finding -> a synthetic chest film for demonstrations, out of a statistical model: nobody's image.

films.npz holds the mean and the first principal components of 1,200 training images at 80 x 80 pixels, and how the
components of normal and abnormal ones are distributed; a film is a random draw from that, sharpened, with noise. Which
draws are used (`draws`) was searched for with the shipped reader: those that it can read and is sure of. So these films
show that the pipeline works, never how well the model reads.
"""

from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Finding = Literal["normal", "pneumonia"]
FINDINGS: tuple[Finding, ...] = ("normal", "pneumonia")
SIDE, DETAIL = 224, 80
BEYOND = (0.9, 0.0)
"""How far a film's mean lies beyond that of its class, away from the other one."""
EDGES, NOISE, SPREAD = (2, 300), 8.0, 1.4
"""Radius and percent of the sharpening, deviation of the noise, how much more than training images films differ."""


def film(seed: int, finding: Finding) -> NDArray[np.uint8]:
    """uint8 [SIDE, SIDE], bright is dense (MONOCHROME2); the same for the same seed."""
    place = FINDINGS.index(finding)
    draws = _model()[f"draws_{finding}"]
    return drawn(int(draws[seed % len(draws)]), place)


def drawn(draw: int, place: int) -> NDArray[np.uint8]:
    """One draw of a class (0 normal, 1 abnormal), uint8 [SIDE, SIDE]."""
    model, rng = _model(), np.random.default_rng(draw)
    own, other = model["centre"][place].astype(float), model["centre"][1 - place].astype(float)
    spread = model["factor"][place].astype(float) @ rng.normal(size=len(own))
    coefficients = own + BEYOND[place] * (own - other) + SPREAD * spread
    components = model["levels"].astype(float) * model["scale"][:, None]
    values = (model["mean"].astype(float) + coefficients @ components).reshape(DETAIL, DETAIL)
    soft = Image.fromarray(np.clip(values, 0, 255).astype(np.uint8)).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    sharp = np.asarray(soft.filter(ImageFilter.UnsharpMask(*EDGES, 0)), float)
    return np.asarray(np.clip(sharp + rng.normal(0, NOISE, sharp.shape), 0, 255), np.uint8)


@cache
def _model() -> dict[str, NDArray[np.generic]]:
    with np.load(Path(__file__).with_name("films.npz")) as found:
        return {name: found[name] for name in found.files}
