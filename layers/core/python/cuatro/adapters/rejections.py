"""Rejected records -> one JSON-lines object in S3, which a repeated delivery overwrites."""

from collections.abc import Sequence

import msgspec

from cuatro.adapters.aws import called


class Rejection(msgspec.Struct, frozen=True):
    """One line: why, and the record as it came (`data` in base64), for `cuatro replay`."""

    reason: str
    field: str | None
    code: str
    received_at: str
    sequence_number: str
    partition_key: str
    shard: str
    data: str


def store(bucket: str, pipeline: str, rejections: Sequence[Rejection]) -> str:
    """Write the rejections of one batch; returns the object's key. Raises Unavailable or Refused."""
    first = rejections[0]
    day = first.received_at[:10].replace("-", "/")
    key = f"{pipeline}/{day}/{first.shard}-{first.sequence_number}.jsonl"
    called(
        "s3",
        "put_object",
        Bucket=bucket,
        Key=key,
        Body=msgspec.json.Encoder().encode_lines(rejections),
        ContentType="application/x-ndjson",
    )
    return key
