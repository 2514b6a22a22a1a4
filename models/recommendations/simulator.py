"""A world, days -> the interactions of its people: visits with views, carts, purchases and ratings, in order of time.

    python -m models.recommendations.simulator --out DIR [--people 3000] [--days 120] [--seed 7]

writes DIR/interactions.csv and DIR/catalogue.jsonl. Everybody's wishes are drawn as world.py tells; one numpy
Generator, a loop over the number of a person's wish and none over people.
"""

import argparse
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.recommendations import tastes
from models.recommendations.assortment import COUNTRIES, DEVICES
from models.recommendations.shop import CHANGED, write
from models.recommendations.world import World

OPENED = datetime(2026, 1, 1, tzinfo=UTC)
DAY_S = 86_400
MORE = 0.62
"""A visit goes on to another wish with this probability."""
CARTED, BOUGHT, RATED = 0.3, 0.55, 0.2
"""Of views, carts and purchases, how many lead to the next."""
HOURS = ((0.25, 8.0, 1.6), (0.3, 13.0, 2.0), (0.45, 20.0, 1.8))
"""Bells of a day: share, hour, standard deviation."""
COLUMNS = ("event_id", "user_id", "item_id", "kind", "time", "value", "country", "device")


def interactions(world: World, first: float = 0.0, last: float = CHANGED, opened: datetime = OPENED) -> pd.DataFrame:
    """COLUMNS in order of time, of days [first, last) since `opened`, by all but the newcomers.

    time: UTC. value: the price of what is carted or bought, 1 to 5 for a rating, missing for a view. The world
    remembers what people took; its next days go on from there. Raises ValueError for days that are none.
    """
    if last <= first:
        raise ValueError(f"no days from {first:g} to {last:g}")
    rng = np.random.default_rng([world.seed, 4, int(first * 24), int(last * 24)])
    who, day = _visits(rng, world, first, last)
    items = _wishes(rng, world, who, day)
    kept = items >= 0
    table = _funnel(rng, world, who[kept], items[kept], day[kept])
    table = table[table["day"] < last].sort_values("day", kind="stable").reset_index(drop=True)
    seconds = np.floor(table["day"].to_numpy() * DAY_S).astype(np.int64)
    person = table["who"].to_numpy()
    return pd.DataFrame(
        {
            "event_id": [f"w{world.seed}-{int(first)}-{number}" for number in range(len(table))],
            "user_id": np.array(world.crowd.ids, object)[person],
            "item_id": np.array(world.shop.ids, object)[table["item"].to_numpy()],
            "kind": table["kind"].to_numpy(),
            "time": pd.Timestamp(opened) + pd.to_timedelta(seconds, unit="s"),
            "value": table["value"].to_numpy(),
            "country": np.array(COUNTRIES, object)[world.crowd.country[person]],
            "device": np.array(DEVICES, object)[world.crowd.device[person]],
        }
    )


def _visits(
    rng: np.random.Generator, world: World, first: float, last: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Person and day of each wish, person by person, each one's in order of time."""
    visits = rng.poisson(world.crowd.rate[: world.residents] * (last - first))
    who = np.repeat(np.arange(world.residents), visits)
    shares, centres, widths = (np.array(column) for column in zip(*HOURS, strict=True))
    bell = rng.choice(len(HOURS), len(who), p=shares)
    hour = np.clip(centres[bell] + widths[bell] * rng.standard_normal(len(who)), 0, 23)
    begin = first + np.floor(rng.uniform(0, last - first, len(who))) + hour / 24
    length = rng.geometric(1 - MORE, len(who))
    visit = np.repeat(np.arange(len(who)), length)
    step = np.arange(len(visit)) - np.searchsorted(visit, visit)
    day = begin[visit] + step * rng.uniform(1, 4, len(visit)) / 1440
    person = who[visit]
    order = np.lexsort((day, person))
    return person[order], day[order]


def _wishes(
    rng: np.random.Generator, world: World, who: NDArray[np.int64], day: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Item of each wish, -1 where there was nothing: everybody's first wish, then everybody's second, and so on."""
    number = np.arange(len(who)) - np.searchsorted(who, who)
    items = np.full(len(who), -1)
    order = np.argsort(number, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(number[order])) + 1) if len(who) else ():
        people, when, last = who[rows], day[rows], world.last[who[rows]]
        line = _pick(rng, tastes.lines(world.shop, world.crowd, people, when, last))
        found = world.shop.by_line[line]
        seen = world.seen[people[:, None], found]
        odds = tastes.within(world.shop, world.crowd, people, line, when, last, seen)
        chosen = found[np.arange(len(rows)), _pick(rng, odds)]
        there = odds.sum(axis=1) > 0
        items[rows[there]] = chosen[there]
        world.last[people[there]] = chosen[there]
        world.seen[people[there], chosen[there]] = True
    return items


def _pick(rng: np.random.Generator, odds: NDArray[np.float64]) -> NDArray[np.int64]:
    """One column of each row; of a row of zeros the first."""
    ends = odds.cumsum(axis=1)
    found: NDArray[np.int64] = (ends <= (rng.random(len(odds)) * ends[:, -1])[:, None]).sum(axis=1)
    return np.where(ends[:, -1] > 0, np.minimum(found, odds.shape[1] - 1), 0)


def _funnel(
    rng: np.random.Generator,
    world: World,
    who: NDArray[np.int64],
    items: NDArray[np.int64],
    day: NDArray[np.float64],
) -> pd.DataFrame:
    """who, item, day, kind, value: views, and what some of them lead to."""
    price = world.shop.price[items]
    carted = rng.random(len(who)) < CARTED
    bought = carted & (rng.random(len(who)) < BOUGHT)
    rated = bought & (rng.random(len(who)) < RATED)
    off = np.abs(world.shop.tier[items] - world.crowd.level[who])
    stars = np.clip(np.round(4.6 - 0.7 * off + rng.normal(0, 0.7, len(who))), 1, 5)
    minutes = rng.uniform(0.2, 0.9, len(who)) / 1440
    steps = (
        ("view", np.ones(len(who), np.bool_), day, np.full(len(who), np.nan)),
        ("cart", carted, day + minutes, price),
        ("purchase", bought, day + 2 * minutes, price),
        ("rating", rated, day + rng.uniform(1, 9, len(who)), stars),
    )
    return pd.concat(
        [
            pd.DataFrame({"who": who[rows], "item": items[rows], "day": when[rows], "kind": kind, "value": value[rows]})
            for kind, rows, when, value in steps
        ],
        ignore_index=True,
    )


def main() -> None:
    """Command line: write both files."""
    parser = argparse.ArgumentParser(
        prog="python -m models.recommendations.simulator", description=str(__doc__).split("\n")[0]
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--people", type=int, default=3000)
    parser.add_argument("--days", type=float, default=CHANGED, help=f"from day {CHANGED:g} on, tastes are others")
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    world = World(given.seed, given.people, 0)
    table = interactions(world, 0, given.days)
    given.out.mkdir(parents=True, exist_ok=True)
    table.to_csv(given.out / "interactions.csv", index=False, date_format="%Y-%m-%dT%H:%M:%SZ")
    (given.out / "catalogue.jsonl").write_text(write(world.shop.catalogue(OPENED, given.days)), encoding="utf-8")
    until = OPENED + timedelta(days=given.days)
    print(  # noqa: T201 - the command's answer
        f"{len(table):,} interactions of {table.user_id.nunique():,} people with {table.item_id.nunique():,} items "
        f"until {until:%Y-%m-%d} -> {given.out}"
    )


if __name__ == "__main__":
    main()
