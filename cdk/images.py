"""models/, functions/ and layers/core -> the build context of the models' image, and its digest: the code's version."""

import os
import shutil
import tempfile
from pathlib import Path

from cdk.archive import BUILD, ROOT, digest, place, sources

DOCKERFILE = "models/container/Dockerfile"
# What runs in the image, and what a gate measures with. A model is no part of it: it comes by S3, so that a new model
# needs no new image.
_COPIED = {"models": (".py", ".txt", ".jsonl"), "functions": (".py", ".json"), "layers/core/python": (".py", ".json")}


def image_context(root: Path = ROOT) -> tuple[Path, str]:
    """(directory to build from, digest of all that is in it). The same files give the same directory."""
    files = {
        f"{folder}/{name}": path
        for folder, suffixes in _COPIED.items()
        for name, path in sources(root / folder, suffixes).items()
    }
    if (root / DOCKERFILE).exists():
        files[DOCKERFILE] = root / DOCKERFILE
    version = digest(files)
    context = BUILD / "images" / version
    if not context.exists():
        context.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=context.parent, prefix=".making-"))
        place(files, draft)
        try:
            os.replace(draft, context)  # noqa: PTH105 - atomic, unlike a move
        except OSError:  # another synth made the same in the meantime
            shutil.rmtree(draft)
    return context, version
