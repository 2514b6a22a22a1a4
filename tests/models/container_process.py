"""A directory in place of /opt/ml, and the container's entry point in a process of its own, as SageMaker runs it."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE_S = 60


class Answer(NamedTuple):
    """Of an HTTP request."""

    status: int
    kind: str
    body: bytes


def environment(base: Path, **more: str) -> dict[str, str]:
    """What SageMaker gives, and where the code is."""
    path = f"{ROOT}:{ROOT / 'layers' / 'core' / 'python'}"
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, "PYTHONPATH": path, "SAGEMAKER_BASE_DIR": str(base), "CUATRO_MODEL": "fraud", **more}


def prepared(base: Path, hyperparameters: Mapping[str, str], channels: Mapping[str, Path]) -> Path:
    """input/ as a training job has it."""
    config = base / "input" / "config"
    config.mkdir(parents=True)
    (config / "hyperparameters.json").write_text(json.dumps(dict(hyperparameters)))
    (config / "resourceconfig.json").write_text(json.dumps({"current_host": "algo-1", "hosts": ["algo-1"]}))
    (config / "inputdataconfig.json").write_text(json.dumps({name: {} for name in channels}))
    (base / "input" / "data").mkdir()
    for name, directory in channels.items():
        (base / "input" / "data" / name).symlink_to(directory)
    return base


def command(word: str) -> list[str]:
    """The image's ENTRYPOINT with SageMaker's argument."""
    return [sys.executable, "-m", "models.container.main", word]


def run(word: str, base: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Until it ends by itself."""
    return subprocess.run(
        command(word), env=environment(base, **more), cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S,
        check=False,
    )  # fmt: skip


def free_port() -> int:
    """One that nobody listens on now."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextmanager
def serving(base: Path, **more: str) -> Iterator["Server"]:
    """A server that answers /ping; ended by SIGTERM."""
    port = free_port()
    process = subprocess.Popen(
        command("serve"), env=environment(base, SAGEMAKER_BIND_TO_PORT=str(port), **more), cwd=ROOT
    )
    server = Server(port, process)
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not server.up():
            assert process.poll() is None, "serve ended by itself"
            assert time.monotonic() < deadline, "serve does not answer /ping"
            time.sleep(0.05)
        yield server
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


class Server(NamedTuple):
    """Where it listens."""

    port: int
    process: subprocess.Popen[bytes]

    def up(self) -> bool:
        """Does it answer /ping?"""
        try:
            return self.request("GET", "/ping").status == 200
        except OSError:
            return False

    def request(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """Any request; names of headers with _ for -."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", body, named, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:  # noqa: S310
                return Answer(answer.status, answer.headers["Content-Type"], answer.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.headers["Content-Type"], error.read())

    def invoke(self, body: bytes, kind: str = "application/json", **headers: str) -> Answer:
        """POST /invocations."""
        return self.request("POST", "/invocations", body, Content_Type=kind, **headers)
