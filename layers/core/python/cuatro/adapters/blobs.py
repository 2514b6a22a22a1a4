"""Whole objects of S3, by bucket and key: read within a limit, made once, copied, and removed with every version.

objects.py reads lakes, line by line; here an object is one thing that is there, or is not.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from cuatro.adapters.aws import called
from cuatro.errors import Refused, Rejected, Unavailable

_CHUNK = 1 << 20
_GONE = frozenset({"NoSuchKey", "404", "NotFound", "NoSuchVersion"})
_THERE = frozenset({"PreconditionFailed", "412"})
_RACED = frozenset({"ConditionalRequestConflict", "409"})
_UNLOCKED = frozenset({"NoSuchObjectLockConfiguration", "InvalidRequest", "ObjectLockConfigurationNotFoundError"})
VERSIONS_PER_CALL = 1000


class Head(NamedTuple):
    """size: bytes. type: the media type that it was put with."""

    size: int
    type: str
    tag: str


class Version(NamedTuple):
    """One version of an object, or a delete marker."""

    key: str
    id: str
    marker: bool


def head(bucket: str, key: str) -> Head | None:
    """None where there is no such object. Raises Unavailable or Refused."""
    try:
        found = called("s3", "head_object", Bucket=bucket, Key=key)
    except Refused as refused:
        if refused.code in _GONE:
            return None
        raise
    return Head(found["ContentLength"], found.get("ContentType", ""), found["ETag"])


def fetch(bucket: str, key: str, limit: int, first: int | None = None) -> bytes | None:
    """All of an object, or its `first` bytes; None where there is none.

    limit: bytes; a larger object is not read. Raises Rejected (code "oversized"), Unavailable, Refused. No key is in
    these errors' own words: a sender may have named the object.
    """
    from botocore.exceptions import BotoCoreError

    span: dict[str, Any] = {} if first is None else {"Range": f"bytes=0-{first - 1}"}
    try:
        answer = called("s3", "get_object", Bucket=bucket, Key=key, **span)
    except Refused as refused:
        if refused.code in _GONE:
            return None
        if refused.code == "InvalidRange":  # of an empty object
            return b""
        raise
    with answer["Body"] as body:
        if answer["ContentLength"] > limit:
            raise Rejected(
                f"the object has {answer['ContentLength']} bytes, at most {limit} are read", code="oversized"
            )
        try:
            content = bytearray()
            while chunk := body.read(_CHUNK):
                content += chunk
        except (BotoCoreError, OSError) as error:
            raise Unavailable("get_object: the connection broke") from error
    return bytes(content)


def put(bucket: str, key: str, content: bytes, type: str = "application/octet-stream") -> None:  # noqa: A002
    """Write; what was there becomes an older version. type: media type. Raises Unavailable or Refused."""
    called("s3", "put_object", Bucket=bucket, Key=key, Body=content, ContentType=type)


def create(bucket: str, key: str, content: bytes, type: str = "application/octet-stream") -> bool:  # noqa: A002
    """Write where nothing is; False if there is an object already. Raises Unavailable or Refused."""
    try:
        called("s3", "put_object", Bucket=bucket, Key=key, Body=content, ContentType=type, IfNoneMatch="*")
    except Refused as refused:
        if refused.code in _THERE:
            return False
        if refused.code in _RACED:  # another writer is at it: who is first shows at the next attempt
            raise Unavailable("put_object: written by another at the same time") from refused
        raise
    return True


def copy(bucket: str, key: str, to: str) -> bool:
    """A copy within the bucket, made by S3 itself; False where there is no such object. Raises Unavailable, Refused."""
    try:
        called("s3", "copy_object", Bucket=bucket, Key=to, CopySource={"Bucket": bucket, "Key": key})
    except Refused as refused:
        if refused.code in _GONE:
            return False
        raise
    return True


def remove(bucket: str, key: str) -> None:
    """In a versioned bucket the versions stay, below a marker. Raises Unavailable or Refused."""
    called("s3", "delete_object", Bucket=bucket, Key=key)


def versions(bucket: str, prefix: str) -> Iterator[Version]:
    """All versions and delete markers of all keys that begin so. Raises Unavailable or Refused."""
    more: dict[str, Any] = {}
    while True:
        page = called("s3", "list_object_versions", Bucket=bucket, Prefix=prefix, **more)
        for name, marker in (("Versions", False), ("DeleteMarkers", True)):
            yield from (Version(each["Key"], each["VersionId"], marker) for each in page.get(name, []))
        if not page.get("IsTruncated"):
            return
        more = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}


def locked(bucket: str, version: Version) -> str:
    """Why S3 would keep this version: "legal_hold", "compliance", "governance", or "" for no reason.

    Retention whose time is over is none. Nothing of the object is opened. Raises Unavailable or Refused.
    """
    if version.marker:
        return ""
    one = {"Bucket": bucket, "Key": version.key, "VersionId": version.id}
    if _lock("get_object_legal_hold", "LegalHold", one).get("Status") == "ON":
        return "legal_hold"
    retention = _lock("get_object_retention", "Retention", one)
    until = retention.get("RetainUntilDate")
    return str(retention["Mode"]).lower() if until and until > datetime.now(UTC) else ""


def _lock(operation: str, field: str, one: dict[str, str]) -> dict[str, Any]:
    try:
        return dict(called("s3", operation, **one).get(field, {}))  # type: ignore[arg-type]
    except Refused as refused:
        if refused.code in _UNLOCKED:  # this version has none, or none in the bucket can have one
            return {}
        raise


def remove_versions(bucket: str, found: Sequence[Version], kept: Callable[[Version, str], None]) -> int:
    """Remove for good; how many are gone. kept: told of each that S3 keeps (a lock, a hold) and S3's code for why.

    Raises Unavailable or Refused.
    """
    gone = 0
    for start in range(0, len(found), VERSIONS_PER_CALL):
        part = found[start : start + VERSIONS_PER_CALL]
        wanted = [{"Key": each.key, "VersionId": each.id} for each in part]
        answer = called("s3", "delete_objects", Bucket=bucket, Delete={"Objects": wanted, "Quiet": False})
        codes = {(each["Key"], each.get("VersionId", "")): each["Code"] for each in answer.get("Errors", [])}
        for each in part:
            code = codes.get((each.key, each.id))
            if code is None:
                gone += 1
            else:
                kept(each, code)
    return gone
