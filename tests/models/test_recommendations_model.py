"""What is trained finds an order that is there and none that is not; the file ranks as the measured model does."""

import json
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pytest

from models.recommendations import data, fitting
from models.recommendations.choice import choose
from models.recommendations.export import Recommender, to_onnx
from models.recommendations.neighbours import PROFILE, Shape, co_occurrence, normalised, strongest
from models.recommendations.ranking import Ranking, ranking
from models.recommendations.train import main

ITEMS = 40
FIGURES = {"recall_10", "ndcg_10", "recall_20", "ndcg_20", "coverage_10", "popularity_bias_10"}


def walks(users: int = 300, seed: int = 2, shuffled: bool = False) -> pd.DataFrame:
    """People who go round a circle of items, in small steps, from anywhere; shuffled, they jump about."""
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(users):
        steps = rng.integers(1, 3, rng.integers(5, 9))
        items = (rng.integers(ITEMS) + np.cumsum(steps)) % ITEMS
        if shuffled:
            items = rng.permutation(ITEMS)[: len(items)]
        rows += [(f"u{user}", f"i{item}", 86400.0 * at) for at, item in enumerate(items)]
    return pd.DataFrame(rows, columns=["user", "item", "time"]).assign(timed=True)


@pytest.fixture(scope="module")
def trained() -> fitting.Trained:
    return fitting.leave_one_out(data.histories(walks()))


@pytest.fixture(scope="module")
def model() -> Ranking:
    histories = data.histories(walks())
    shape = Shape(fade=0.8, ageing=0.2)
    weights = strongest(normalised(co_occurrence(histories, 0.5), histories.counts, shape), 12)
    return ranking("neighbours", weights, histories.counts, shape)


@pytest.fixture(scope="module")
def served(model: Ranking) -> Recommender:
    return Recommender(to_onnx(model, [f"i{at}" for at in range(ITEMS)], {"version": "v"}))


def test_an_order_that_is_there_is_found(trained: fitting.Trained) -> None:
    metrics = trained.metrics
    assert metrics["recall_10"] > 0.9
    assert metrics["ndcg_10"] > metrics["baselines"]["item_knn"]["ndcg_10"]
    assert metrics["recall_10"] > metrics["baselines"]["popularity"]["recall_10"] + 0.3
    assert metrics["model"]["fade"] > 0
    assert set(metrics) >= FIGURES
    for terms in ("unaware", "retrained"):
        assert set(metrics["other_terms"][terms]["baselines"]["popularity"]) >= FIGURES
    # Two steps ahead is harder than one.
    assert metrics["other_terms"]["unaware"]["ndcg_10"] < metrics["ndcg_10"]


def test_no_order_teaches_nothing() -> None:
    found = fitting.leave_one_out(data.histories(walks(shuffled=True))).metrics
    assert found["recall_10"] < 1.6 * 10 / ITEMS


def test_the_test_items_choose_nothing(trained: fitting.Trained) -> None:
    """Everybody's last item exchanged for one at random: the same choice on the same validation, another figure."""
    table, rng = walks(), np.random.default_rng(4)
    for _, own in table.groupby("user"):
        others = sorted({f"i{at}" for at in range(ITEMS)} - set(own["item"]))
        table.loc[own.index[-1], "item"] = rng.choice(others)
    found = fitting.leave_one_out(data.histories(table)).metrics
    assert found["model"] == trained.metrics["model"]
    assert found["validation"] == trained.metrics["validation"]
    assert found["recall_10"] < trained.metrics["recall_10"] - 0.4


def test_training_is_reproducible(trained: fitting.Trained) -> None:
    again = fitting.leave_one_out(data.histories(walks()))
    assert again.model.SerializeToString() == trained.model.SerializeToString()
    assert again.metrics == trained.metrics


def test_without_a_second_interaction_there_is_nothing_to_validate() -> None:
    single = data.histories(walks().drop_duplicates("user"))
    train, held = data.hold_back(single)
    with pytest.raises(ValueError, match="nobody has two"):
        choose(train, held, seed=1)


def test_the_file_scores_as_the_model_does(model: Ranking, served: Recommender) -> None:
    histories = data.histories(walks(users=50, seed=9))
    scores = model.scores(histories)
    for user in range(50):
        part = slice(histories.offsets[user], histories.offsets[user + 1])
        items = histories.items[part][::-1]
        found = served(items.tolist(), histories.ages[part][::-1].tolist(), k=ITEMS)
        assert found.scores == pytest.approx(scores[user][found.top], rel=1e-5, abs=1e-7)
        assert sorted(found.top.tolist()) == list(range(ITEMS))
        assert (np.diff(found.scores) <= 0).all()


