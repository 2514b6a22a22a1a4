"""A last layer is changed by labels as far as posts without one allow."""

from typing import Any

import numpy as np

from models.sentiment import rehearsal
from models.sentiment.refit import Errors, Known, fitted, learned, loss
from tests.models.sentiment_posts import TOKENIZER


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
    assert kept.held_out[kept.ridge].wrong < kept.unchanged.wrong


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


def test_of_ridges_that_are_as_good_the_strongest_is_taken() -> None:
    rng = np.random.default_rng(2)
    embedding = np.tanh(rng.normal(size=(400, 8)))
    known = Known.of(embedding, np.full((400, 3), 1 / 3))
    labels = (embedding[:, 0] > 0).astype(np.int64) * 2
    found = learned(known, labels, known.part(np.zeros(400, np.bool_)), 7)
    shares = {ridge: each.share for ridge, each in found.held_out.items()}
    best = min(found.held_out.values(), key=lambda each: each.share)
    as_good = [ridge for ridge, share in shares.items() if share <= best.share + best.deviation]
    assert found.ridge == max(as_good) > min(shares)
    assert Errors(0, 98, 0, 0).deviation > 0
    assert Errors(0, 0, 0, 0).share == 0


def test_texts_to_rehearse_are_of_many_languages_and_always_the_same() -> None:
    content = TOKENIZER.read_bytes()
    found = rehearsal.texts(content, 7)
    assert len(set(found)) == rehearsal.TEXTS
    assert found == rehearsal.texts(content, 7) != rehearsal.texts(content, 8)
    words = {word for text in found for word in text.split()}
    assert len(words) > 3000
    assert all(len(text.split()) == rehearsal.WORDS for text in found)
