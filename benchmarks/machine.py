"""This machine and the packages that matter -> the lines that a figure is worth nothing without."""

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

PACKAGES = (
    "aws-lambda-powertools",
    "boto3",
    "botocore",
    "implicit",
    "msgspec",
    "numpy",
    "onnxruntime",
    "pandas",
    "pydantic",
    "xgboost-cpu",
)


def machine() -> dict[str, Any]:
    """Processor, cores, load average of the last minute, Python, packages."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
