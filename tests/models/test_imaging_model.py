"""The shipped reader: golden replay, torch's answers, its size, what it must tell apart, figures, a leak probe."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from cuatro.adapters.radiograph import OnnxReader
from functions.imaging.features import SIDE, VERSION, prepared
from models.imaging import outliers
from models.imaging.data import Example, digest, held_out, read
from models.imaging.figures import figures
from models.imaging.golden import golden_images

HOME = Path(__file__).resolve().parents[2] / "models" / "imaging"
MODEL = HOME / "model.onnx"
METRICS = json.loads((HOME / "metrics.json").read_text())
GOLDEN = json.loads((HOME / "golden.json").read_text())
DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "imaging" / "chest_xray_train.zip"
NO_DATA = "the public training set is not bundled"
TOLERANCE = 0.01
"""Of a probability: processors differ in the last bits."""


@pytest.fixture(scope="module")
def model() -> OnnxReader:
    return OnnxReader(MODEL, VERSION)


@pytest.fixture(scope="module")
def golden() -> np.ndarray:
    return np.concatenate([prepared(image) for image in golden_images()])


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    return read(DATA)[0]


def test_golden_images_get_their_readings(model: OnnxReader, golden: np.ndarray) -> None:
    found = model.read(golden)
    assert len(GOLDEN) == len(golden) >= 12
    for row, said in zip(GOLDEN, found, strict=True):
        assert said.probability == pytest.approx(row["probability"], abs=TOLERANCE)
        assert said.distance == pytest.approx(row["distance"], rel=0.01)
        np.testing.assert_allclose(said.cam.ravel()[::8], row["cam"], atol=0.2)
    assert np.std([row["probability"] for row in GOLDEN]) > 0.001
    assert len({row["distance"] for row in GOLDEN}) == len(GOLDEN)


def test_the_file_says_what_the_trained_network_says() -> None:
    own, said = (np.array([row[name] for row in GOLDEN]) for name in ("torch", "probability"))
    assert np.abs(own - said).max() < 0.1
    difference = METRICS["file"]["16_bits_against_torch"]
    assert difference["largest"] < 0.02
    assert difference["mean"] < 0.005
    assert METRICS["file"]["8_bits_against_torch"]["largest"] > difference["largest"]


def test_a_mirror_image_is_read_the_same(model: OnnxReader, golden: np.ndarray) -> None:
    for one, other in zip(model.read(golden[:4]), model.read(golden[:4, :, :, ::-1].copy()), strict=True):
        assert one.probability == pytest.approx(other.probability, abs=1e-4)
        assert one.distance == pytest.approx(other.distance, rel=1e-3)
        np.testing.assert_allclose(one.cam, other.cam[:, ::-1], atol=1e-2)


def test_the_map_adds_up_to_the_answer(model: OnnxReader, golden: np.ndarray) -> None:
    """Class activation mapping: the mean of the map is the logit but for the bias, which is the same for all images."""
    found = model.read(golden)
    logits = np.array([np.log(each.probability / (1 - each.probability)) for each in found])
    biases = logits - [each.cam.mean() for each in found]
    np.testing.assert_allclose(biases, biases[0], atol=0.02)


def test_how_bright_a_film_is_tells_nothing(model: OnnxReader) -> None:
    image = golden_images()[3]
    darker = np.rint(image * 0.6 + 30).astype(np.uint8)
    (one,), (other,) = model.read(prepared(image)), model.read(prepared(darker))
    assert one.probability == pytest.approx(other.probability, abs=0.05)


@pytest.mark.parametrize("kind", ["noise", "text_page", "gradient", "pattern", "mammogram"])
def test_drawn_images_of_other_kinds_are_told_apart(model: OnnxReader, kind: str) -> None:
    images = outliers.drawn(np.random.default_rng(17), 6)[kind]
    limit = model.facts.distance_limit
    assert np.mean([model.read(prepared(image))[0].distance > limit for image in images]) >= 0.99


def test_other_modalities_and_photographs_are_told_apart(model: OnnxReader) -> None:
    limit = model.facts.distance_limit
    images = [(kind, image) for kind, _, image in outliers.packaged()]
    images += [("photograph", image) for image in outliers.photographs(np.random.default_rng(17), 6)]
    assert {kind for kind, _ in images} == {*outliers.PACKAGED, "photograph"}
    near = [kind for kind, image in images if model.read(prepared(image))[0].distance <= limit]
    assert near == []


def test_blank_and_extreme_images_get_numbers(model: OnnxReader) -> None:
    for value in (0, 255):
        (said,) = model.read(np.full((1, 1, SIDE, SIDE), value, np.uint8))
        assert said.distance > model.facts.distance_limit
        assert 0 <= said.probability <= 1


def test_it_is_small_and_describes_itself(model: OnnxReader) -> None:
    assert MODEL.stat().st_size < 25_000_000
    facts = model.facts
    assert facts.version == METRICS["version"]
    assert 0 < facts.unsure[0] < facts.threshold < facts.unsure[1] < 1
    told = {each.key: each.value for each in onnx.load(MODEL).metadata_props}
    assert told["data_hash"] == METRICS["data_hash"]
    assert "research use only" in told["intended_use"]
    assert model.metrics["auc"] == METRICS["held_out"]["auc"]


@pytest.mark.skipif(not DATA.exists(), reason=NO_DATA)
def test_figures_on_held_out_patients_are_those_that_are_reported(model: OnnxReader, examples: list[Example]) -> None:
    assert digest(examples) == METRICS["data_hash"]
    held = [each for each, out in zip(examples, held_out([one.patient for one in examples]), strict=True) if out]
    some = held[::8]
    labels = np.array([each.label for each in some])
    found = [model.read(prepared(each.image))[0] for each in some]
    told = figures(labels, np.array([each.probability for each in found]), model.facts.threshold)
    assert told["auc"] == pytest.approx(METRICS["held_out"]["auc"], abs=0.02)
    assert told["sensitivity"] == pytest.approx(METRICS["held_out"]["sensitivity"], abs=0.06)
    assert told["specificity"] == pytest.approx(METRICS["held_out"]["specificity"], abs=0.1)
    far = np.mean([each.distance > model.facts.distance_limit for each in found])
    assert far < 0.04


@pytest.mark.skipif(not DATA.exists(), reason=NO_DATA)
def test_shuffled_labels_cannot_be_told(examples: list[Example]) -> None:
    """Were a label hidden in how the files were made (size, border, compression), a plain look at them would find it in
    any labels; it finds it in the true ones only."""
    some = examples[::24]
    rng = np.random.default_rng(5)
    looks = np.stack([prepared(each.image)[0, 0, ::32, ::32].ravel() / 255 for each in some])
    labels = np.array([each.label for each in some])
    order = rng.permutation(len(labels))
    taught, asked = order[: len(order) // 2], order[len(order) // 2 :]

    def auc(given: np.ndarray) -> float:
        fitted = LogisticRegression(C=0.01, max_iter=300).fit(looks[taught], given[taught])
        return float(roc_auc_score(given[asked], fitted.decision_function(looks[asked])))

    assert auc(labels) > 0.8
    assert np.mean([auc(rng.permutation(labels)) for _ in range(5)]) < 0.62
