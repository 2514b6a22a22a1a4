"""A directory with one model.tar.gz, whatever its name -> its files; and files -> a model.tar.gz."""

import tarfile
from pathlib import Path


def unpack(directory: Path, into: Path) -> None:
    """Raises ValueError for a directory without exactly one file, and for an archive that is damaged or climbs out."""
    # Whatever it is called: a deployment's asset has its hash for a name.
    archives = [path for path in sorted(directory.glob("*")) if path.is_file()]
    if len(archives) != 1:
        raise ValueError(f"one archive (model.tar.gz) is expected in {directory}, there are {len(archives)} files")
    try:
        with tarfile.open(archives[0]) as archive:
            archive.extractall(into, filter="data")
    except (tarfile.TarError, EOFError, OSError) as error:
        raise ValueError(f"{archives[0]} cannot be unpacked: {error}") from error


def pack(directory: Path, archive: Path) -> None:
    """The files of a directory as a model.tar.gz, as a training job leaves what is in /opt/ml/model."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive, "w:gz") as tar:
        for path in sorted(directory.iterdir()):
            tar.add(path, path.name)
