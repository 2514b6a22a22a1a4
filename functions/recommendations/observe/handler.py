"""Stream of the profiles table -> what follows from the interactions in each outbox; what failed -> again."""

import time
from functools import partial
from typing import Any

import msgspec
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from cuatro.adapters.dynamodb import dynamo
from cuatro.changes import changes, failures
from cuatro.config import settings
from cuatro.errors import Unavailable
from cuatro.folding import mark_of
from functions.recommendations import outbox
from functions.recommendations.observe.effects import Send, observe
from functions.recommendations.observe.popularity import Delivery
from functions.recommendations.observe.settings import Settings

logger = Logger()
metrics = Metrics()


@metrics.log_metrics(capture_cold_start_metric=True)
@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Raises Unavailable when nothing could be done."""
    setting = settings(Settings)
    deliveries: list[Delivery] = []
    numbers: list[str] = []  # of their records
    damaged: list[str] = []
    for change in changes(event, ("d", "n")):
        if change.image is None or "d" not in change.image:
            continue
        try:
            recorded = outbox.decode(change.image["d"])
        except msgspec.DecodeError:
            logger.exception("damaged outbox", sequence_number=change.number)
            damaged.append(change.number)
            continue
        # A profile that was deleted and began anew has the same numbers again, with another outbox.
        mark = mark_of(change.key["user_id"], change.image.get("n", 0), change.image["d"])
        deliveries.append(Delivery(mark, recorded))
        numbers.append(change.number)
    also = _tracker(setting.personalize_dataset_group)
    observed = observe(deliveries, setting, dynamo(), int(time.time()), also)
    metrics.add_metric("InteractionsObserved", MetricUnit.Count, observed.interactions)
    metrics.add_metric("ShelvesWritten", MetricUnit.Count, observed.shelved.written)
    logger.info("batch", observed=observed.interactions, failed=observed.failed)
    if observed.shelved.damaged:
        logger.error("damaged shelves were begun anew", shelves=sorted(observed.shelved.damaged))
    if deliveries and len(observed.failed) == len(deliveries):
        raise Unavailable(observed.failed[0])
    return failures([*damaged, *(numbers[position] for position in observed.failed)])


def _tracker(dataset_group: str) -> Send | None:
    if not dataset_group:
        return None
    from cuatro.adapters import personalize  # noqa: PLC0415 - few suites use it

    return partial(personalize.put_events, dataset_group)
