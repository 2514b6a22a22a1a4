"""Training rows and a champion -> the better of two models: one from scratch, one whose trees add to the champion's.

From scratch, a model knows what its own days show: with few frauds it forgets what the champion once learned. Which one
is better is asked of the newest third of the days, in blocks: both learn from the days before a block and score it.
Each block counts the same, so that a wave of one new pattern does not outvote the quiet days that show the old ones.

The champion must not have learned from the rows that teach, calibrate and judge a model upon it: it would know their
answers, and look better than it is. So only rows after its `trained_until` do; with too few, or where that is not
known, the model is made from scratch.
"""

import logging
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from models.fraud.champion import Champion
from models.fraud.evaluate import DAY
from models.fraud.learning import TREES_A_ROUND, Fitted, fit, learned, margins

log = logging.getLogger(__name__)

BLOCKS, NEWEST = 4, 1 / 3
FEWEST_HELD, FEWEST_IN_BLOCK = 15, 3
"""Known frauds without which a comparison is luck."""
GROWTH = 1 / 3
"""So many trees more than the champion's at most: about that much slower, and the gate's limit is 2 times."""
SCRATCH, UPON = "from scratch", "on the champion"

Rows = NDArray[np.float32]
Mask = NDArray[np.bool_]


class Plan(NamedTuple):
    """How to train one of the two."""

    seed: int
    rounds: int
    on: Champion | None = None


class Chosen(NamedTuple):
    """used: which of the rows it learned from; told: for metrics.json, how it was chosen."""

    fitted: Fitted
    used: Mask
    told: dict[str, Any]


def chosen(  # noqa: PLR0913 - what the choice depends on
    rows: Rows, fraud: Mask, time: NDArray[np.int64], champion: Champion, *, seed: int, rounds: int
) -> Chosen:
    """time: unix seconds [rows]. Ties go to the model from scratch. Raises ValueError for too few frauds."""
    day = time // DAY
    fresh = time > champion.trained_until
    more = min(rounds, max(1, int(GROWTH * champion.trees) // TREES_A_ROUND))
    told: dict[str, Any] = {"chosen": SCRATCH, "champion": champion.version}
    held = _blocks(day, fraud, fresh)
    found = int(sum(fraud[test].sum() for _, test in held))
    if found < FEWEST_HELD:
        told["why"] = f"{found} known frauds to choose by on days that the champion has not seen, {FEWEST_HELD} needed"
    else:
        figures = {
            SCRATCH: _precision(held, rows, fraud, Plan(seed, rounds)),
            UPON: _precision(
                [(before & fresh, test) for before, test in held], rows, fraud, Plan(seed, more, champion)
            ),
        }
        if figures[UPON] > figures[SCRATCH]:
            told["chosen"] = UPON
        told |= {"average_precision": figures, "blocks": len(held), "frauds": found}
    log.info("the model is made %s: %s", told["chosen"], told)
    if told["chosen"] == UPON:
        fitted = learned(rows[fresh], fraud[fresh], day[fresh], seed=seed, rounds=more, on=champion)
        return Chosen(fitted, fresh, told)
    return Chosen(learned(rows, fraud, day, seed=seed, rounds=rounds), np.ones(len(rows), np.bool_), told)


def _blocks(day: NDArray[np.int64], fraud: Mask, fresh: Mask) -> list[tuple[Mask, Mask]]:
    """(rows of the days before, rows of the block): newest days, with frauds on both sides."""
    days = np.unique(day[fresh])
    newest = days[len(days) - int(len(days) * NEWEST) :]
    blocks = [(day < block[0], fresh & np.isin(day, block)) for block in np.array_split(newest, BLOCKS) if len(block)]
    return [
        (before, test)
        for before, test in blocks
        if fraud[test].sum() >= FEWEST_IN_BLOCK and fraud[before & fresh].sum() >= FEWEST_IN_BLOCK
    ]


def _precision(held: list[tuple[Mask, Mask]], rows: Rows, fraud: Mask, plan: Plan) -> float:
    """Average precision, mean over the blocks."""
    log.info("training %s on the days before each of %d blocks", UPON if plan.on else SCRATCH, len(held))
    found = []
    for before, test in held:
        trained = fit(rows[before], fraud[before], *plan)
        found.append(average_precision_score(fraud[test], margins(trained, rows[test], plan.on)))
    return float(np.mean(found))
