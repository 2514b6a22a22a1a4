"""The image cannot be built here: its Dockerfile is linted; what it copies is there, what it runs has its packages."""

import ast
import fnmatch
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.models.container_process import ROOT

DOCKERFILE = ROOT / "models" / "container" / "Dockerfile"
JOBS = ("dataset", "gate", "fitting")
MODULES = (
    "models.container.main",
    *(f"models.{pipeline}.{job}" for pipeline in ("fraud", "recommendations", "sentiment") for job in JOBS),
    "models.recommendations.serving",
    "models.sentiment.serving",
)


def copied() -> dict[str, str]:
    """Source in the build context -> place in the image."""
    return dict(re.findall(r"^COPY (\S+) (\S+)$", DOCKERFILE.read_text(), re.MULTILINE))


def ignored(path: str) -> bool:
    """Docker's rule for .dockerignore: the last line that matches decides; a directory stands for what is in it."""
    out = False
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.removeprefix("!")
        places = [path, *(parent.as_posix() for parent in Path(path).parents)]
        if pattern and not line.startswith("#"):
            plain = pattern.removeprefix("**/")
            if any(fnmatch.fnmatch(place, pattern) or fnmatch.fnmatch(place, f"*/{plain}") for place in places):
                out = not line.startswith("!")
    return out


def test_the_linter_finds_nothing() -> None:
    found = subprocess.run(
        [Path(sys.executable).parent / "hadolint", DOCKERFILE], capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stdout) == (0, "")


def test_the_linter_would_find_something(tmp_path: Path) -> None:
    bad = tmp_path / "Dockerfile"
    bad.write_text(DOCKERFILE.read_text().replace("python:3.12", "python:latest #").replace("--no-cache-dir ", ""))
    found = subprocess.run([Path(sys.executable).parent / "hadolint", bad], capture_output=True, text=True, check=False)
    assert found.returncode == 1
    assert "DL3042" in found.stdout


def test_what_is_copied_is_there_and_in_the_build_context() -> None:
    assert len(copied()) == 4
    for source in copied():
        assert (ROOT / source).exists(), source
        assert not ignored(source), source
    assert ignored("cdk/config.py")
    assert ignored(".git/config")
    assert ignored("models/fraud/__pycache__/gate.cpython-311.pyc")


@pytest.mark.parametrize("module", MODULES)
def test_what_runs_is_copied(module: str) -> None:
    path = Path(importlib.util.find_spec(module).origin).relative_to(ROOT)  # type: ignore[union-attr, arg-type]
    assert any(path.is_relative_to(source) for source in copied()), path


def test_the_entry_point_takes_sagemakers_word() -> None:
    (entry,) = re.findall(r'^ENTRYPOINT \["python", "-m", "([\w.]+)"\]$', DOCKERFILE.read_text(), re.MULTILINE)
    assert entry == "models.container.main"


def test_the_code_imports_only_what_the_image_installs() -> None:
    distributions = {"sklearn": "scikit-learn", "google": "protobuf"}
    lines = (ROOT / "models" / "container" / "requirements.txt").read_text().splitlines()
    installed = {line.partition("==")[0] for line in lines if re.match(r"[a-z]", line)}
    code = (
        f"import sys, {', '.join(MODULES)}, models.container.serving, models.container.training\n"
        "print(*(module.__file__ for name, module in list(sys.modules.items()) "
        "if name.startswith(('models.', 'functions.', 'cuatro.')) and module.__file__))"
    )
    environment = {"PYTHONPATH": f"{ROOT}:{ROOT / 'layers' / 'core' / 'python'}"}
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    files = [Path(name) for name in ran.stdout.split()]
    assert len(files) > 20
    wanted = {name for file in files for name in imported(file)} - sys.stdlib_module_names
    outside = {distributions.get(name, name) for name in wanted - {"models", "functions", "cuatro"}}
    assert outside <= installed


def imported(file: Path) -> set[str]:
    """The first parts of the names that a module imports, but for what it imports inside functions."""
    found = set()
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(str(node.module).partition(".")[0])
    return found
