"""The Feature Store: feature groups, their latest records online, and every record offline as Parquet in S3."""

from local.aws.service import Operation, Service
from local.sagemaker.features import groups, offline, online, records

OPERATIONS: dict[str, Operation] = {**groups.OPERATIONS, **records.OPERATIONS}


def recover(service: Service) -> None:
    """What was not written yet when the platform ended is written soon."""
    offline.recover(service)


def end(service: Service) -> None:
    """Writes what waits, closes the online store."""
    offline.end(service)
    online.close(service)