def test_what_is_excluded_does_not_come(served: Recommender) -> None:
    everything = served([3, 2], k=5).top.tolist()
    fewer = served([3, 2], exclude=everything[:2], k=3)
    assert fewer.top.tolist() == everything[2:]
    none = served([3], exclude=list(range(ITEMS)), k=2)
    assert not np.isfinite(none.scores).any()


def test_nobody_knows_a_newcomer_who_gets_what_is_popular(model: Ranking, served: Recommender) -> None:
    found = served([], k=5)
    assert found.top.tolist() == np.argsort(-model.prior, kind="stable")[:5].tolist()
    assert found.because.tolist() == [-1] * 5


def test_the_newest_interaction_counts_at_once(served: Recommender) -> None:
    before, after = served([5, 4], k=3), served([25, 5, 4], k=3)
    assert before.top.tolist() != after.top.tolist()
    assert after.because[0] == 0


def test_the_reason_is_the_item_that_gives_most(model: Ranking, served: Recommender) -> None:
    items = [30, 7, 12]
    found = served(items, k=10)
    weights = np.array([1.0, 2.0, 3.0]) ** -model.shape.fade
    given = model.weights.toarray()[items] * weights[:, None]
    for place, reason in zip(found.top, found.because, strict=True):
        assert given[reason, place] == given[:, place].max() if given[:, place].any() else reason == -1


def test_a_huge_profile_counts_as_its_newest_part(served: Recommender) -> None:
    items = (list(range(ITEMS)) * 30)[: PROFILE * 3]
    assert served(items, k=5).scores.tolist() == served(items[:PROFILE], k=5).scores.tolist()
    assert len(served(items, k=10 * ITEMS).top) == ITEMS


def test_golden_rows_and_description_belong_to_the_file(trained: fitting.Trained, tmp_path: Path) -> None:
    fitting.save(tmp_path, *trained)
    serve = Recommender(tmp_path / "model.onnx")
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    golden = json.loads((tmp_path / "golden.json").read_text())
    assert len(golden) == fitting.GOLDEN
    for row in golden:
        found = serve(row["items"], row["ages"], row["exclude"], k=10)
        assert (found.top.tolist(), found.because.tolist()) == (row["top"], row["because"])
        assert found.scores == pytest.approx(row["scores"])
    assert len(json.loads(serve.metadata["items"])) == metrics["rows"]["items"]
    assert serve.metadata["data_hash"] == metrics["data_hash"]
    assert json.loads(serve.metadata["metrics"])["ndcg_10"] == metrics["ndcg_10"]


@pytest.mark.parametrize("split", ["its own", "a test file"])
def test_the_command_writes_what_it_promises(
    split: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = walks(users=80)
    newest = table.groupby("user")["time"].transform("max") - table["time"] < 2 * 86400
    arguments = ["train", "--interactions", str(tmp_path / "all.tsv"), "--out", str(tmp_path / "out")]
    if split == "a test file":
        table[newest][["user", "item", "time"]].to_csv(tmp_path / "test.csv", index=False)
        table, arguments = table[~newest], [*arguments, "--test", str(tmp_path / "test.csv")]
    table[["user", "item", "time"]].to_csv(tmp_path / "all.tsv", index=False, header=False, sep="\t")
    monkeypatch.setattr("sys.argv", arguments)
    main()
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert json.loads(capsys.readouterr().out) == metrics
    assert set(metrics) >= FIGURES
    assert set(metrics["baselines"]) == {"popularity", "item_knn"}
    assert set(metrics["baselines"]["item_knn"]) == FIGURES
    onnx.checker.check_model(onnx.load(tmp_path / "out" / "model.onnx"))


def test_the_command_says_what_is_wrong(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["train", "--interactions", "nothing.csv", "--out", "x"])
    with pytest.raises(SystemExit):
        main()
    assert "nothing.csv" in capsys.readouterr().err


def test_the_container_trains_it(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    walks(users=60)[["user", "item", "time"]].to_csv(tmp_path / "in" / "part.csv", index=False)
    fitting.train({"train": tmp_path / "in"}, {"seed": "3"}, tmp_path / "out")
    assert json.loads((tmp_path / "out" / "metrics.json").read_text())["seed"] == 3
    with pytest.raises(ValueError, match="rounds"):
        fitting.train({"train": tmp_path / "in"}, {"rounds": "3"}, tmp_path / "out")
