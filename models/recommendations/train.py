"""Interactions -> model.onnx, metrics.json and golden.json.

    python -m models.recommendations.train --interactions FILE --out DIR               # leave-one-out in time
    python -m models.recommendations.train --interactions FILE --test FILE --out DIR   # your own split
    python -m models.recommendations.train --interactions simulated --out DIR          # the shipped model

user, item, rating (optional), timestamp, by tabs or commas, header optional; or one line a user, items oldest first.
"""

import argparse
import json
import logging
from pathlib import Path

import pandas as pd

from models.recommendations import data, shop
from models.recommendations.choice import EASE_ITEMS
from models.recommendations.fitting import SEED, leave_one_out, save, with_test
from models.recommendations.simulator import OPENED, interactions
from models.recommendations.world import World


def _table(path: Path, world: World | None) -> pd.DataFrame:
    if str(path) != "simulated" or world is None:
        return data.read(path)
    happened = interactions(world)
    seconds = (happened["time"] - pd.Timestamp(0, tz="UTC")).dt.total_seconds()
    return pd.DataFrame({"user": happened["user_id"], "item": happened["item_id"], "time": seconds, "timed": True})


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m models.recommendations.train", description=str(__doc__).split("\n")[0]
    )
    parser.add_argument("--interactions", type=Path, required=True, metavar="FILE|simulated")
    parser.add_argument("--test", type=Path, metavar="FILE", help="default: each user's last item, held back")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--ease-items", type=int, default=EASE_ITEMS, help="above so many items, EASE is not tried")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    world = World() if str(given.interactions) == "simulated" else None
    tables = []
    for path in (given.interactions, given.test):
        try:
            tables.append(None if path is None else _table(path, world))
        except (OSError, ValueError) as error:
            parser.error(f"{path}: {error}")
    histories = data.histories(tables[0])
    try:
        if tables[1] is None:
            trained = leave_one_out(histories, given.seed, given.ease_items)
        else:
            held, left_out = data.held_from(tables[1], histories)
            trained = with_test(histories, held, left_out, given.seed, given.ease_items)
    except ValueError as error:
        parser.error(str(error))
    save(given.out, *trained)
    if world:
        (given.out / "catalogue.jsonl").write_text(shop.write(world.shop.catalogue(OPENED)), encoding="utf-8")
    print(json.dumps(trained.metrics, indent=1))  # noqa: T201 - the command's answer


if __name__ == "__main__":
    main()
