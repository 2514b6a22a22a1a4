"""Synthetic films for demonstrations: the same for the same seed, small, and ones that the shipped reader reads."""

from pathlib import Path

import numpy as np
import pytest

from cuatro.adapters.radiograph import OnnxReader
from functions.imaging.features import VERSION, prepared
from models.imaging import films
from models.imaging.films import film

HOME = Path(films.__file__).parent


@pytest.mark.parametrize(("finding", "label"), [("normal", 0), ("pneumonia", 1)])
def test_films_are_read_as_they_are_meant(finding: films.Finding, label: int) -> None:
    model = OnnxReader(HOME / "model.onnx", VERSION)
    for seed in range(5):
        (said,) = model.read(prepared(film(seed, finding)))
        assert said.distance <= model.facts.distance_limit
        assert (said.probability >= model.facts.threshold) == bool(label)
        assert not model.facts.unsure[0] <= said.probability < model.facts.unsure[1]


def test_a_seed_makes_a_film_and_seeds_differ() -> None:
    one = film(1, "normal")
    assert (one.shape, one.dtype) == ((224, 224), np.uint8)
    assert (one == film(1, "normal")).all()
    assert not (one == film(2, "normal")).all()
    assert (HOME / "films.npz").stat().st_size < 400_000
