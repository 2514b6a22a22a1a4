"""The world's interactions -> models of `implicit` on the shipped model's items, for those who use that library.

Their lists are not those of the shipped model (models/recommendations/README.md compares them); this is their cost.
"""

import os
from pathlib import Path

import numpy as np
import pandas as pd
from implicit.cpu.als import AlternatingLeastSquares
from implicit.nearest_neighbours import CosineRecommender
from scipy.sparse import csr_matrix

from cuatro.adapters.ranker import OnnxRanker

FACTORS, NEIGHBOURS = 64, 200


def names() -> list[str]:
    """Items by place, those of the shipped model."""
    return list(OnnxRanker(os.environ["MODEL_URI"]).names)


def als(rows: pd.DataFrame, items: list[str], path: Path) -> Path:
    """Alternating least squares, saved."""
    model = AlternatingLeastSquares(factors=FACTORS, iterations=10, num_threads=1, random_state=7)
    model.fit(_matrix(rows, items), show_progress=False)
    model.save(str(path))
    return path


def neighbours(rows: pd.DataFrame, items: list[str]) -> CosineRecommender:
    """Item-kNN."""
    model = CosineRecommender(K=NEIGHBOURS, num_threads=1)
    model.fit(_matrix(rows, items), show_progress=False)
    return model


def row(own: list[str], items: list[str]) -> csr_matrix:
    """One user's."""
    place = {item: at for at, item in enumerate(items)}
    places = [place[item] for item in own if item in place]
    return csr_matrix((np.ones(len(places), np.float32), (np.zeros(len(places), int), places)), (1, len(items)))


def _matrix(rows: pd.DataFrame, items: list[str]) -> csr_matrix:
    place = pd.Series(range(len(items)), index=items)
    item = rows["item_id"].map(place)
    known = item.notna()
    user, users = pd.factorize(rows["user_id"][known])
    ones = np.ones(int(known.sum()), np.float32)
    return csr_matrix((ones, (user, item[known].astype(int))), (len(users), len(items)))
