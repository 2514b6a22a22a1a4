"""Module name and arguments -> what runs it in the suite's own Python: the platform's has no numpy and no ONNX."""

from local.aws.containers import Program
from local.platform.process import ROOT

PYTHON = ROOT / ".venv" / "bin" / "python"


def program(module: str, *arguments: str) -> Program:
    """`python -m module arguments`, in the project's tree."""
    return Program([str(PYTHON), "-m", module, *arguments], ROOT)
