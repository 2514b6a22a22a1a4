"""A path below SageMaker's /opt/ml -> where it is: below SAGEMAKER_BASE_DIR, so that it runs without a container."""

import os
from pathlib import Path, PurePosixPath

BASE = PurePosixPath("/opt/ml")


def directory() -> Path:
    """What /opt/ml is here."""
    return Path(os.environ.get("SAGEMAKER_BASE_DIR") or BASE)


def resolved(path: str | PurePosixPath) -> Path:
    """A path of SageMaker's: below /opt/ml it is moved below the base directory, any other stays."""
    given = PurePosixPath(path)
    return directory() / given.relative_to(BASE) if given.is_relative_to(BASE) else Path(given)
