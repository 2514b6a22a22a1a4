"""A container of the tests that processes: its first argument says what it does."""

import json
import os
import sys
import time
from pathlib import Path

BASE = Path(os.environ["SAGEMAKER_BASE_DIR"])
OUTPUT = BASE / "processing" / "output"
FOREVER_S = 3600


def join() -> int:
    """What is in its inputs, and its arguments, as one file in its output."""
    given = BASE / "processing" / "input"
    files = {path.relative_to(given).as_posix(): path.read_text() for path in given.rglob("*") if path.is_file()}
    job = json.loads((BASE / "config" / "processingjobconfig.json").read_text())["ProcessingJobName"]
    known = {"files": files, "arguments": sys.argv[1:], "color": os.environ["COLOR"], "job": job}
    (OUTPUT / "deep").mkdir()
    (OUTPUT / "deep" / "joined.json").write_text(json.dumps(known))
    (BASE / "output" / "message").write_text(f"{len(files)} files joined")
    sys.stdout.write("joined\n")
    return 0


def fail() -> int:
    (OUTPUT / "half.txt").write_text("half")
    (BASE / "output" / "message").write_text("no labels in the window")
    return 4


def wait() -> int:
    sys.stdout.write("waiting\n")
    sys.stdout.flush()
    time.sleep(FOREVER_S)
    return 0


if __name__ == "__main__":
    sys.exit({"join": join, "fail": fail, "wait": wait}[sys.argv[1]]())
