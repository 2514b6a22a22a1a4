"""Model record -> its artefact, fetched with the role's credentials and unpacked; or why not, in SageMaker's words."""

from pathlib import Path

from local.aws import storage
from local.aws.errors import AwsError
from local.aws.servers import NotServed
from local.aws.service import Service
from local.aws.store import Record


def fetch(service: Service, model: Record, base: Path) -> None:
    """Puts the model's artefact to base/model, once. Raises NotServed when it cannot be had or is no archive."""
    folder = base / "model"
    if folder.exists():
        return
    base.mkdir(parents=True, exist_ok=True)
    url = model["_container"].get("ModelDataUrl")
    if url is None:
        folder.mkdir()
        return
    archive, partial = base / "model.tar.gz", base / "unpacking"
    try:
        storage.fetch(storage.client(service, model["ExecutionRoleArn"]), url, archive)
    except (storage.StorageError, AwsError) as error:
        raise NotServed(
            f'Failed to download model data for container "container_1" from URL: "{url}". Please ensure that there is '
            f"an object located at the URL and that the role passed to CreateModel has permissions to download the "
            f"object. ({error})"
        ) from error
    try:
        storage.unpack(archive, partial)
    except storage.StorageError as error:
        raise NotServed(
            f'Failed to extract model data archive for container "container_1" from URL "{url}". Please ensure that '
            f"the object located at the URL is a valid tar.gz archive. ({error})"
        ) from error
    finally:
        archive.unlink(missing_ok=True)
    partial.rename(folder)
