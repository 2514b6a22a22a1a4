"""An object that somebody else has put -> its hash and first bytes; a copy of those very bytes.

Whoever puts an object may have named it after a person, so no key is in any error here, nor what S3 says of it.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from cuatro.adapters.aws import called
from cuatro.errors import Refused, Unavailable

MAX_COPY_BYTES = 5 << 30
"""S3 copies no larger object in one call."""
_CHUNK = 1 << 20
_GONE = frozenset({"NoSuchKey", "404", "NotFound", "NoSuchVersion"})
_CHANGED = frozenset({"PreconditionFailed", "412"})


class Taken(NamedTuple):
    """sha256: of all bytes, in hexadecimal. first: at most as many as asked for. tag: of what was read."""

    sha256: str
    first: bytes
    size: int
    tag: str


def measure(bucket: str, key: str) -> tuple[int, str] | None:
    """Bytes and tag; None where there is no such object. Raises Unavailable or Refused."""
    with _nameless("head_object"):
        try:
            found = called("s3", "head_object", Bucket=bucket, Key=key)
        except Refused as refused:
            if refused.code in _GONE:
                return None
            raise
        return int(found["ContentLength"]), str(found["ETag"])


def take(bucket: str, key: str, first: int) -> Taken | None:
    """Reads all of an object, keeps its `first` bytes; None where there is none. Raises Unavailable or Refused."""
    from botocore.exceptions import BotoCoreError

    with _nameless("get_object"):
        try:
            answer = called("s3", "get_object", Bucket=bucket, Key=key)
        except Refused as refused:
            if refused.code in _GONE:
                return None
            raise
        digest, kept, size = hashlib.sha256(), bytearray(), 0
        with answer["Body"] as body:
            try:
                while chunk := body.read(_CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
                    kept += chunk[: max(0, first - len(kept))]
            except (BotoCoreError, OSError):
                raise Unavailable("get_object: the connection broke") from None
        return Taken(digest.hexdigest(), bytes(kept), size, answer["ETag"])


def copy(bucket: str, key: str, to: str, tag: str, type: str) -> bool:  # noqa: A002
    """A copy of the bytes that have this tag, with no metadata or tags of the original; False where they are no more.

    Raises Unavailable or Refused.
    """
    with _nameless("copy_object"):
        try:
            called(
                "s3",
                "copy_object",
                Bucket=bucket,
                Key=to,
                CopySource={"Bucket": bucket, "Key": key},
                CopySourceIfMatch=tag,
                ContentType=type,
                MetadataDirective="REPLACE",
                TaggingDirective="REPLACE",
            )
        except Refused as refused:
            if refused.code in _GONE | _CHANGED:
                return False
            raise
        return True


def discard(bucket: str, key: str, tag: str) -> None:
    """Remove the bytes that have this tag for good, and what lay there before; where S3 must keep them, below a marker.

    Bytes that were put there in the meantime stay. A version that is removed would uncover the one before it, so those
    are removed first. Raises Unavailable or Refused.
    """
    with _nameless("delete_object"):
        page = called("s3", "list_object_versions", Bucket=bucket, Prefix=key)
        found = [each for each in page.get("Versions", []) if each["Key"] == key]  # the newest first
        ours = next((number for number, each in enumerate(found) if each["ETag"] == tag), len(found))
        for each in reversed(found[ours:]):
            try:
                called("s3", "delete_object", Bucket=bucket, Key=key, VersionId=each["VersionId"])
            except Refused as refused:
                if refused.code not in {"AccessDenied", "InvalidRequest", "403"}:
                    raise
                if found[ours]["IsLatest"]:
                    called("s3", "delete_object", Bucket=bucket, Key=key)  # a lock holds its versions
                return


@contextmanager
def _nameless(operation: str) -> Iterator[None]:
    """S3 names the key when it refuses a call, and the error's text ends in a log."""
    try:
        yield
    except Refused as refused:
        raise Refused(operation, refused.code, "S3 refused it") from None
    except Unavailable:
        raise Unavailable(f"{operation}: S3 did not do it") from None
