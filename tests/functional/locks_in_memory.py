"""Locks of objects as S3 tells them: moto keeps what was put and cannot be asked for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from unittest import mock

from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends

from cuatro.adapters import blobs
from cuatro.errors import Refused

_NONE = "NoSuchObjectLockConfiguration"


@contextmanager
def locks() -> Iterator[None]:
    """GetObjectRetention and GetObjectLegalHold, for blobs.locked."""
    called = blobs.called

    def answer(service: str, operation: str, **given: Any) -> Any:
        if operation not in {"get_object_retention", "get_object_legal_hold"}:
            return called(service, operation, **given)
        bucket = s3_backends[DEFAULT_ACCOUNT_ID]["aws"].get_bucket(given["Bucket"])
        if not bucket.object_lock_enabled:
            raise Refused(operation, "InvalidRequest", "Bucket is missing Object Lock Configuration")
        key = s3_backends[DEFAULT_ACCOUNT_ID]["aws"].get_object(given["Bucket"], given["Key"], given["VersionId"])
        if operation == "get_object_legal_hold":
            if key.lock_legal_status is None:
                raise Refused(operation, _NONE, "no hold")
            return {"LegalHold": {"Status": key.lock_legal_status}}
        if key.lock_until is None:
            raise Refused(operation, _NONE, "no retention")
        return {"Retention": {"Mode": key.lock_mode, "RetainUntilDate": datetime.fromisoformat(key.lock_until)}}

    with mock.patch.object(blobs, "called", answer):
        yield
