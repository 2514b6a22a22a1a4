"""Labels of reviewed images -> a zip file with a folder for each label, as training and evaluation read it.

A task's label is its study's: it is given to each of the study's images, heat maps left out.
"""

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from local.platform.client import Connection

_PICTURES = ("image/png", "image/jpeg")
_PREFIX = "image"


def written(connection: Connection, labels: Sequence[dict[str, Any]], file: Path) -> int:
    """How many pictures are in it. An image that is there no longer (its patient was erased) is left out.

    Folders are the labels in upper case. Raises botocore's errors.
    """
    from botocore.exceptions import ClientError  # noqa: PLC0415 - botocore takes long to import

    s3, number = connection.client("s3"), 0
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for label in labels:
            for each in label["attachments"]:
                if each["type"] not in _PICTURES or not each["name"].startswith(_PREFIX):
                    continue
                try:
                    content = s3.get_object(Bucket=each["bucket"], Key=each["key"])["Body"].read()
                except ClientError as error:
                    if error.response["Error"]["Code"] != "NoSuchKey":
                        raise
                    continue
                suffix = each["type"].rpartition("/")[2]
                archive.writestr(f"{label['label'].upper()}/{label['task']}-{each['name']}.{suffix}", content)
                number += 1
    return number
