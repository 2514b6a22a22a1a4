"""Embeddings, a model's own probabilities, people's labels -> by how much its last layer should change.

Multinomial logistic regression on top of what the model says already, held to it in two ways, so that some hundred
corrections cannot undo what thousands of posts taught: the change of the layer is small (ridge), and on posts that
nobody labelled the model goes on saying what it said (Li and Hoiem 2016, "Learning without Forgetting"). Corrections
are no fair sample, people correct what is wrong: the second is what keeps the rest right. How small is chosen by
cross-validation.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from scipy.optimize import minimize
from scipy.special import log_softmax
from threadpoolctl import threadpool_limits

RIDGES = (10.0, 3.0, 1.0, 0.3, 0.1, 0.03, 0.01, 0.003)
"""Strengths that are tried, from the strongest on."""
HOLD = 3.0
"""What the posts without a label count in all, where those with one count 1."""
FOLDS = 5
ROUGH, EXACT = {"maxiter": 100, "ftol": 1e-7}, {"maxiter": 500, "ftol": 1e-10}
"""Of the solver: to compare ridges by, and for the layer that is kept."""
SMALLEST = 1e-6
"""Probabilities below this count as this."""

Array = NDArray[np.float64]


class Change(NamedTuple):
    """Of the logits: embedding @ weight.T + bias is added to them. weight: [3, d]; bias: [3]."""

    weight: Array
    bias: Array

    def of(self, embedding: Array) -> Array:
        """[n, 3]."""
        added: Array = embedding @ self.weight.T + self.bias
        return added


class Known(NamedTuple):
    """What the model makes of n posts. embedding: [n, d]; log_p: its own log probabilities, [n, 3]."""

    embedding: Array
    log_p: Array

    @classmethod
    def of(cls, embedding: NDArray[np.floating], probabilities: NDArray[np.floating]) -> "Known":
        """From the model's outputs."""
        p = np.clip(np.asarray(probabilities, np.float64), SMALLEST, 1.0)
        return cls(np.asarray(embedding, np.float64), np.log(p / p.sum(axis=1, keepdims=True)))

    def part(self, rows: NDArray[np.bool_]) -> "Known":
        """Some of them."""
        return Known(self.embedding[rows], self.log_p[rows])

    def changed(self, change: Change) -> Array:
        """Log probabilities with the change, [n, 3]."""
        found: Array = log_softmax(self.log_p + change.of(self.embedding), axis=1)
        return found


class Errors(NamedTuple):
    """wrong: of so many labels; moved: of so many other posts, into another class."""

    wrong: int
    labels: int
    moved: int
    others: int

    @property
    def share(self) -> float:
        """Of both, added."""
        return self.wrong / max(self.labels, 1) + self.moved / max(self.others, 1)

    @property
    def deviation(self) -> float:
        """Standard error of the share. By Laplace's rule of succession it is not 0 where nothing was wrong."""
        counts = (self.wrong, self.labels), (self.moved, self.others)
        shares = [((count + 1) / (of + 2), of) for count, of in counts if of]
        return float(np.sqrt(sum(p * (1 - p) / of for p, of in shares)))


class Learned(NamedTuple):
    """ridge: chosen; held_out: ridge -> errors on posts that were not learned from; unchanged: the model's own."""

    change: Change
    ridge: float
    held_out: dict[float, Errors]
    unchanged: Errors


def learned(labelled: Known, labels: NDArray[np.int64], others: Known, seed: int) -> Learned:
    """labels: 0..2 of each labelled post; others: posts without one, may be none.

    The strongest ridge is taken whose held-out errors are at most one standard error above the least (Breiman et al.
    1984): a weaker one only makes the model surer of what it gets right anyway.
    """
    # Products as small as these only wait for each other in several threads.
    with threadpool_limits(1):
        return _learned(labelled, labels, others, seed)


