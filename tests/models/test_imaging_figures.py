"""What evaluate reports is what scikit-learn computes; calibration, threshold and distance find what is there."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, roc_auc_score

from models.imaging import outliers
from models.imaging.calibrate import MARGIN, SENSITIVITY, calibrated, operating, sigmoid
from models.imaging.distance import distances, fitted
from models.imaging.figures import calibration_error, figures, intervals


def drawn(n: int = 4000, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Labels that hold the probabilities."""
    rng = np.random.default_rng(seed)
    p = sigmoid(rng.normal(0, 2.5, n))
    return (rng.random(n) < p).astype(np.int64), p


def test_figures_are_those_of_scikit_learn() -> None:
    labels, p = drawn()
    found = figures(labels, p, 0.4)
    (tn, fp), (fn, tp) = confusion_matrix(labels, p >= 0.4)
    assert found["auc"] == pytest.approx(roc_auc_score(labels, p))
    assert found["sensitivity"] == pytest.approx(tp / (tp + fn))
    assert found["specificity"] == pytest.approx(tn / (tn + fp))
    assert found["accuracy"] == pytest.approx((tp + tn) / len(labels))
    assert list(found["confusion"].values()) == [tp, fn, tn, fp]
    best = max((p[labels == 0] < limit).mean() for limit in p if (p[labels == 1] >= limit).mean() >= 0.95)
    assert found["specificity_at_95"] == pytest.approx(best)


def test_a_missing_class_has_no_figures() -> None:
    found = figures(np.ones(4, np.int64), np.array([0.9, 0.8, 0.1, 0.7]), 0.5)
    assert (found["sensitivity"], found["specificity"], found["auc"]) == (0.75, None, None)
    assert intervals(np.ones(4, np.int64), np.full(4, 0.9), 0.5) == {}


def test_the_calibration_error_is_the_gap_between_told_and_true() -> None:
    labels, p = drawn(20_000)
    assert calibration_error(labels, p) < 0.02
    assert calibration_error(labels, np.full(len(labels), 1.0)) == pytest.approx(1 - labels.mean())
    assert calibration_error(np.array([1, 0]), np.array([1.0, 0.0])) == 0
    assert calibration_error(labels, sigmoid(3 * np.log(p / (1 - p)))) > 0.05


def test_intervals_hold_the_figures() -> None:
    labels, p = drawn(600)
    found, told = intervals(labels, p, 0.5), figures(labels, p, 0.5)
    for name, (low, high) in found.items():
        assert low < told[name] < high
        assert high - low < 0.15
    assert intervals(labels, p, 0.5) == found


def test_calibration_finds_scale_and_shift() -> None:
    labels, p = drawn(20_000)
    logits = ((np.log(p / (1 - p)) - 0.7) / 2).astype(np.float32)
    scale, shift = calibrated(logits, labels, prevalence=float(labels.mean()))
    assert scale == pytest.approx(2, abs=0.1)
    assert shift == pytest.approx(0.7, abs=0.1)
    assert calibrated(logits, labels, prevalence=0.9)[1] > shift + 1


def test_the_threshold_keeps_its_sensitivity_and_lies_in_the_unsure_band() -> None:
    labels, p = drawn(20_000)
    point = operating(p, labels)
    assert (p[labels == 1] >= point.threshold).mean() == pytest.approx(SENSITIVITY, abs=0.002)
    assert 0 < point.low < point.threshold < point.high < 1
    logit = np.log(point.threshold / (1 - point.threshold))
    assert sigmoid(np.array(logit - MARGIN)) >= point.low - 1e-3
    assert (p[labels == 1] < point.low).mean() <= 0.011
    assert (p[labels == 0] >= point.high).mean() <= 0.011


def test_the_distance_is_about_one_for_the_known_and_large_for_the_strange() -> None:
    rng = np.random.default_rng(2)
    mixing = rng.normal(size=(40, 40)) * rng.uniform(0.01, 3, 40)
    known = (rng.normal(size=(3000, 40)) @ mixing + 5).astype(np.float32)
    centre, whitening = fitted(known[:2000])
    inside = distances(known[2000:], centre, whitening)
    assert inside.mean() == pytest.approx(1, abs=0.1)
    thin = np.linalg.svd(mixing)[2][-1]  # a direction in which the known hardly vary
    strange = known[2000:2050] + (4 * thin).astype(np.float32)
    assert distances(strange, centre, whitening).min() > np.quantile(inside, 0.99)
    assert distances(known[:50] * 4, centre, whitening).mean() > 2


def test_a_dead_activation_does_not_divide_by_zero() -> None:
    known = np.random.default_rng(3).normal(size=(500, 8)).astype(np.float32)
    known[:, 3] = 0
    centre, whitening = fitted(known)
    assert np.isfinite(whitening).all()
    assert distances(known, centre, whitening).mean() == pytest.approx(1, abs=0.15)


def test_images_of_other_kinds_are_drawn_by_their_seed() -> None:
    one, same = (outliers.drawn(np.random.default_rng(5), 2) for _ in range(2))
    assert {kind: len(images) for kind, images in one.items()} == dict.fromkeys(
        ("noise", "text_page", "gradient", "pattern", "mammogram"), 2
    )
    for kind, images in one.items():
        for image, again in zip(images, same[kind], strict=True):
            assert (image.dtype, min(image.shape)) == (np.dtype(np.uint8), outliers.SIDE)
            assert (image == again).all()
    found = list(outliers.packaged())
    assert {kind for kind, _, _ in found} == set(outliers.PACKAGED)
    assert all(image.dtype == np.uint8 and image.std() > 5 for _, _, image in found)
    films = outliers.spoiled(np.arange(2 * 64 * 64).reshape(2, 64, 64).astype(np.uint8))
    assert {kind: len(images) for kind, images in films.items()} == {"inverted": 2, "lying": 2, "upside_down": 2}
