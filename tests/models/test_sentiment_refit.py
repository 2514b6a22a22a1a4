"""A last layer is changed by labels as far as posts without one allow."""

from typing import Any

import numpy as np

from models.sentiment.refit import Known, fitted, learned, loss


def test_posts_that_nobody_labelled_hold_the_model() -> None:
    """Corrections of one class alone would put everything into it."""
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(3, 16))
    embedding = np.tanh(rng.normal(size=(600, 16)))
    probabilities = np.exp(embedding @ truth.T)
    known = Known.of(embedding, probabilities / probabilities.sum(axis=1, keepdims=True))
    labelled, others = known.part(np.arange(600) < 60), known.part(np.arange(600) >= 60)
    labels = np.full(60, 2)
    kept, none = (
        learned(labelled, labels, others, 7),
        learned(labelled, labels, others.part(np.zeros(540, np.bool_)), 7),
    )
    nobody = labelled.part(np.zeros(60, np.bool_)), labels[:0], others
    moved = [loss(*nobody, each.change) for each in (kept, none)]
    assert moved[0] < moved[1] / 3
    assert loss(labelled, labels, others, kept.change) < kept.unchanged


def test_the_solver_finds_the_least_loss() -> None:
    """Against its own gradient: no small step in any direction is better."""
    rng = np.random.default_rng(1)
    known = Known.of(rng.normal(size=(80, 5)), rng.dirichlet([1, 1, 1], 80))
    labelled, others = known.part(np.arange(80) < 30), known.part(np.arange(80) >= 30)
    labels = rng.integers(0, 3, 30)
    zero = learned(labelled, labels, others, 1).change._replace(weight=np.zeros((3, 5)), bias=np.zeros(3))
    found = fitted(labelled, labels, others, 0.1, zero, {"maxiter": 500, "ftol": 1e-12})

    def total(change: Any) -> float:
        return loss(labelled, labels, others, change) + 0.05 * float((change.weight**2).sum())

    best = total(found)
    for _ in range(200):
        step = found._replace(weight=found.weight + rng.normal(size=(3, 5)) * 0.01)
        assert total(step) > best - 1e-9
    assert best < total(zero)
