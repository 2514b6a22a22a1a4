"""Stream of the aggregates table, or the clock -> brands judged anew: alerts begin and end, people and the bus know."""

import time
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from cuatro.adapters.dynamodb import dynamo
from cuatro.changes import changes, failures
from cuatro.config import settings
from cuatro.errors import Unavailable
from functions.sentiment.aggregates import place
from functions.sentiment.watch.effects import watch
from functions.sentiment.watch.settings import Settings

logger = Logger()
metrics = Metrics()


@metrics.log_metrics(capture_cold_start_metric=True)
@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """An event without records is the clock's: all brands. Raises Unavailable when no brand could be judged."""
    setting, store = settings(Settings), dynamo()
    if "Records" in event:
        numbers = _touched(event)
    else:
        numbers = {item["brand"]: "" for item in store.scan(setting.brands_table, ("brand",))}
    watched = watch(numbers, setting, store, int(time.time()))
    metrics.add_metric("BrandsWatched", MetricUnit.Count, len(numbers))
    metrics.add_metric("AlertsRaised", MetricUnit.Count, len(watched.raised))
    logger.info("watched", brands=len(numbers), raised=len(watched.raised), cleared=len(watched.cleared),
                failed=watched.failed)  # fmt: skip
    if watched.damaged:
        logger.error("damaged rows were passed over", rows=sorted(watched.damaged))
    if watched.failed and ("Records" not in event or len(watched.failed) == len(numbers)):
        raise Unavailable(next(iter(watched.failed.values())))
    return failures(numbers[brand] for brand in watched.failed)


def _touched(event: dict[str, Any]) -> dict[str, str]:
    """Brands whose minutes have changed, each with the number of its first record."""
    numbers: dict[str, str] = {}
    for change in changes(event, ("n",)):
        brand, grain, _ = place(change.key["bucket"])
        if change.image is not None and grain == "minute":
            numbers.setdefault(brand, change.number)
    return numbers
