"""functions/<pipeline> -> the archive that Lambda runs: that pipeline's modules and byte code, no other pipeline's."""

from pathlib import Path

from cdk.archive import BUILD, ROOT, archive, digest, place, sources

_SUFFIXES = (".py", ".json")


def function_archive(pipeline: str, root: Path = ROOT) -> Path:
    """The zip of functions/__init__.py and functions/<pipeline>/, so that handlers keep the names that tests import."""
    package = root / "functions"
    files = {f"functions/{pipeline}/{name}": path for name, path in sources(package / pipeline, _SUFFIXES).items()}
    files["functions/__init__.py"] = package / "__init__.py"

    made = BUILD / "functions" / f"{pipeline}-{digest(files)}.zip"
    return archive(made, lambda folder: place(files, folder), mounted_at="/var/task")
