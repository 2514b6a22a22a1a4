"""A folder -> the drop prefix: every file once, changed ones again, under the names they have."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from local.feed.drops import Dropped, drop
from local.platform.errors import PlatformError


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="identified")
        yield client


@pytest.fixture
def share(tmp_path: Path) -> Path:
    folder = tmp_path / "share"
    for name, text in (("a.dcm", b"one"), ("room 1/ü.dcm", b"two"), (".hidden", b"no"), (".git/x", b"no")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text)
    (folder / "link.dcm").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").write_bytes(b"not of the share")
    return folder


def keys(s3: Any) -> dict[str, bytes]:
    found = s3.list_objects_v2(Bucket="identified").get("Contents", [])
    return {each["Key"]: s3.get_object(Bucket="identified", Key=each["Key"])["Body"].read() for each in found}


def test_files_are_copied_under_their_names(s3: Any, share: Path, tmp_path: Path) -> None:
    assert drop(s3, "identified", "north", share, tmp_path / "memory.json") == Dropped(2, 0)
    assert keys(s3) == {"drop/north/a.dcm": b"one", "drop/north/room 1/ü.dcm": b"two"}


def test_only_what_is_new_or_changed_is_copied_again(s3: Any, share: Path, tmp_path: Path) -> None:
    memory = tmp_path / "state" / "memory.json"
    drop(s3, "identified", "north", share, memory)
    assert memory.stat().st_mode & 0o777 == 0o600
    for key in keys(s3):  # the pipeline takes them out
        s3.delete_object(Bucket="identified", Key=key)
    (share / "new.dcm").write_bytes(b"three")
    (share / "a.dcm").write_bytes(b"ONE")
    os.utime(share / "a.dcm", ns=(1, 1))
    assert drop(s3, "identified", "north", share, memory) == Dropped(2, 1)
    assert keys(s3) == {"drop/north/a.dcm": b"ONE", "drop/north/new.dcm": b"three"}
    assert drop(s3, "identified", "south", share, memory) == Dropped(3, 0)


def test_what_was_copied_before_a_fault_is_not_copied_again(s3: Any, share: Path, tmp_path: Path) -> None:
    class Failing:
        def upload_file(self, name: str, bucket: str, key: str) -> None:
            if "room" in key:
                raise ConnectionError(key)
            s3.upload_file(name, bucket, key)

    memory = tmp_path / "memory.json"
    with pytest.raises(ConnectionError):
        drop(Failing(), "identified", "north", share, memory)
    assert drop(s3, "identified", "north", share, memory) == Dropped(1, 1)


def test_a_folder_that_is_none_is_said(s3: Any, tmp_path: Path) -> None:
    with pytest.raises(PlatformError, match="is no folder"):
        drop(s3, "identified", "north", tmp_path / "nowhere", tmp_path / "memory.json")
