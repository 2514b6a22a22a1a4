"""What differs between the cost profiles (minimal, standard, production), each difference with its reason."""

from dataclasses import dataclass
from typing import Annotated

from aws_cdk.aws_logs import RetentionDays

from cdk.why import Why


@dataclass(frozen=True)
class Profile:
    """What the suite costs and stands: capacity, memory, retention. `minimal` is the cheapest that does everything."""

    name: str
    shards: Annotated[
        int | None,
        Why(
            "one shard is the cheapest stream; None is on demand, which scales itself",
            "*.ShardCount",
            "*.StreamModeDetails.*",
        ),
    ] = 1
    stream_retention_hours: Annotated[
        int, Why("longer retention leaves more time for a replay, and is paid for", "*.RetentionPeriodHours")
    ] = 24
    enhanced_fan_out: Annotated[
        bool,
        Why(
            "pushes records in about 70 ms instead of a poll a second, for a price",
            "AWS::Kinesis::StreamConsumer",
            "AWS::IAM::Policy.*.Statement*",
            "*.EventSourceArn",
        ),
    ] = False
    score_memory_mb: Annotated[int, Why("1,769 MB is one whole vCPU; memory is paid by use", "*.MemorySize")] = 1024
    job_memory_mb: Annotated[int, Why("memory is paid by use")] = 512
    log_retention: Annotated[
        RetentionDays, Why("logs are kept as long as somebody needs them", "*.RetentionInDays")
    ] = RetentionDays.ONE_WEEK
    object_retention_days: Annotated[
        int, Why("rejected records and access logs are kept as long as needed", "*.ExpirationInDays")
    ] = 30
    archive_days: Annotated[
        int, Why("the bus's archive replays events; worth its storage in production", "AWS::Events::Archive")
    ] = 0
    api_rate: Annotated[
        int, Why("requests a second that the API admits, against surprises", "*.ThrottlingRateLimit")
    ] = 50
    api_burst: Annotated[int, Why("requests at once that the API admits", "*.ThrottlingBurstLimit")] = 100
    iterator_age_alarm_s: Annotated[
        int, Why("how far behind decisions may be before somebody is told", "AWS::CloudWatch::Alarm.*.Threshold")
    ] = 300


MINIMAL = Profile("minimal")
STANDARD = Profile(
    "standard",
    shards=2,
    stream_retention_hours=48,
    score_memory_mb=1769,
    log_retention=RetentionDays.ONE_MONTH,
    object_retention_days=90,
    archive_days=7,
    api_rate=200,
    api_burst=400,
    iterator_age_alarm_s=60,
)
PRODUCTION = Profile(
    "production",
    shards=None,
    stream_retention_hours=168,
    enhanced_fan_out=True,
    score_memory_mb=1769,
    log_retention=RetentionDays.ONE_YEAR,
    object_retention_days=365,
    archive_days=30,
    api_rate=1000,
    api_burst=2000,
    iterator_age_alarm_s=30,
)

PROFILES = {profile.name: profile for profile in (MINIMAL, STANDARD, PRODUCTION)}
