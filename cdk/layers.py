"""layers/<name>/requirements.txt (pinned, hashed) + own packages -> a slim Lambda layer, built once for its content.

Where the host is the Linux that Lambda is, both targets share one archive: the laptop runs the bytes that AWS gets.
"""

import hashlib
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path

from cdk.archive import BUILD, ROOT, archive, digest, place, sources
from cdk.config import PYTHON, LayerPlatform
from cdk.slim import SLIM, Slim

# glibc 2.28 or newer: Lambda's Amazon Linux 2023 has 2.34.
_LAMBDA = "x86_64-manylinux_2_28"


def layer_archive(name: str, for_platform: LayerPlatform, root: Path = ROOT) -> Path:
    """The layer `name` ("core", ...), packages under python/. Raises RuntimeError when one cannot be had."""
    home = root / "layers" / name
    slim = SLIM[name]
    wheels = _LAMBDA if for_platform == "lambda" or _host_is_lambdas_linux() else "host"
    own = {f"python/{path}": source for path, source in sources(home / "python", (".py", ".json")).items()}
    content = digest({**own, "requirements.txt": home / "requirements.txt"}, wheels, repr(slim))

    def fill(folder: Path) -> None:
        began = time.monotonic()
        _say(f"layer {name}: fetching {', '.join(slim.keep)} for {wheels} (once; up to a minute)")
        _install(home / "requirements.txt", slim, folder / "python", wheels)
        place(own, folder)
        _say(f"layer {name}: installed in {time.monotonic() - began:.0f} s")

    return archive(BUILD / "layers" / f"{name}-{content}.zip", fill, mounted_at="/opt")


def model_archive(pipeline: str, shadow: bool, root: Path = ROOT) -> Path:
    """The layer that holds the pipeline's model (and, when `shadow`, the second version) under models/<pipeline>/, with
    the tokenizer where it has one."""
    names = ["model.onnx", *(["shadow.onnx"] if shadow else [])]
    names += sorted(path.name for path in (root / "models" / pipeline).glob("tokenizer.*"))
    return network_archive(pipeline, "model", *names, root=root)


def network_archive(pipeline: str, label: str, *names: str, root: Path = ROOT) -> Path:
    """The layer that holds these files of models/<pipeline>/, in a folder of that name.

    Beside each lies its SHA-256, which the loader compares before it loads.
    """
    files = {f"models/{pipeline}/{name}": root / "models" / pipeline / name for name in names}
    missing = [name for name, path in files.items() if not path.exists()]
    if missing:
        raise FileNotFoundError(f"{', '.join(missing)}: missing; make it: python -m models.{pipeline}.train --help")
    made = BUILD / "layers" / f"{pipeline}-{label}-{digest(files, 'sha256')}.zip"

    def fill(folder: Path) -> None:
        place(files, folder)
        for name in files:
            model = folder / name
            model.with_name(f"{model.name}.sha256").write_text(hashlib.sha256(model.read_bytes()).hexdigest())

    return archive(made, fill, mounted_at="/opt")


def _host_is_lambdas_linux() -> bool:
    return sys.platform == "linux" and platform.machine() == "x86_64"


def _install(requirements: Path, slim: Slim, target: Path, wheels: str) -> None:
    where = (
        ("--python", sys.executable) if wheels == "host" else ("--python-platform", wheels, "--python-version", PYTHON)
    )
    target.mkdir(parents=True)
    pinned = target.parent / "requirements.txt"
    pinned.write_text(_only(requirements.read_text(encoding="utf-8"), slim.keep), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps", "--require-hashes",
         "--only-binary", ":all:",
         "--link-mode", "copy", "--target", str(target), *where, "--requirement", str(pinned)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    pinned.unlink()
    if done.returncode:
        raise RuntimeError(f"the packages of {requirements} cannot be installed for {wheels}:\n{done.stderr}")
    for glob in slim.drop:
        for path in list(target.glob(glob)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _only(requirements: str, keep: tuple[str, ...]) -> str:
    """The pins (with their hash lines) of the distributions in `keep`."""
    pins: list[list[str]] = []
    for line in requirements.splitlines():
        if line[:1].isalnum():
            pins.append([line])
        elif line.startswith(" ") and pins:
            pins[-1].append(line)
    return "\n".join("\n".join(pin) for pin in pins if pin[0].split("==")[0] in keep) + "\n"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - the CDK CLI passes stderr on to whoever waits
