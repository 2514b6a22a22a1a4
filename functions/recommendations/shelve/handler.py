"""Stream of the items table -> the shelf of what is new in the catalogue; what failed -> again."""

import time
from functools import partial
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from cuatro.adapters.dynamodb import dynamo
from cuatro.changes import changes, failures
from cuatro.config import settings
from cuatro.errors import Unavailable
from cuatro.folding import Plan, fold, mark_of
from functions.recommendations import shelves
from functions.recommendations.policy import policies
from functions.recommendations.shelve.arrivals import listing, stocked
from functions.recommendations.shelve.settings import Settings

logger = Logger()
metrics = Metrics()


@metrics.log_metrics(capture_cold_start_metric=True)
@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Raises Unavailable: the whole batch goes to one shelf, so it is written or it is not."""
    setting, now_ms = settings(Settings), int(time.time() * 1000)
    new_days = policies(setting.policy).whole.new_days
    found = list(changes(event, ("available", "added", "category")))
    listings = [listing(each.key["item_id"], each.image, now_ms, new_days) for each in found]
    mark = mark_of(*(each.number for each in found))
    stock = partial(stocked, now_ms=now_ms, new_days=new_days)
    expires_s = now_ms // 1000 + shelves.new_lasts_s(new_days)
    plan = Plan(setting.shelves_table, shelves.KEY, stock, lambda _shelf: expires_s, now_ms // 1000)
    shelved = fold({shelves.NEW: {mark: listings}}, plan, dynamo())
    if shelved.damaged:
        logger.error("damaged shelf was begun anew", shelf=shelves.NEW)
    if shelved.failed:
        raise Unavailable(shelved.failed[shelves.NEW])
    new = sum(each.new is not None for each in listings)
    metrics.add_metric("NewItems", MetricUnit.Count, new)
    logger.info("batch", items=len(listings), new=new)
    return failures(())
