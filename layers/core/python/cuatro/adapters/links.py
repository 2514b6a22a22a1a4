"""An object of S3 -> an address by which it is read, or written, for a while, with the rights of whoever made the link.

Signed with Signature Version 4, as objects under a KMS key want it.
"""

from functools import cache
from typing import Any

from cuatro.adapters.aws import _session


def link(bucket: str, key: str, seconds: int, type: str) -> str:  # noqa: A002
    """type: the media type that the answer will have. No call is made: a missing object or grant shows when it is read.

    Raises Unavailable without credentials.
    """
    parameters = {"Bucket": bucket, "Key": key, "ResponseContentType": type, "ResponseCacheControl": "no-store"}
    return str(_client().generate_presigned_url("get_object", Params=parameters, ExpiresIn=seconds))


def upload(bucket: str, key: str, size: int, seconds: int) -> str:
    """For a while it takes one PUT of exactly `size` bytes, from whoever has it. Raises Unavailable, as `link` does."""
    parameters = {"Bucket": bucket, "Key": key, "ContentLength": size}
    return str(_client().generate_presigned_url("put_object", Params=parameters, ExpiresIn=seconds))


@cache
def _client() -> Any:
    from botocore.config import Config

    return _session().create_client("s3", config=Config(signature_version="s3v4"))
