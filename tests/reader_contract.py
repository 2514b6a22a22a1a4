"""What every reader of radiographs keeps, whoever runs the model: assertions, for one that reads like the tiny one."""

import numpy as np
import pytest

from cuatro.radiographs import Reader
from functions.imaging.features import SIDE, prepared


def film(bright: float, seed: int = 1) -> np.ndarray:
    """A mottled image, `bright` of whose pixels are bright."""
    rng = np.random.default_rng(seed)
    return np.where(rng.random((300, 260)) < bright, 200, 40).astype(np.uint8)


def keeps_the_contract(reader: Reader) -> None:
    """Raises AssertionError."""
    facts = reader.facts
    assert facts.version
    assert 0 < facts.unsure[0] <= facts.threshold <= facts.unsure[1] < 1
    assert facts.distance_limit > 0
    assert reader.read(np.zeros((0, 1, SIDE, SIDE), np.uint8)) == []
    several = np.concatenate([prepared(film(share, at)) for at, share in enumerate((0.1, 0.9, 0.5))] * 7)
    found = reader.read(several)
    assert len(found) == len(several) == 21
    assert reader.facts == facts
    for each in found:
        assert 0 <= each.probability <= 1
        assert each.distance >= 0
        assert each.cam.shape == (7, 7)
        assert each.cam.dtype == np.float32
    for at, image in enumerate(several[:3]):
        (alone,) = reader.read(image[None])
        again = found[at + 18]
        for other in (found[at], again):
            assert other.probability == pytest.approx(alone.probability, abs=1e-6), "whatever else is in the batch"
            assert other.distance == pytest.approx(alone.distance, abs=1e-4)
            np.testing.assert_allclose(other.cam, alone.cam, atol=1e-4)
    few, many = found[0].probability, found[1].probability
    assert few < 0.3
    assert many > 0.7
