"""Name of a Debian DICOM program -> its path, or the test is skipped: local/debian.sh fetches them where apt is."""

import subprocess
from pathlib import Path

import pytest

from local.platform.process import ROOT

TOOLS = ROOT / ".tools"


def program(name: str) -> Path:
    """Path of dcmdump, dciodvfy, storescu, Orthanc, ...; skips the test where it was not fetched."""
    found = TOOLS / "bin" / name
    if not found.exists():
        pytest.skip(f"needs {name}: local/debian.sh fetches it where there is apt")
    return found


def output(name: str, *arguments: str | Path, fails: bool = False) -> str:
    """What a program prints, to both streams. Fails when it ends with an error, or does not where it must (`fails`)."""
    done = subprocess.run([program(name), *arguments], capture_output=True, text=True, errors="replace", timeout=60,
                          check=False)  # fmt: skip
    said = done.stdout + done.stderr
    assert bool(done.returncode) == fails, f"{name} ended with {done.returncode}:\n{said}"
    return said


def errors(file: Path) -> list[str]:
    """What dciodvfy, dicom3tools' validator, finds wrong with a DICOM file by its IOD; warnings are not among it."""
    done = subprocess.run([program("dciodvfy"), "-new", file], capture_output=True, text=True, errors="replace",
                          timeout=60, check=False)  # fmt: skip
    return [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("Error")]
