"""Programs of the tests -> images of the platform: `register` names a script that stands for a repository."""

import json
import sys
from pathlib import Path

from local.platform.account import ACCOUNT, REGION
from local.platform.process import Platform

FOLDER = Path(__file__).parent


def register(platform: Platform, repository: str, script: str) -> str:
    """ImageUri of a script of this folder, run by the Python of the tests with `train` or `serve` as its argument."""
    file = platform.state / "sagemaker" / "images.json"
    known = json.loads(file.read_text()) if file.exists() else {}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({**known, repository: [sys.executable, str(FOLDER / script)]}))
    return f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{repository}:1"
