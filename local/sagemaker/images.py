"""ImageUri -> the program that stands for that image here: without Docker, an image is code that is here already.

The repository `cuatro-models` is this project's own container (models/container), run from this tree by its Python;
`factorization-machines`, AWS's built-in algorithm, has a stand-in that reads and writes the same files.
Other images can be given a program in `<the platform's state>/sagemaker/images.json`, which is read at each use:
{"<repository>": ["<python>", "<script>", ...]}. It gets `train` or `serve` as its last argument, as SageMaker's
containers do.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path

from local.aws.containers import Program
from local.platform.process import ROOT

REPOSITORY = "cuatro-models"
REGISTERED = "images.json"
PYTHON = ROOT / ".venv" / "bin" / "python"
OWN: dict[str, Sequence[str]] = {
    REPOSITORY: (str(PYTHON), "-m", "models.container.main"),
    "factorization-machines": (str(PYTHON), "-m", "models.recommendations.factorization.algorithm"),
}
_IMAGE = re.compile(r"^(?:[^/]*[.:][^/]*/)?(?P<repository>[^:@]+)(?::[^@/]+)?(?:@sha256:[0-9a-f]{64})?$")


class UnknownImageError(Exception):
    """No program stands for this image; str() says which images there are."""


def command(
    state: Path, image: str, verb: str, entrypoint: Sequence[str] | None = None, arguments: Sequence[str] | None = None
) -> Program:
    """Program of `image`: its own entry point with `verb` (or none), or `entrypoint` in its place, as Docker has it.

    `python` in an entry point is the Python of the image. Raises UnknownImageError.
    """
    own = _program(state, image)
    if entrypoint:
        first, *rest = entrypoint
        words = [own[0] if first in ("python", "python3") else first, *rest]
    else:
        words = [*own, *([verb] if verb and not arguments else [])]
    return Program([*words, *(arguments or ())], ROOT)


def repository(image: str) -> str:
    """`123456789012.dkr.ecr.us-east-1.amazonaws.com/a/b:tag` -> `a/b`."""
    found = _IMAGE.match(image)
    return found["repository"] if found else image


def _program(state: Path, image: str) -> Sequence[str]:
    name = repository(image)
    file = state / REGISTERED
    registered: dict[str, list[str]] = json.loads(file.read_text()) if file.exists() else {}
    if name in registered:
        return registered[name]
    if name in OWN:
        return OWN[name]
    raise UnknownImageError(
        f"Cannot pull image {image}: without Docker, only images that stand for a program run on the local platform: "
        f"{', '.join(sorted({*OWN, *registered}))}. Name a program for {name} in {file}"
    )
