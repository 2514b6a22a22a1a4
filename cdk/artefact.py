"""models/<pipeline>/ -> the shipped model's model.tar.gz, as training would have left it; the same bytes every time."""

import gzip
import hashlib
import io
import json
import os
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

import onnx

from cdk.archive import BUILD, ROOT, digest

_MODEL = "model.onnx"
_MEMBERS = (_MODEL, "metrics.json", "golden.json")
# What a model cannot be used without stands beside it, in the archive as in the layer.
_BESIDE = "tokenizer.*"
_COMPILED = "model.neuron-*.pt"


@dataclass(frozen=True)
class Artefact:
    """A model.tar.gz, the version of the model in it, and which features it takes: functions.<pipeline>.FEATURE_SET."""

    path: Path
    version: str
    feature_set: str


def shipped(pipeline: str, root: Path = ROOT) -> Artefact:
    """The model of the repository. Raises FileNotFoundError, with the command that makes it, when there is none."""
    home = root / "models" / pipeline
    files = {name: home / name for name in _MEMBERS}
    missing = [path for path in files.values() if not path.exists()]
    if missing:
        raise FileNotFoundError(f"{missing[0]}: missing; make it: python -m models.{pipeline}.train --help")
    files |= {path.name: path for path in sorted(home.glob(_BESIDE))}
    return Artefact(_packed(pipeline, files), *_metadata(files[_MODEL]))


def compiled(pipeline: str, root: Path = ROOT) -> Artefact:
    """The model compiled for Inferentia. Raises FileNotFoundError, with the command that makes it: it needs a machine
    with the Neuron SDK, which no package index has."""
    home = root / "models" / pipeline
    compiled_to = home / "neuron"
    files = {path.name: path for path in (*compiled_to.glob(_COMPILED), compiled_to / _MODEL) if path.exists()}
    if len(files) < 2:
        made, model = compiled_to.relative_to(root), (home / _MODEL).relative_to(root)
        by = pipeline if (home / "neuron.py").exists() else "container"  # a model of trees has no compiler of its own
        raise FileNotFoundError(
            f"{made}/{_COMPILED}: missing; serving=inferentia needs the model compiled for it. Compile it on a machine "
            f"with the AWS Neuron SDK: python -m models.{by}.neuron --model {model} --out {made}"
        )
    return Artefact(_packed(f"{pipeline}-neuron", files), *_metadata(files[_MODEL]))


def _packed(name: str, files: dict[str, Path]) -> Path:
    """The files as a model.tar.gz, made once for their content."""
    made = BUILD / "models" / f"{name}-{digest(files, 'tar')}.tar.gz"
    if not made.exists():
        made.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=made.parent, prefix=".making-"), made.name)
        draft.write_bytes(gzip.compress(_tar(files), mtime=0))
        os.replace(draft, made)  # noqa: PTH105 - atomic, unlike a move
        draft.parent.rmdir()
    return made


def _tar(files: dict[str, Path]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, path in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = path.stat().st_size, 0o644
            with path.open("rb") as content:
                tar.addfile(entry, content)
    return buffer.getvalue()


def _metadata(model: Path) -> tuple[str, str]:
    properties = {each.key: each.value for each in onnx.load(str(model), load_external_data=False).metadata_props}
    # A list of their names, or the name of all of them.
    told = properties["features"]
    features = "\n".join(json.loads(told)) if told.startswith("[") else told
    return properties["version"], hashlib.sha256(features.encode()).hexdigest()[:12]
