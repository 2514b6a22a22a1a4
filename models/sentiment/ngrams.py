"""Posts -> votes of hashed n-grams: tf-idf and logistic regression, folded into one table that the ONNX file holds.

It sees what the pieces of the encoder hide (spelling, emoticons, hashtags), errs elsewhere, and costs next to nothing.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from functions.sentiment.features import BUCKETS, ngrams

CHUNK = 2000


def counted(plain: Sequence[str]) -> sparse.csr_matrix:
    """Normalised posts -> 1 + ln(count) of each bucket, [n, BUCKETS]."""
    parts = []
    for start in range(0, len(plain), CHUNK):
        ids, weights = ngrams(plain[start : start + CHUNK])
        there = weights > 0
        rows = np.repeat(np.arange(len(ids)), there.sum(axis=1))
        parts.append(sparse.csr_matrix((weights[there], (rows, ids[there])), (len(ids), BUCKETS), np.float32))
    return sparse.vstack(parts, format="csr") if parts else sparse.csr_matrix((0, BUCKETS), dtype=np.float32)


def fitted(
    counts: sparse.csr_matrix, labels: NDArray[np.int64], weights: NDArray[np.float64], c: float
) -> NDArray[np.float32]:
    """The table [BUCKETS, 4]: votes for the three classes, and the square of the inverse document frequency.

    weights: of the posts. A bucket that one post alone has votes for nothing: it would be noise, or somebody's name.
    """
    seen = np.bincount(counts.indices, minlength=BUCKETS)
    idf = np.where(seen > 1, np.log((1 + counts.shape[0]) / (1 + seen)) + 1, 0).astype(np.float32)
    rows = unit(counts, idf)
    model = LogisticRegression(C=c, max_iter=60, tol=1e-3).fit(rows, labels, sample_weight=weights)
    votes = model.coef_.T - model.coef_.mean(axis=0)[:, None]
    return np.column_stack([votes * idf[:, None], np.square(idf)]).astype(np.float32)


def unit(counts: sparse.csr_matrix, idf: NDArray[np.float32]) -> sparse.csr_matrix:
    """Each row times idf, of length 1."""
    scaled = counts.multiply(idf).tocsr()
    norms = np.sqrt(scaled.multiply(scaled).sum(axis=1)).A1
    return sparse.diags(1 / np.maximum(norms, 1e-3)) @ scaled


def voted(counts: sparse.csr_matrix, table: NDArray[np.float32]) -> NDArray[np.float32]:
    """What the ONNX file computes of the table: [n, 3]."""
    squares = counts.multiply(counts) @ table[:, 3]
    return np.asarray(counts @ table[:, :3] / np.sqrt(np.maximum(squares, 1e-6))[:, None], np.float32)
