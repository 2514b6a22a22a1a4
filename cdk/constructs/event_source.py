"""Stream -> function: batches, partial failures, bisection, bounded retries, then the failures queue. None is lost."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_sqs as sqs

from cdk.config import Target
from cdk.constructs.suite_function import SuiteFunction

BATCH = 100
# Of a table's changes, those that carry an outbox: the attribute `d`.
WITH_OUTBOX = lambda_.FilterCriteria.filter({"dynamodb": {"NewImage": {"d": {"B": lambda_.FilterRule.exists()}}}})


def consume_stream(reader: SuiteFunction, stream: kinesis.Stream, *, failures: sqs.IQueue, target: Target) -> None:
    """Let `reader` take records from the Kinesis `stream`, pushed by enhanced fan-out where the profile pays for it."""
    stream.grant(
        reader.role,
        "kinesis:DescribeStream",
        "kinesis:DescribeStreamSummary",
        "kinesis:GetRecords",
        "kinesis:GetShardIterator",
        "kinesis:ListShards",
    )
    source = stream.stream_arn
    if target.profile.enhanced_fan_out:
        name = f"{reader.node.id.lower()}-{reader.node.addr[-8:]}"  # the one resource that CloudFormation does not name
        consumer = kinesis.StreamConsumer(reader, "FanOut", stream=stream, stream_consumer_name=name)
        consumer.grant(reader.role, "kinesis:DescribeStreamConsumer", "kinesis:SubscribeToShard")
        source = consumer.stream_consumer_arn
    _map(reader, source, failures=failures, target=target)


def consume_table(
    reader: SuiteFunction,
    table: dynamodb.Table,
    *,
    failures: sqs.IQueue,
    target: Target,
    only: Mapping[str, Any] | None = None,
    batch: int = BATCH,
    window_s: int = 0,
) -> None:
    """Let `reader` take changes of `table` from its stream; `only` is a pattern that filters them first.

    window_s: how long Lambda waits for a `batch` to fill, where fewer calls are worth more than haste.
    """
    source = table.table_stream_arn
    if source is None:
        raise ValueError(f"{table.node.path} has no stream")
    reader.role.add_to_policy(
        iam.PolicyStatement(
            # ListStreams for this stream alone, as AWS SAM grants it; CDK's own grant asks for every stream there is.
            actions=[
                "dynamodb:DescribeStream",
                "dynamodb:GetRecords",
                "dynamodb:GetShardIterator",
                "dynamodb:ListStreams",
            ],
            resources=[source],
        )
    )
    _map(
        reader,
        source,
        failures=failures,
        target=target,
        filters=[only] if only else None,
        batch=batch,
        window_s=window_s,
    )


def _map(
    reader: SuiteFunction,
    source: str,
    *,
    failures: sqs.IQueue,
    target: Target,
    filters: list[Mapping[str, Any]] | None = None,
    batch: int = BATCH,
    window_s: int = 0,
) -> None:
    mapping = lambda_.EventSourceMapping(
        reader,
        "Source",
        target=reader.reached,
        event_source_arn=source,
        starting_position=lambda_.StartingPosition.TRIM_HORIZON,
        batch_size=batch,
        max_batching_window=Duration.seconds(window_s),
        report_batch_item_failures=True,
        bisect_batch_on_error=True,
        retry_attempts=target.retry_attempts,
        max_record_age=Duration.hours(target.max_record_age_hours),
        on_failure=event_sources.SqsDlq(failures),
        filters=filters,
    )
    mapping.node.add_dependency(reader.role)  # AWS refuses a mapping whose role may not read the stream yet
    reader.alarm_when_behind(target)
