"""Objects one by one: what is there, what is not, what is too large, and every version gone for good."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from cuatro.adapters import blobs
from cuatro.adapters.blobs import Version
from cuatro.errors import Refused, Rejected, Unavailable
from tests.functional.aws_in_memory import Wire, wired
from tests.functional.locks_in_memory import locks
from tests.functional.stage import CREDENTIALS, REGION, client


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    """A versioned bucket, `kept`."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with wired() as wire, locks():
        client("s3").create_bucket(Bucket="kept", CreateBucketConfiguration={"LocationConstraint": REGION})
        client("s3").put_bucket_versioning(Bucket="kept", VersioningConfiguration={"Status": "Enabled"})
        yield wire


def test_what_is_put_is_fetched(wire: Wire) -> None:
    blobs.put("kept", "k", b"abc", "application/dicom")

    assert blobs.fetch("kept", "k", 3) == b"abc"
    assert blobs.fetch("kept", "k", 3, first=2) == b"ab"
    found = blobs.head("kept", "k")
    assert found
    assert (found.size, found.type) == (3, "application/dicom")


def test_what_is_not_there_is_none(wire: Wire) -> None:
    assert blobs.fetch("kept", "k", 10) is None
    assert blobs.head("kept", "k") is None
    assert blobs.copy("kept", "k", "l") is False


def test_the_first_bytes_of_an_empty_object_are_none(wire: Wire) -> None:
    blobs.put("kept", "k", b"")

    assert blobs.fetch("kept", "k", 10, first=5) == b""


def test_more_than_the_limit_is_not_read(wire: Wire) -> None:
    blobs.put("kept", "k", b"abcd")

    with pytest.raises(Rejected) as rejected:
        blobs.fetch("kept", "k", 3)
    assert rejected.value.code == "oversized"


def test_an_object_is_created_once(wire: Wire) -> None:
    assert blobs.create("kept", "k", b"first")
    assert not blobs.create("kept", "k", b"second")
    assert blobs.fetch("kept", "k", 10) == b"first"


def test_a_copy_is_the_same_bytes(wire: Wire) -> None:
    blobs.put("kept", "a folder/k", b"abc")

    assert blobs.copy("kept", "a folder/k", "l")
    assert blobs.fetch("kept", "l", 3) == b"abc"


def test_no_version_is_left_of_what_is_removed_for_good(wire: Wire) -> None:
    for content in (b"1", b"2"):
        blobs.put("kept", "p/k", content)
    blobs.remove("kept", "p/k")
    blobs.put("kept", "q/k", b"another's")

    found = list(blobs.versions("kept", "p/"))
    gone = blobs.remove_versions("kept", found, pytest.fail)

    assert (len(found), gone, sum(each.marker for each in found)) == (3, 3, 1)
    assert not list(blobs.versions("kept", "p/"))
    assert blobs.fetch("kept", "q/k", 10) == b"another's"


def test_versions_are_listed_page_by_page(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        blobs.put("kept", f"p/{number}", b"x")
    whole = blobs.called

    def paged(service: str, operation: str, **parameters: object) -> object:
        return whole(service, operation, **parameters, **({"MaxKeys": 2} if "list" in operation else {}))

    monkeypatch.setattr(blobs, "called", paged)
    assert len(list(blobs.versions("kept", "p/"))) == 5


@pytest.fixture
def locking(wire: Wire) -> str:
    """A bucket with object lock, and in it one object."""
    client("s3").create_bucket(
        Bucket="locking", CreateBucketConfiguration={"LocationConstraint": REGION}, ObjectLockEnabledForBucket=True
    )
    blobs.put("locking", "p/k", b"x")
    return "locking"


def test_what_is_free_is_not_locked(locking: str) -> None:
    (version,) = blobs.versions(locking, "p/")

    assert blobs.locked(locking, version) == ""
    blobs.remove(locking, "p/k")
    assert [blobs.locked(locking, each) for each in blobs.versions(locking, "p/")] == ["", ""]


def test_a_bucket_that_cannot_lock_has_nothing_locked(wire: Wire) -> None:
    blobs.put("kept", "p/k", b"x")
    (version,) = blobs.versions("kept", "p/")

    assert blobs.locked("kept", version) == ""


def test_a_legal_hold_locks(locking: str) -> None:
    client("s3").put_object_legal_hold(Bucket=locking, Key="p/k", LegalHold={"Status": "ON"})
    (version,) = blobs.versions(locking, "p/")

    assert blobs.locked(locking, version) == "legal_hold"


@pytest.mark.parametrize(("days", "why"), [(1, "compliance"), (-1, "")])
def test_retention_locks_until_it_is_over(locking: str, days: int, why: str) -> None:
    until = datetime.now(UTC) + timedelta(days=days)
    client("s3").put_object_retention(
        Bucket=locking, Key="p/k", Retention={"Mode": "COMPLIANCE", "RetainUntilDate": until}
    )
    (version,) = blobs.versions(locking, "p/")

    assert blobs.locked(locking, version) == why


def test_what_s3_keeps_is_told(wire: Wire) -> None:
    """A hold that was set between the look and the deletion; the double in memory would not keep it by itself."""
    for key in ("p/free", "p/held"):
        blobs.put("kept", key, b"x")
    found = list(blobs.versions("kept", "p/"))
    error = "<Error><Key>p/held</Key><VersionId>\\1</VersionId><Code>AccessDenied</Code><Message>no</Message></Error>"
    deleted = r"<Deleted>\s*<Key>p/held</Key>\s*<VersionId>([^<]*)</VersionId>.*?</Deleted>"
    wire.edit_text("POST", lambda answer: re.sub(deleted, error, _text(answer), flags=re.DOTALL))
    kept: list[tuple[Version, str]] = []

    gone = blobs.remove_versions("kept", found, lambda each, code: kept.append((each, code)))

    assert gone == 1
    assert [(each.key, code) for each, code in kept] == [("p/held", "AccessDenied")]


@pytest.mark.parametrize(("status", "raises"), [(500, Unavailable), (403, Refused)])
def test_faults_are_told_apart(wire: Wire, status: int, raises: type[Exception]) -> None:
    wire.refuse("GetObject", "AccessDenied", status=status)

    with pytest.raises(raises):
        blobs.fetch("kept", "k", 10)


def _text(answer: str | bytes) -> str:
    return answer.decode() if isinstance(answer, bytes) else answer
