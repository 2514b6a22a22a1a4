"""Objects of S3: listed, read whole or line by line (plain or gzip, as their first bytes say), and written."""

import zlib
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from cuatro.adapters.aws import called
from cuatro.errors import Rejected, Unavailable

_CHUNK = 1 << 20
_GZIP = b"\x1f\x8b"


class Found(NamedTuple):
    """An object of a listing. modified: unix seconds."""

    key: str
    size: int
    modified: float


def listed(bucket: str, prefix: str) -> Iterator[Found]:
    """All objects whose key begins so, in the order of their keys. Raises Unavailable or Refused."""
    more: dict[str, Any] = {}
    while True:
        page = called("s3", "list_objects_v2", Bucket=bucket, Prefix=prefix, **more)
        for each in page.get("Contents", []):
            yield Found(each["Key"], each["Size"], each["LastModified"].timestamp())
        if not page.get("IsTruncated"):
            return
        more = {"ContinuationToken": page["NextContinuationToken"]}


def folders(bucket: str, prefix: str) -> Iterator[str]:
    """Prefixes one level below `prefix`, which ends with "/", as they do. Raises Unavailable or Refused."""
    more: dict[str, Any] = {}
    while True:
        page = called("s3", "list_objects_v2", Bucket=bucket, Prefix=prefix, Delimiter="/", **more)
        yield from (each["Prefix"] for each in page.get("CommonPrefixes", []))
        if not page.get("IsTruncated"):
            return
        more = {"ContinuationToken": page["NextContinuationToken"]}


def lines(bucket: str, key: str) -> Iterator[bytes]:
    """Lines without their ends; at most a megabyte of the object is in memory.

    Raises Unavailable, Refused, and Rejected when the object is damaged.
    """
    rest = b""
    for chunk in _plain(_chunks(bucket, key), key):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line for line in whole if line)
    if rest:
        yield rest


def read(uri: str, limit: int) -> bytes:
    """The object at s3://bucket/key. Raises Rejected when it is larger than `limit` bytes, Unavailable, Refused."""
    parts = urlsplit(uri)
    content = bytearray()
    for chunk in _chunks(parts.netloc, parts.path.lstrip("/")):
        content += chunk
        if len(content) > limit:
            raise Rejected(f"{uri} has more than {limit} bytes")
    return bytes(content)


def put_json(bucket: str, key: str, content: Any) -> str:
    """Write; returns the s3:// URI. Raises Unavailable or Refused."""
    body = msgspec.json.format(msgspec.json.encode(content), indent=1)
    called("s3", "put_object", Bucket=bucket, Key=key, Body=body, ContentType="application/json")
    return f"s3://{bucket}/{key}"


def put(bucket: str, key: str, content: bytes) -> None:
    """Write. Raises Unavailable or Refused."""
    called("s3", "put_object", Bucket=bucket, Key=key, Body=content)


def _chunks(bucket: str, key: str) -> Iterator[bytes]:
    from botocore.exceptions import BotoCoreError

    body = called("s3", "get_object", Bucket=bucket, Key=key)["Body"]
    try:
        while chunk := body.read(_CHUNK):
            yield chunk
    except (BotoCoreError, OSError) as error:
        raise Unavailable(f"s3://{bucket}/{key}: {error}") from error


def _plain(chunks: Iterable[bytes], key: str) -> Iterator[bytes]:
    """gzip is unpacked, also several streams one after the other, a piece at a time."""
    unpacking: Any = None
    begun = False
    for chunk in chunks:
        if not begun:
            begun = True
            unpacking = zlib.decompressobj(31) if chunk.startswith(_GZIP) else None
        if unpacking is None:
            yield chunk
            continue
        left, piece = chunk, b""
        while left or (len(piece) == _CHUNK and not unpacking.eof):  # all that is read may not be all that is there
            if unpacking.eof:
                unpacking = zlib.decompressobj(31)
            try:
                piece = unpacking.decompress(left, _CHUNK)
            except zlib.error as error:
                raise Rejected(f"{key} is damaged: {error}") from None
            yield piece
            left = unpacking.unconsumed_tail or unpacking.unused_data
    if unpacking is not None and not unpacking.eof:
        raise Rejected(f"{key} is damaged: it ends in the middle")
