"""The invented shop keeps its promises: reproducible, plausible, tastes that can be learnt, and a change of them."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cuatro.interactions import checked_name
from models.recommendations import data, fitting
from models.recommendations.export import Recommender
from models.recommendations.shop import CHANGED, shop
from models.recommendations.simulator import COLUMNS, OPENED, interactions
from models.recommendations.world import World

SHIPPED = Path(__file__).resolve().parent.parent.parent / "models" / "recommendations"
BEFORE, AFTER = CHANGED - 0.5, CHANGED + 30
NEWCOMERS = 80


def world(newcomers: int = 0, people: int = 600, seed: int = 7) -> World:
    return World(seed=seed, people=people, newcomers=newcomers)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return interactions(world())


def expected_hits(model: Recommender, day: float, steps: tuple[int, ...]) -> list[float]:
    """Of ten, for newcomers with so many interactions: exact probabilities of their next wish, no single draws."""
    names = json.loads(model.metadata["items"])
    place = {name: at for at, name in enumerate(names)}
    people, rng = world(NEWCOMERS), np.random.default_rng(5)
    found: dict[int, list[float]] = {step: [] for step in steps}
    for number in range(NEWCOMERS):
        who, taken = people.newcomer(number), list[int]()
        for step in range(max(steps) + 1):
            if step in found:
                lists = model(taken[::-1], exclude=taken, k=10).top
                found[step].append(people.share(who, [names[at] for at in lists], day))
            item = people.next_wanted(who, rng, day)
            people.takes(who, item)
            taken += [place[item]] if item in place else []
    return [float(np.mean(found[step])) for step in steps]


def test_the_same_seed_gives_the_same_world_and_another_seed_another(table: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(table, interactions(world()))
    assert not table["item_id"].head(500).equals(interactions(world(seed=8))["item_id"].head(500))
    assert shop(7).titles == shop(7).titles != shop(8).titles


def test_the_table_is_what_people_do_in_shops(table: pd.DataFrame) -> None:
    assert tuple(table) == COLUMNS
    assert table["time"].is_monotonic_increasing
    assert table["time"].between(OPENED, OPENED + pd.Timedelta(days=CHANGED)).all()
    assert table["event_id"].is_unique
    kinds = table["kind"].value_counts(normalize=True)
    assert list(kinds.index) == ["view", "cart", "purchase", "rating"]
    assert table.loc[table["kind"] == "rating", "value"].isin([1, 2, 3, 4, 5]).all()
    assert table.loc[table["kind"] == "view", "value"].isna().all()
    # Nobody carts what they have not seen, or buys what is not in the cart.
    firsts = table.groupby(["user_id", "item_id", "kind"])["time"].min().unstack()
    assert (firsts["view"] <= firsts["cart"].fillna(pd.Timestamp.max.tz_localize("UTC"))).all()
    assert (firsts["cart"] <= firsts["purchase"]).loc[firsts["purchase"].notna()].all()
    by_hour = table["time"].dt.hour.value_counts()
    assert by_hour.loc[[1, 2, 3, 4]].sum() < 0.25 * by_hour.loc[[19, 20, 21, 22]].sum()
    of_one = table.groupby("user_id").size()
    assert of_one.quantile(0.9) > 4 * of_one.quantile(0.1)


def test_items_are_popular_unequally_and_nothing_is_taken_before_it_is_there(table: pd.DataFrame) -> None:
    counts = table["item_id"].value_counts()
    assert counts.head(len(counts) // 5).sum() > 0.4 * counts.sum()
    items = shop(7)
    added = pd.Series(items.added, items.ids)[table["item_id"]].to_numpy()
    sold_out = pd.Series(items.sold_out, items.ids)[table["item_id"]].to_numpy()
    day = ((table["time"] - OPENED) / pd.Timedelta(days=1)).to_numpy()
    viewed = (table["kind"] == "view").to_numpy()
    assert (day >= added - 1e-4).all()
    assert (day <= sold_out)[viewed].all()
    assert (added > 0).any()


def test_the_catalogue_that_ships_is_that_of_the_shop_and_fits_the_schema() -> None:
    shipped = [json.loads(line) for line in (SHIPPED / "catalogue.jsonl").read_text().splitlines()]
    assert shipped == list(shop(7).catalogue(OPENED))
    assert 1_800 < len(shipped) < 2_200
    assert (SHIPPED / "catalogue.jsonl").stat().st_size < 1_000_000
    for line in shipped:
        assert checked_name(line["item_id"], "item_id") == line["item_id"]
        assert len(line["title"]) <= 200
        assert len(line["category"]) <= 64
        assert max(map(len, line["tags"])) <= 32
        assert datetime.fromisoformat(line["added"]) <= OPENED + pd.Timedelta(days=CHANGED)
    assert len({line["item_id"] for line in shipped}) == len(shipped)
    assert 0.005 < np.mean([not line["available"] for line in shipped]) < 0.06
    later = {line["item_id"] for line in shop(7).catalogue(OPENED, AFTER)} - {line["item_id"] for line in shipped}
    assert len(later) > 150
    assert min(Counter(line["category"] for line in shipped).values()) > 50


def test_the_shipped_model_is_of_this_world_and_knows_nothing_of_what_comes_later() -> None:
    model = Recommender(SHIPPED / "model.onnx")
    metrics = json.loads((SHIPPED / "metrics.json").read_text())
    assert model.metadata["version"] == metrics["version"]
    names, items = json.loads(model.metadata["items"]), shop(7)
    added = dict(zip(items.ids, items.added, strict=True))
    assert all(added[name] < CHANGED for name in names)
    assert sum(json.loads(model.metadata["popularity"])) == metrics["rows"]["train"]
    assert metrics["ndcg_10"] > metrics["baselines"]["item_knn"]["ndcg_10"] > 0.2
    for row in json.loads((SHIPPED / "golden.json").read_text()):
        given = model(row["items"], row["ages"], row["exclude"], len(row["top"]))
        assert given.top.tolist() == row["top"]
        assert given.scores == pytest.approx(row["scores"], rel=1e-5, abs=1e-9)
        assert given.because.tolist() == row["because"]


def test_what_somebody_wants_is_a_probability_and_what_they_choose_follows_it() -> None:
    people, rng = world(3), np.random.default_rng(1)
    who = people.newcomer(0)
    wanted = people.wants(who, BEFORE)
    assert wanted.sum() == pytest.approx(1)
    assert wanted.min() >= 0
    best = [people.shop.ids[at] for at in np.argsort(-wanted)[:10]]
    assert people.share(who, best, BEFORE) == pytest.approx(np.sort(wanted)[-10:].sum())
    assert people.share(who, [*best, *best, "no such item"], BEFORE) == people.share(who, best, BEFORE)
    drawn = Counter(people.next_wanted(who, rng, BEFORE) for _ in range(1500))
    assert sum(drawn[item] for item in best) / 1500 == pytest.approx(people.share(who, best, BEFORE), abs=0.05)
    worst = [people.shop.ids[at] for at in np.argsort(wanted)[:10]]
    chosen = [people.chooses(who, best, rng, BEFORE) for _ in range(400)]
    assert set(chosen) <= {*best, None}
    assert sum(item is not None for item in chosen) > 200
    assert [people.chooses(who, worst, rng, BEFORE) for _ in range(200)].count(None) > 190
    assert people.chooses(who, [], rng) is None
    people.takes(who, best[0])
    assert people.wants(who, BEFORE)[people.place[best[0]]] < 0.1 * wanted[people.place[best[0]]]
    with pytest.raises(IndexError, match="3 newcomers"):
        people.newcomer(3)


def test_lists_for_a_newcomer_get_better_with_every_few_interactions() -> None:
    hits = expected_hits(Recommender(SHIPPED / "model.onnx"), BEFORE, (0, 1, 4, 10))
    assert hits[0] < 0.1
    assert hits[1] > 2 * hits[0]
    assert hits[3] > hits[2] > hits[1]
    assert hits[3] > hits[1] + 0.05


def test_after_the_change_the_shipped_model_falls_behind_one_that_is_trained_again(tmp_path: Path) -> None:
    shipped = Recommender(SHIPPED / "model.onnx")
    people = world(people=1500)
    table = pd.concat([interactions(people, 60, CHANGED), interactions(people, CHANGED, AFTER)])
    table[["user_id", "item_id", "time"]].to_csv(tmp_path / "interactions.csv", index=False)
    again = fitting.leave_one_out(data.histories(data.read(tmp_path / "interactions.csv")), ease_items=0)
    stale, fresh = (expected_hits(model, AFTER, (3, 10)) for model in (shipped, Recommender(again.model)))
    assert fresh[0] > 1.2 * stale[0]
    assert fresh[1] > 1.2 * stale[1]
    before = expected_hits(shipped, BEFORE, (3, 10))
    assert stale[1] < 0.8 * before[1]


def test_a_country_says_something_about_taste_and_no_id_does() -> None:
    people = world(people=3000).crowd
    by_country = [people.before[people.country == country].mean(axis=0) for country in range(2)]
    assert np.abs(by_country[0] - by_country[1]).sum() > 0.25
    odd = np.arange(3000) % 2 == 1
    assert np.abs(people.before[odd].mean(axis=0) - people.before[~odd].mean(axis=0)).sum() < 0.15


@pytest.mark.parametrize(("people", "days"), [(1, 1.0), (1, 40.0), (40, 2.0)])
def test_small_worlds_work(people: int, days: float) -> None:
    table = interactions(world(people=people), 0, days, datetime(2026, 11, 1, tzinfo=UTC))
    assert tuple(table) == COLUMNS
    assert table["user_id"].nunique() <= people


def test_days_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="no days"):
        interactions(world(), 5, 5)
