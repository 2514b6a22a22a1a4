"""A factorization machine and what was held back -> the figures of evaluate.py, beside popularity and item-kNN."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.recommendations.data import Held, Histories
from models.recommendations.evaluate import Lister, measured
from models.recommendations.factorization.encoding import profiles as encoded_profiles
from models.recommendations.factorization.parameters import Parameters
from models.recommendations.ranking import item_knn, popularity


class Machine(NamedTuple):
    """Parameters for rows that were encoded with `fade`."""

    model: Parameters
    fade: float

    def scores(self, histories: Histories) -> NDArray[np.float32]:
        """float32 [users, items]: what the ONNX file gives, but for what the profile's own pairs add."""
        model, count = self.model, len(histories.names)
        taste = encoded_profiles(histories, self.fade) @ model.factors[count:]
        found: NDArray[np.float32] = taste @ model.factors[:count].T + model.linear[:count]
        return found


def lister(model: Parameters, fade: float) -> Lister:
    """Lists of some users, as the ONNX file makes them."""
    machine = Machine(model, fade)

    def lists(some: Histories, k: int) -> NDArray[np.int64]:
        scores = machine.scores(some)
        scores[some.owners, some.items] = -np.inf
        return np.argsort(-scores, axis=1, kind="stable")[:, :k]

    return lists


def figures(model: Parameters, train: Histories, held: Held, fade: float) -> dict[str, Any]:
    """recall, NDCG, coverage, popularity bias; `baselines` holds the same of the two baselines."""
    counts = train.counts
    baselines = {each.kind: measured(each.lists, train, held, counts) for each in (popularity(train), item_knn(train))}
    return {**measured(lister(model, fade), train, held, counts), "baselines": baselines}
