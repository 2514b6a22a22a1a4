"""Records as they come -> a file that waits -> Parquet in S3, in the layout and with the columns that AWS has.

A record waits a moment, so that a file holds many; it waits on disk, so that it outlives the platform. AWS takes up to
15 minutes for the same. Written with the credentials of the group's role; when they do not suffice, the store is
Blocked with the reason, and what waits is tried again.
"""

import io
import json
import logging
import secrets
import string
import threading
import time
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from local.aws.errors import AwsError
from local.aws.service import Service
from local.aws.store import Record

LOG = logging.getLogger(__name__)
FLUSH_S = 1.0
KIND = "feature-group"

_lock = threading.RLock()  # one writer: a file is read, written to S3 and removed as a whole
_due = threading.Event()
_ending = threading.Event()
_writers: dict[int, threading.Thread] = {}


def keep(service: Service, group: Record, typed: dict[str, Any], event_time: float, *, deleted: bool) -> None:
    """Takes a record for the offline store."""
    now = time.time()
    line = json.dumps({"record": typed, "event_time": event_time, "invoked": now, "deleted": deleted})
    with _lock:
        with _waiting(service, group).open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        _write_soon(service)


def flush(service: Service, group: Record) -> None:
    """Writes what waits of a group. What cannot be written stays, and the group tells why."""
    with _lock:
        path = _waiting(service, group)
        if not path.exists():
            return
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        try:
            _write(service, group, rows)
        except (AwsError, ClientError, BotoCoreError) as error:
            _status(service, group, {"Status": "Blocked", "BlockedReason": str(error)[:1024]})
            return
        path.unlink()
        _status(service, group, {"Status": "Active"})


def forget(service: Service, group: Record) -> None:
    """Drops what could not be written of a group that is deleted."""
    with _lock:
        _waiting(service, group).unlink(missing_ok=True)


def recover(service: Service) -> None:
    """What an earlier platform left is written soon."""
    _ending.clear()
    if any(_directory(service).glob("*.jsonl")):
        _write_soon(service)


def end(service: Service) -> None:
    """Writes everything that waits."""
    _ending.set()
    _due.set()
    writer = _writers.pop(id(service), None)
    if writer:
        writer.join(timeout=5)


def key_of(rows: list[dict[str, Any]]) -> str:
    """Name of a file of rows of one hour: year=.../month=.../day=.../hour=.../<latest event time>_<random>.parquet."""
    latest = datetime.fromtimestamp(max(row["event_time"] for row in rows), UTC)
    letters = string.ascii_letters + string.digits
    own = "".join(secrets.choice(letters) for _ in range(16))
    return latest.strftime(f"year=%Y/month=%m/day=%d/hour=%H/%Y%m%dT%H%M%SZ_{own}.parquet")


def parquet(group: Record, rows: list[dict[str, Any]], write_time: float) -> bytes:
    """Rows as a Parquet file: the group's features and write_time, api_invocation_time, is_deleted."""
    import pyarrow as pa  # noqa: PLC0415 - only when records are kept offline
    import pyarrow.parquet as pq  # noqa: PLC0415

    types = {"Integral": pa.int64(), "Fractional": pa.float64(), "String": pa.string()}
    moment = pa.timestamp("ms")
    columns = {}
    for definition in group["FeatureDefinitions"]:
        name, kind = definition["FeatureName"], types[definition["FeatureType"]]
        kind = pa.list_(kind) if "CollectionType" in definition else kind
        columns[name] = pa.array([row["record"].get(name) for row in rows], kind)
    columns["write_time"] = pa.array([int(write_time * 1000)] * len(rows), moment)
    columns["api_invocation_time"] = pa.array([int(row["invoked"] * 1000) for row in rows], moment)
    columns["is_deleted"] = pa.array([row["deleted"] for row in rows], pa.bool_())
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


def _write(service: Service, group: Record, rows: list[dict[str, Any]]) -> None:
    storage = group["OfflineStoreConfig"]["S3StorageConfig"]
    place = urlsplit(storage["ResolvedOutputS3Uri"])
    encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key} if (key := storage.get("KmsKeyId")) else {}
    s3 = service.client("s3", service.credentials(group["RoleArn"]))
    for of_an_hour in _by_hour(rows):
        s3.put_object(
            Bucket=place.netloc,
            Key=f"{place.path.strip('/')}/{key_of(of_an_hour)}",
            Body=parquet(group, of_an_hour, time.time()),
            **encryption,
        )


def _by_hour(rows: list[dict[str, Any]]) -> Iterable[list[dict[str, Any]]]:
    hours: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        hours[int(row["event_time"] // 3600)].append(row)
    return hours.values()


def _status(service: Service, group: Record, status: dict[str, str]) -> None:
    if group.get("OfflineStoreStatus") == status:
        return
    LOG.info("the offline store of %s is %s", group["FeatureGroupName"], status)

    def change(record: dict[str, Any]) -> None:
        record["OfflineStoreStatus"] = status

    service.store.table(KIND).change(group["FeatureGroupArn"], change)


def _write_soon(service: Service) -> None:
    _due.set()
    if id(service) not in _writers:
        writer = threading.Thread(target=_keep_writing, args=(service,), name="offline-store", daemon=True)
        _writers[id(service)] = writer
        writer.start()


def _keep_writing(service: Service) -> None:
    while True:
        _due.wait()
        _ending.wait(FLUSH_S)
        _due.clear()
        for path in sorted(_directory(service).glob("*.jsonl")):
            group = next((g for g in service.store.table(KIND).all() if _waiting(service, g) == path), None)
            if group is None:
                LOG.warning("%s is removed: its feature group was deleted while it came", path)
                path.unlink()
                continue
            try:
                flush(service, group)
            except Exception:  # the other groups are still written
                LOG.exception("%s was not written", path)
            if path.exists() and not _ending.is_set():
                _due.set()
        if _ending.is_set():
            return


def _directory(service: Service) -> Path:
    directory = service.state / "offline"
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def _waiting(service: Service, group: Record) -> Path:
    return _directory(service) / f"{quote(group['FeatureGroupName'], safe='')}-{int(group['CreationTime'])}.jsonl"
