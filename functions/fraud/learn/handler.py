"""Stream of the labels table -> terminals' risk and decisions, label by label; what failed -> again."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord

from cuatro.adapters.attributes import decoded_image
from cuatro.adapters.dynamodb import dynamo
from cuatro.config import settings
from functions.fraud.learn.fold import fold
from functions.fraud.learn.settings import Settings

logger = Logger()
metrics = Metrics()
processor = BatchProcessor(event_type=EventType.DynamoDBStreams)


@metrics.log_metrics(capture_cold_start_metric=True)
@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> PartialItemFailureResponse:
    """Raises BatchProcessingError when nothing could be done."""
    return process_partial_response(event, _learn, processor, context)


def _learn(record: DynamoDBRecord) -> None:
    image = record.raw_event["dynamodb"].get("NewImage")
    if image is None:  # a label was deleted by hand; what it taught stays
        return
    label = decoded_image(image)
    fold(label, settings(Settings), dynamo())
    metrics.add_metric("LabelsLearned", MetricUnit.Count, 1)
    logger.info("label", transaction_id=label["transaction_id"], fraud=label["fraud"], source=label["source"])
