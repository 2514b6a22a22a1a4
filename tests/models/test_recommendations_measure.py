"""Figures are what their definitions say, and a model's parts do what their names promise."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from models.recommendations import data
from models.recommendations.data import Held, Histories
from models.recommendations.evaluate import Lister, measured
from models.recommendations.linear import ease
from models.recommendations.neighbours import Shape, co_occurrence, normalised, profiles, strongest
from models.recommendations.ranking import item_knn, popularity, ranking


def made(*lists: list[int], days: list[float] | None = None, items: int | None = None) -> Histories:
    offsets = np.concatenate([[0], np.cumsum([len(one) for one in lists])])
    flat = np.array([code for one in lists for code in one], np.int64)
    names = [str(code) for code in range(items or int(flat.max()) + 1)]
    times = np.zeros(len(flat)) if days is None else np.array(days, float)
    return Histories([str(at) for at in range(len(lists))], names, offsets, flat, times, days is not None)


def random_histories(users: int = 60, items: int = 25, seed: int = 1) -> Histories:
    rng = np.random.default_rng(seed)
    return made(*(rng.permutation(items)[: rng.integers(2, 9)].tolist() for _ in range(users)), items=items)


def always(first: list[int]) -> Lister:
    return lambda some, k: np.array([first[:k]] * len(some.users))


def test_figures_by_hand() -> None:
    profile = made([0], [0], items=30)
    held = Held(np.array([0, 1]), np.array([0, 0, 1]), np.array([2, 15, 1]))
    found = measured(always(list(range(1, 30))), profile, held, np.arange(30))
    assert found["recall_10"] == pytest.approx((1 / 2 + 1) / 2, abs=1e-5)
    assert found["recall_20"] == 1
    assert found["ndcg_10"] == pytest.approx((1 / np.log2(3) / (1 + 1 / np.log2(3)) + 1) / 2, abs=1e-5)
    assert found["coverage_10"] == pytest.approx(10 / 30, abs=1e-5)
    average = (np.arange(30) ** 2).sum() / np.arange(30).sum()
    assert found["popularity_bias_10"] == pytest.approx(np.arange(1, 11).mean() / average, abs=1e-5)


def test_items_that_nobody_has_in_training_are_misses() -> None:
    held = Held(np.array([0]), np.array([0, 0]), np.array([2, -1]))
    found = measured(always([2, 1]), made([0, 1], items=3), held, np.ones(3, int))
    assert found["recall_10"] == 0.5
    assert found["ndcg_10"] == pytest.approx(1 / (1 + 1 / np.log2(3)), abs=1e-5)


@pytest.mark.parametrize("kind", ["neighbours", "ease", "popularity"])
def test_lists_are_the_best_scores_without_what_the_user_has(kind: str) -> None:
    histories = random_histories(items=60)
    weights = {
        "neighbours": strongest(co_occurrence(histories, 0.5), 5),
        "ease": ease(histories, 5.0, most=20),
        "popularity": popularity(histories).weights,
    }[kind]
    model = ranking(kind, weights, histories.counts, Shape())
    scores = model.scores(histories).astype(float)
    scores[histories.owners, histories.items] = -np.inf
    best = np.argsort(-scores, axis=1, kind="stable")[:, :20]
    lists = model.lists(histories, 20)
    assert np.take_along_axis(scores, lists, axis=1) == pytest.approx(np.take_along_axis(scores, best, axis=1))
    assert all(len(set(one)) == 20 for one in lists.tolist())


def test_with_fewer_items_than_wanted_the_rest_is_what_the_user_has() -> None:
    histories = made([0, 1], [2, 0], items=4)
    assert item_knn(histories).lists(histories, 9).tolist() == [[2, 3, 0, 1], [1, 3, 2, 0]]


def test_co_occurrence_is_directed_and_fades_with_steps() -> None:
    found = co_occurrence(made([0, 1, 2], [0, 1]), distance=1.0).toarray()
    assert found == pytest.approx(np.array([[0, 2, 0.5], [0, 0, 1], [0, 0, 0]]))


def test_pairs_in_parts_add_up_to_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = co_occurrence(random_histories(), 0.5)
    monkeypatch.setattr("models.recommendations.neighbours.PAIRS_AT_A_TIME", 10)
    assert co_occurrence(random_histories(), 0.5).toarray() == pytest.approx(whole.toarray(), rel=1e-5)


def test_symmetric_and_undamped_equals_counting_together() -> None:
    histories = random_histories()
    forward = co_occurrence(histories, distance=0.0)
    counted = normalised(forward, histories.counts, Shape(backward=1.0, source=0.0, target=0.0)).toarray()
    taken = np.zeros((60, 25))
    taken[histories.owners, histories.items] = 1
    together = taken.T @ taken
    np.fill_diagonal(together, 0)
    assert counted == pytest.approx(together)


def test_recent_items_weigh_more() -> None:
    found = profiles(made([0, 1, 2], days=[0, 9, 10]), Shape(fade=1.0, ageing=1.0)).toarray()
    assert found == pytest.approx(np.array([[1 / 3 / 11, 1 / 2 / 2, 1]]))


def test_the_strongest_neighbours_are_kept() -> None:
    weights = sparse.csr_matrix(np.array([[0, 1, 3, 2], [0, 0, 0, 0], [5, 0, 0, 6], [0, 0, 0, 1]], np.float32))
    kept = strongest(weights, 2)
    assert kept.toarray().tolist() == [[0, 0, 3, 2], [0, 0, 0, 0], [5, 0, 0, 6], [0, 0, 0, 1]]
    equal = sparse.csr_matrix(np.array([[1, 2, 1, 1]], np.float32))
    assert strongest(equal, 2).toarray().tolist() == [[1, 2, 0, 0]]


def test_ease_is_its_closed_form() -> None:
    histories = random_histories()
    taken = np.zeros((60, 25))
    taken[histories.owners, histories.items] = 1
    inverse = np.linalg.inv(taken.T @ taken + 7 * np.eye(25))
    expected = -inverse / np.diag(inverse)
    np.fill_diagonal(expected, 0)
    assert ease(histories, 7.0, most=24).toarray() == pytest.approx(expected, abs=1e-4)
    pruned = ease(histories, 7.0, most=3)
    assert np.diff(pruned.indptr).tolist() == [3] * 25
    assert np.abs(pruned.toarray()).sum() == pytest.approx(np.sort(np.abs(expected))[:, -3:].sum(), rel=1e-4)


def test_the_baselines_are_what_they_are_called() -> None:
    histories = random_histories()
    taken = np.zeros((60, 25))
    taken[histories.owners, histories.items] = 1
    norms = np.linalg.norm(taken, axis=0)
    cosine = taken.T @ taken / np.outer(norms, norms)
    np.fill_diagonal(cosine, 0)
    scores = item_knn(histories).scores(histories)
    expected = taken @ cosine
    assert scores / scores.max() == pytest.approx(expected / expected.max(), abs=2e-3)
    order = np.argsort(-popularity(histories).scores(histories), axis=1, kind="stable")
    assert order.tolist() == [np.argsort(-histories.counts, kind="stable").tolist()] * 60


def test_users_and_rows_stay_together_when_parts_are_taken() -> None:
    histories = random_histories()
    some = histories.of(np.array([5, 2]))
    assert some.users == ["5", "2"]
    first = histories.items[histories.offsets[5] : histories.offsets[6]]
    assert some.items[: some.offsets[1]].tolist() == first.tolist()
    shorter, held = data.hold_back(histories)
    assert len(shorter.items) + len(held.items) == len(histories.items)
    assert isinstance(shorter.names, list)
    assert not pd.isna(shorter.days).any()