def _learned(labelled: Known, labels: NDArray[np.int64], others: Known, seed: int) -> Learned:
    rng = np.random.default_rng(seed)
    folds = [rng.permutation(len(known.log_p)) % FOLDS for known in (labelled, others)]
    held_out: dict[float, Errors] = {}
    starts = [_nothing(labelled)] * FOLDS
    for ridge in RIDGES:
        wrong = moved = 0
        for fold in range(FOLDS):
            mine, theirs = (each == fold for each in folds)
            learning = labelled.part(~mine), labels[~mine], others.part(~theirs)
            starts[fold] = fitted(*learning, ridge, starts[fold], ROUGH)
            found = errors(labelled.part(mine), labels[mine], others.part(theirs), starts[fold])
            wrong, moved = wrong + found.wrong, moved + found.moved
        held_out[ridge] = Errors(wrong, len(labels), moved, len(others.log_p))
    best = min(held_out.values(), key=lambda each: each.share)
    ridge = next(ridge for ridge in RIDGES if held_out[ridge].share <= best.share + best.deviation)
    change = fitted(labelled, labels, others, ridge, starts[0], EXACT)
    return Learned(change, ridge, held_out, errors(labelled, labels, others, _nothing(labelled)))


def errors(labelled: Known, labels: NDArray[np.int64], others: Known, change: Change) -> Errors:
    """Labels that the model does not give with the change, and posts without one that it puts into another class."""
    wrong = labelled.changed(change).argmax(axis=1) != labels
    moved = others.changed(change).argmax(axis=1) != others.log_p.argmax(axis=1)
    return Errors(int(wrong.sum()), len(wrong), int(moved.sum()), len(moved))


def loss(labelled: Known, labels: NDArray[np.int64], others: Known, change: Change) -> float:
    """Mean log loss of the labels, plus HOLD times the mean divergence from what the model said of the others."""
    total = 0.0
    if len(labels):
        total -= float(labelled.changed(change)[np.arange(len(labels)), labels].mean())
    if len(others.log_p):
        said = np.exp(others.log_p)
        total += HOLD * float((said * (others.log_p - others.changed(change))).sum(axis=1).mean())
    return total


def fitted(  # noqa: PLR0913, PLR0917 - what a fit depends on
    labelled: Known,
    labels: NDArray[np.int64],
    others: Known,
    ridge: float,
    start: Change,
    options: Mapping[str, float],
) -> Change:
    """The change with the least `loss` plus ridge / 2 times its squared size. It is convex: start only saves time."""
    wanted = np.zeros_like(labelled.log_p)
    wanted[np.arange(len(labels)), labels] = 1.0
    # Soft targets: the label itself, or what the model said. Each side's weights sum to what it counts.
    said = np.concatenate([labelled.log_p, others.log_p])
    target = np.concatenate([wanted, np.exp(others.log_p)])
    sides = (labelled, 1.0), (others, HOLD)
    weight = np.concatenate([np.full(len(side.log_p), counts / max(len(side.log_p), 1)) for side, counts in sides])
    rows = np.concatenate([labelled.embedding, others.embedding])
    rows = np.hstack([rows, np.ones((len(rows), 1))])
    strength = np.append(np.full(rows.shape[1] - 1, ridge), 0.0)
    # Solved for `values @ root`, in which the problem is about as steep in all directions: a dozen steps do.
    root = np.linalg.cholesky((rows.T * weight) @ rows / 4 + np.diag(strength + SMALLEST))
    upright = solve_triangular(root, rows.T, lower=True).T

    def objective(turned: Array) -> tuple[float, Array]:
        steps = turned.reshape(-1, rows.shape[1])
        log_p = log_softmax(said + upright @ steps.T, axis=1)
        values = solve_triangular(root, steps.T, lower=True, trans="T").T
        slope = weight[:, None] * (np.exp(log_p) - target)
        value = -float((weight[:, None] * target * log_p).sum()) + float((strength * values**2).sum()) / 2
        by_ridge = solve_triangular(root, (strength * values).T, lower=True).T
        return value, (slope.T @ upright + by_ridge).ravel()

    begun = np.hstack([start.weight, start.bias[:, None]]) @ root
    found = minimize(objective, begun.ravel(), jac=True, method="L-BFGS-B", options=dict(options)).x
    values = solve_triangular(root, found.reshape(begun.shape).T, lower=True, trans="T").T
    return Change(values[:, :-1], values[:, -1])


def _nothing(known: Known) -> Change:
    classes = known.log_p.shape[1]
    return Change(np.zeros((classes, known.embedding.shape[1])), np.zeros(classes))
