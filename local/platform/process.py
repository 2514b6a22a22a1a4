"""(state directory, port) -> a platform in the background, found again by that directory, ended by its pid."""

import contextlib
import json
import os
import signal
import subprocess
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from local.emulator import certificates, restart
from local.platform.account import HOST, IDENTITY_PATH, PORT
from local.platform.errors import PlatformError

ROOT = Path(__file__).resolve().parents[2]
STATE = Path(os.environ.get("CUATRO_STATE", ROOT / ".local"))
PYTHON = ROOT / ".venv" / "platform" / "bin" / "python"
LOG = "platform.log"
TAIL_LINES = 25

# Platforms that this process started: an ended child stays known to the system until its parent asks.
_children: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True)
class Platform:
    """A platform that answered: its process, its port and the directory of its files."""

    pid: int
    port: int
    state: Path
    secure_port: int

    @property
    def endpoint(self) -> str:
        """URL for AWS_ENDPOINT_URL."""
        return f"http://{HOST}:{self.port}"

    @property
    def secure_endpoint(self) -> str:
        """URL of the same by TLS; clients verify it by `authority`."""
        return f"https://localhost:{self.secure_port}"

    @property
    def authority(self) -> Path:
        """PEM file of the certificate authority that vouches for the TLS port."""
        return certificates.files(self.state).authority

    @property
    def log(self) -> Path:
        """Log of the platform's process."""
        return self.state / LOG


def running(state: Path = STATE) -> Platform | None:
    """The platform of this state directory, if it runs and answers; another platform on its port does not count."""
    try:
        known = json.loads((state / "platform.json").read_text())
        with urllib.request.urlopen(f"http://{HOST}:{known['port']}{IDENTITY_PATH}", timeout=5) as answer:
            identity = json.load(answer)
    except (OSError, ValueError, KeyError):
        return None
    if identity.get("pid") != known["pid"] or "secure_port" not in known:
        return None
    return Platform(known["pid"], known["port"], state, known["secure_port"])


def start(state: Path = STATE, port: int = PORT, timeout: float = 60) -> Platform:
    """Starts a platform, or finds the one that runs already; port 0 takes a free one. Returns when it answers.

    Raises PlatformError when it ends or does not answer within `timeout` seconds.
    """
    found = running(state)
    if found:
        return found
    if not PYTHON.exists():
        raise PlatformError("The platform's virtual environment .venv/platform is missing.", "Run `make setup`.")
    state.mkdir(parents=True, exist_ok=True)
    (state / "platform.json").unlink(missing_ok=True)
    log = state / LOG
    with log.open("wb") as output:
        process = subprocess.Popen(
            [PYTHON, "-m", "local.gateway", "--port", str(port), "--state", state],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C in the terminal does not reach it; its functions are in its group
        )
    _children[process.pid] = process
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise PlatformError(
                "The platform did not start.", f"Read {log}; for a taken port use `cuatro up --port 0`.", tail(log)
            )
        found = running(state)
        if found and found.pid == process.pid:
            return found
        time.sleep(0.05)
    process.kill()
    raise PlatformError(
        f"The platform did not answer within {timeout:.0f} s.", f"Read {log}, then try again.", tail(log)
    )


def stop(state: Path = STATE, timeout: float = 60) -> bool:
    """Ends the platform of this state directory with every process of its functions. False when none ran.

    It keeps its state for the next start there, unless it takes longer than `timeout` seconds to save it.
    """
    found = running(state)
    if not found:
        return False
    os.kill(found.pid, signal.SIGTERM)
    deadline = time.monotonic() + timeout
    while _alive(found.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    with contextlib.suppress(ProcessLookupError, PermissionError):  # what is left of its group, as after a hard end
        os.killpg(found.pid, signal.SIGKILL)
    (state / "platform.json").unlink(missing_ok=True)
    return True


def forget(state: Path = STATE) -> bool:
    """Ends the platform of this state directory and removes all that it kept. False when there was nothing."""
    found = stop(state) or any((state / name).exists() for name in restart.KEPT)
    restart.remove(state)
    return found


def tail(log: Path, lines: int = TAIL_LINES) -> str:
    """Last lines of a log file; empty when there is none."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""


def _alive(pid: int) -> bool:
    """Whether the process runs."""
    if pid in _children:
        return _children[pid].poll() is None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
