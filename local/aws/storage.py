"""S3 -> folders of a container, and back, as the job's role: what the role may not do fails the job in AWS's words."""

import gzip
import json
import lzma
import os
import shutil
import tarfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from local.aws.service import Service

BLOCK = 1 << 20


class StorageError(Exception):
    """S3 refused it, or there is nothing; str() is AWS's wording, without `ClientError: ` before it."""


def _refusals() -> tuple[type[Exception], ...]:
    """What boto3 raises, asked for when something is raised: to import boto3 takes the platform's start long."""
    from boto3.exceptions import Boto3Error  # noqa: PLC0415

    return ClientError, BotoCoreError, Boto3Error


def client(service: "Service", role_arn: str) -> Any:
    """S3 client with the role's credentials. Raises ValidationException when the role cannot be assumed."""
    return service.client("s3", service.credentials(role_arn))


def split(uri: str) -> tuple[str, str]:
    """`s3://bucket/key` -> (bucket, key). Raises StorageError for anything else."""
    parts = urlsplit(uri, allow_fragments=False)
    if parts.scheme != "s3" or not parts.netloc:
        raise StorageError(f'Please use a valid S3 URI, such as s3://bucket/prefix, in place of "{uri}".')
    return parts.netloc, uri.removeprefix(f"s3://{parts.netloc}").removeprefix("/")


def join(uri: str, *names: str) -> str:
    """An S3 URI with names below it, whether or not it ends with a slash."""
    return "/".join([uri.rstrip("/"), *names])


def keys(s3: Any, uri: str) -> list[str]:
    """Keys that begin with the URI's, without the empty objects that consoles make for folders.

    Raises StorageError when there are none or they may not be listed.
    """
    bucket, prefix = split(uri)
    try:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        found = [entry["Key"] for page in pages for entry in page.get("Contents", ()) if not entry["Key"].endswith("/")]
    except (ClientError, BotoCoreError) as error:
        raise StorageError(_nothing(s3, uri, bucket) + f" Error message from S3: {_message(error)}") from error
    if not found:
        raise StorageError(_nothing(s3, uri, bucket))
    return found


def fetch(s3: Any, uri: str, path: Path) -> None:
    """One object -> a file. Raises StorageError."""
    bucket, key = split(uri)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        s3.download_file(bucket, key, str(path))
    except _refusals() as error:
        raise StorageError(f"Failed to download data. Cannot read {uri}: {_message(error)}") from error
    except OSError as error:  # a key may be what no file can be called, or the folder of another key
        raise StorageError(f"Failed to download data. {uri} cannot be a file: {error.strerror}") from error


def fetch_prefix(s3: Any, uri: str, folder: Path, *, unzip: bool = False) -> list[Path]:
    """Objects below a prefix -> files with the paths that follow its last slash. One object -> one file.

    Raises StorageError.
    """
    bucket, prefix = split(uri)
    found = keys(s3, uri)
    # s3://b/data and s3://b/data/ both put data/a/x.csv to a/x.csv; s3://b/da, too, begins it: then it is data/a/x.csv
    below = f"{prefix.rstrip('/')}/" if prefix else ""
    root = below if all(key.startswith(below) for key in found) else prefix[: prefix.rfind("/") + 1]
    return [_fetched(s3, f"s3://{bucket}/{key}", folder, key.removeprefix(root), unzip=unzip) for key in found]


def fetch_manifest(s3: Any, uri: str, folder: Path, *, unzip: bool = False) -> list[Path]:
    """Manifest [{"prefix": "s3://bucket/a/"}, "b.csv", ...] -> those objects as files of their relative names."""
    file = folder.parent / f"{folder.name}-manifest"
    fetch(s3, uri, file)
    try:
        head, *names = json.loads(file.read_bytes())
        prefix = head["prefix"]
        wanted = {str(name): f"{prefix}{name}" for name in names}
    except (ValueError, TypeError, KeyError) as error:
        raise StorageError(
            f'The manifest {uri} is not valid: [{{"prefix": "s3://..."}}, "name", ...] is expected.'
        ) from error
    finally:
        file.unlink()
    if not wanted:
        raise StorageError(f"The manifest {uri} names no object.")
    return [_fetched(s3, source, folder, name, unzip=unzip) for name, source in wanted.items()]


def put(s3: Any, path: Path, uri: str, what: str = "Artifact upload failed", *, kms_key: str | None = None) -> None:
    """A file -> one object, encrypted with the key where one is named. Raises StorageError that begins with `what`."""
    bucket, key = split(uri)
    encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else None
    try:
        s3.upload_file(str(path), bucket, key, ExtraArgs=encryption)
    except _refusals() as error:
        raise StorageError(f"{what}: Cannot write {uri}: {_message(error)}") from error


def put_folder(s3: Any, folder: Path, uri: str, kms_key: str | None = None) -> None:
    """Files of a folder -> objects below the URI. Raises StorageError."""
    for path in files(folder):
        put(s3, path, join(uri, path.relative_to(folder).as_posix()), kms_key=kms_key)


def files(folder: Path) -> list[Path]:
    """Files of a folder, and below it, in order; none when it is not there."""
    return sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else []


def pack(folder: Path, archive: Path) -> None:
    """Folder -> tar.gz of what is in it, always the same bytes for the same files."""
    with (
        archive.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w") as tar,
    ):
        for path in files(folder):
            member = tar.gettarinfo(path, path.relative_to(folder).as_posix())
            member.mtime = member.uid = member.gid = 0
            member.uname = member.gname = ""
            with path.open("rb") as content:
                tar.addfile(member, content)


def unpack(archive: Path, folder: Path) -> None:
    """tar or tar.gz -> folder. Raises StorageError for a broken archive, or one that would write elsewhere."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
            while tar.fileobj and tar.fileobj.read(BLOCK):  # the checksum stands at the end
                pass
    except (tarfile.TarError, OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise StorageError(f"{archive.name} cannot be unpacked: {error}") from error


def _fetched(s3: Any, uri: str, folder: Path, name: str, *, unzip: bool) -> Path:
    path = Path(os.path.normpath(folder / name))
    if not path.is_relative_to(folder) or path == folder:
        raise StorageError(f"S3 key: {uri} has an illegal char sub-sequence in it")
    fetch(s3, uri, path)
    if unzip:
        packed = path.with_name(f"{path.name}.packed")
        path.rename(packed)
        try:
            with gzip.open(packed) as source, path.open("wb") as target:
                shutil.copyfileobj(source, target)
        except (OSError, EOFError, zlib.error) as error:
            raise StorageError(f"Failed to decompress {uri}: {error}") from error
        packed.unlink()
    return path


def _nothing(s3: Any, uri: str, bucket: str) -> str:
    return (
        f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that the bucket exists in '
        f"the selected region ({s3.meta.region_name}), that objects exist under that S3 prefix, and that the role has "
        f'"s3:ListBucket" permissions on bucket "{bucket}".'
    )


def _message(error: Exception) -> str:
    """What S3 said. A HEAD request has no body to say it in."""
    if isinstance(error, ClientError):
        told = error.response["Error"]
        known = {"403": "Access Denied", "404": "The specified key does not exist."}
        return known.get(told.get("Code", ""), told.get("Message") or str(error))
    return str(error)
