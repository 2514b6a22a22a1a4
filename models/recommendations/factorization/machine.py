"""Sparse rows with labels -> a factorization machine of degree 2, for binary labels, by Adam on mini-batches.

Score: w0 + <w, x> + 1/2 sum_f ((<v_f, x>)^2 - <v_f^2, x^2>) (Rendle 2010, "Factorization Machines"); the loss is the
cross entropy, as of SageMaker's algorithm with predictor_type binary_classifier.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from models.recommendations.factorization.parameters import Floats, Parameters

FIRST_MOMENT, SECOND_MOMENT, TINY = 0.9, 0.999, 1e-8


@dataclass(frozen=True)
class Setting:
    """Named after SageMaker's hyperparameters: rates, weight decays and the spread of the first factors."""

    num_factors: int = 64
    epochs: int = 7
    mini_batch_size: int = 1000
    bias_lr: float = 0.1
    linear_lr: float = 0.01
    factors_lr: float = 0.01
    bias_wd: float = 0.0
    linear_wd: float = 0.0
    factors_wd: float = 0.0
    factors_init_sigma: float = 0.01
    seed: int = 7


@dataclass
class _Adam:
    """Kingma and Ba 2015, only on the rows that a batch touches."""

    value: Floats
    rate: float
    decay: float
    first: Floats = field(init=False)
    second: Floats = field(init=False)
    steps: NDArray[np.int32] = field(init=False)

    def __post_init__(self) -> None:
        self.first, self.second = np.zeros_like(self.value), np.zeros_like(self.value)
        self.steps = np.zeros(len(self.value), np.int32)

    def step(self, rows: NDArray[np.int64], gradient: Floats) -> None:
        wide = (-1,) + (1,) * (self.value.ndim - 1)
        gradient = gradient + self.decay * self.value[rows]
        self.steps[rows] += 1
        times = self.steps[rows].reshape(wide)
        self.first[rows] = FIRST_MOMENT * self.first[rows] + (1 - FIRST_MOMENT) * gradient
        self.second[rows] = SECOND_MOMENT * self.second[rows] + (1 - SECOND_MOMENT) * gradient**2
        mean = self.first[rows] / (1 - FIRST_MOMENT**times)
        spread = self.second[rows] / (1 - SECOND_MOMENT**times)
        self.value[rows] -= (self.rate * mean / (np.sqrt(spread) + TINY)).astype(np.float32)


def trained(
    rows: sparse.csr_matrix, labels: Floats, setting: Setting, tell: Callable[[int, float], None]
) -> Parameters:
    """rows float32 [n, width], labels 0 or 1 [n]. tell: (epoch, mean cross entropy), as training goes on."""
    rng = np.random.default_rng(setting.seed)
    width = rows.shape[1]
    bias = _Adam(np.zeros(1, np.float32), setting.bias_lr, setting.bias_wd)
    linear = _Adam(np.zeros(width, np.float32), setting.linear_lr, setting.linear_wd)
    factors = _Adam(
        rng.normal(0, setting.factors_init_sigma, (width, setting.num_factors)).astype(np.float32),
        setting.factors_lr,
        setting.factors_wd,
    )
    for epoch in range(setting.epochs):
        order, loss = rng.permutation(len(labels)), 0.0
        for start in range(0, len(order), setting.mini_batch_size):
            some = order[start : start + setting.mini_batch_size]
            batch, wanted = rows[some], labels[some]
            touched, places = np.unique(batch.indices, return_inverse=True)
            narrow = sparse.csr_matrix((batch.data, places, batch.indptr), shape=(len(some), len(touched)))
            squared = narrow.multiply(narrow).tocsr()
            near = factors.value[touched]
            sums = narrow @ near
            scores = bias.value[0] + narrow @ linear.value[touched] + pairs(narrow, near, sums)
            chance = 1 / (1 + np.exp(-np.clip(scores, -30, 30)))
            loss -= float(np.log(np.where(wanted > 0, chance, 1 - chance) + TINY).sum())
            error = ((chance - wanted) / len(some)).astype(np.float32)
            bias.step(np.zeros(1, np.int64), np.array([error.sum()], np.float32))
            linear.step(touched, narrow.T @ error)
            factors.step(touched, narrow.T @ (error[:, None] * sums) - (squared.T @ error)[:, None] * near)
        tell(epoch + 1, loss / len(labels))
    return Parameters(float(bias.value[0]), linear.value, factors.value)


def pairs(rows: sparse.csr_matrix, factors: Floats, sums: Floats | None = None) -> Floats:
    """What pairs of features add to the score of each row, float32 [n]; `sums` is rows @ factors where it is known."""
    sums = rows @ factors if sums is None else sums
    squares: Floats = rows.multiply(rows) @ factors**2
    result: Floats = 0.5 * (sums**2 - squares).sum(axis=1)
    return result


def scores(rows: sparse.csr_matrix, model: Parameters) -> Floats:
    """float32 [n], before the logistic function."""
    result: Floats = model.bias + rows @ model.linear + pairs(rows, model.factors)
    return result
