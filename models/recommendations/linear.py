"""Histories -> item-item weights by EASE: the candidate for few items, closed form but items squared in memory.

Steck 2019, "Embarrassingly Shallow Autoencoders for Sparse Data": ridge regression of every item on all others with a
zero diagonal, B = I - P / diag(P), P = (X'X + ridge I)^-1.
"""

import numpy as np
from scipy import linalg, sparse

from models.recommendations.data import Histories

BLOCK = 512


def ease(histories: Histories, ridge: float, most: int) -> sparse.csr_matrix:
    """[items, items]: of each row (the item in the profile) the `most` entries largest by magnitude, the largest first.

    Peak memory is about 12 bytes x items squared. Raises MemoryError where that is not there.
    """
    width = len(histories.names)
    taken = sparse.csr_matrix(
        (np.ones(len(histories.items), np.float32), histories.items, histories.offsets),
        shape=(len(histories.users), width),
    )
    gram = np.asfortranarray((taken.T @ taken).toarray())
    gram[np.diag_indices(width)] += ridge
    factor = linalg.cholesky(gram, lower=True, overwrite_a=True, check_finite=False)
    inverse, failed = linalg.lapack.spotri(factor, lower=1, overwrite_c=1)
    if failed:
        raise ValueError(f"the Gram matrix of {width} items with ridge {ridge:g} cannot be inverted")
    del factor, gram
    # Only the lower triangle is filled.
    for start in range(0, width, BLOCK):
        end = min(start + BLOCK, width)
        inverse[start:end, end:] = inverse[end:, start:end].T
        square = inverse[start:end, start:end]
        square[:] = np.tril(square) + np.tril(square, -1).T
    diagonal = np.diag(inverse).copy()
    return _largest(inverse, -1 / diagonal, most)


def _largest(inverse: np.ndarray, scale: np.ndarray, most: int) -> sparse.csr_matrix:
    width = len(inverse)
    most = min(most, width - 1)
    columns, values = np.empty((width, most), np.int32), np.empty((width, most), np.float32)
    for start in range(0, width, BLOCK):
        rows = inverse[start : start + BLOCK] * scale
        rows[np.arange(len(rows)), np.arange(start, start + len(rows))] = 0
        picked = np.argpartition(-np.abs(rows), most - 1, axis=1)[:, :most] if most else np.empty((len(rows), 0), int)
        found = np.take_along_axis(rows, picked, axis=1)
        order = np.argsort(-np.abs(found), axis=1, kind="stable")
        columns[start : start + BLOCK] = np.take_along_axis(picked, order, axis=1)
        values[start : start + BLOCK] = np.take_along_axis(found, order, axis=1)
    pointers = np.arange(width + 1) * most
    return sparse.csr_matrix((values.ravel(), columns.ravel(), pointers), shape=(width, width))
