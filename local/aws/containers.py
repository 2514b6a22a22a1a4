"""Program -> a process that stands for a SageMaker container: its own folders, environment, bounds and log.

It has what SageMaker gives a container (job's variables, the role's credentials, SAGEMAKER_BASE_DIR in place of
/opt/ml) and nothing of the platform's environment. It ends with the platform, however hard that ends.
"""

import contextlib
import json
import math
import os
import re
import signal
import subprocess
import sys
import threading
import uuid
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.aws.errors import ValidationException
from local.aws.logs import Log

if TYPE_CHECKING:
    from local.aws.service import Service

SUPERVISOR = Path(__file__).with_name("supervisor.py")
GIB = 1 << 30
# GiB of memory for each processor, by family; processors by size. Others count as m.
_MEMORY = {"c": 2, "m": 4, "r": 8, "t": 4, "g": 4, "p": 8, "inf": 4, "trn": 4}
_CPUS = {"medium": 2, "large": 2, "xlarge": 4}
_TYPE = re.compile(r"^ml\.(?P<family>[a-z]+)\d[\w-]*\.(?P<times>\d*)(?P<size>medium|large|xlarge)$")
_SECRETS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


@dataclass(frozen=True)
class Resources:
    """Bounds of a container: bytes of memory (0 = none) and processors."""

    memory: int
    cpus: int


def resources(instance_type: str) -> Resources:
    """Memory and processors of an instance type, from its name: ml.m5.xlarge has 4 processors and 16 GiB."""
    found = _TYPE.match(instance_type)
    if not found:
        return Resources(0, 0)
    cpus = _CPUS[found["size"]] * int(found["times"] or 1)
    return Resources(_MEMORY.get(found["family"], 4) * cpus * GIB, cpus)


@dataclass(frozen=True)
class Program:
    """What to run, and where."""

    command: list[str]
    cwd: Path


_all: "weakref.WeakSet[Container]" = weakref.WeakSet()
_listing = threading.Lock()


class Container:
    """A running program. Starts at once; safe to use from several threads.

    `environment` is the job's own; `log` gets every line of standard output and standard error. Raises
    ValidationException when no process can be started with it.
    """

    def __init__(  # noqa: PLR0913 - everything that a container is made of
        self,
        service: "Service",
        program: Program,
        base: Path,
        *,
        environment: Mapping[str, str],
        credentials: Mapping[str, str],
        resources: Resources = Resources(0, 0),
        log: Log | None = None,
    ) -> None:
        self.reason = ""  # why the supervisor ended it, or could not start it
        self._log = log
        self._mark = f"{uuid.uuid4().hex} "
        scratch = base / "tmp"
        scratch.mkdir(parents=True, exist_ok=True)
        own = _environment(service, program, base, scratch, resources)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", SUPERVISOR],
                cwd=program.cwd,
                env=own | dict(environment) | {name: credentials[name] for name in _SECRETS if name in credentials},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C and signals to the platform's group do not reach it
            )
        except (ValueError, OSError) as error:  # a variable may hold what no process can be given
            raise ValidationException(f"The container cannot be started: {error}") from error
        spec: dict[str, Any] = {
            "command": program.command,
            "cwd": str(program.cwd),
            "memory": resources.memory,
            "cpus": resources.cpus,
            "mark": self._mark,
        }
        assert self._process.stdin is not None  # noqa: S101 - a pipe was asked for
        self._process.stdin.write(json.dumps(spec).encode() + b"\n")
        self._process.stdin.flush()
        self._reader = threading.Thread(target=self._read, name=f"container-{self._process.pid}", daemon=True)
        self._reader.start()
        self._ending = threading.Lock()
        with _listing:
            _all.add(self)

    @property
    def pid(self) -> int:
        """Process id of the supervisor, the parent of the program."""
        return self._process.pid

    def poll(self) -> int | None:
        """Exit code, None while it runs; 128 + the signal that ended it, as Docker has it."""
        return self._process.poll()

    def wait(self, timeout: float | None = None) -> int | None:
        """Exit code when it has ended within `timeout` seconds and all of its output is in the log, else None."""
        try:
            code = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None
        self._reader.join(timeout=5)  # a process that left its group may hold the pipe for ever
        self._close()
        return code

    def terminate(self) -> None:
        """Asks the program to end (SIGTERM)."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Ends the program and everything it started."""
        self._close()

    def end(self, grace: float) -> int:
        """Asks it to end and gives it `grace` seconds, then ends it. Its exit code."""
        self.terminate()
        code = self.wait(grace)
        if code is None:
            self.kill()
            code = self.wait()
        assert code is not None  # noqa: S101 - waited for without end
        return code

    def _close(self) -> None:
        """The supervisor takes the end of its input for the end of the platform."""
        with self._ending, contextlib.suppress(OSError):
            assert self._process.stdin is not None  # noqa: S101 - a pipe was asked for
            self._process.stdin.close()

    def _read(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - a pipe was asked for
        with self._process.stdout as output:
            for raw in output:
                line = raw.decode(errors="replace").rstrip("\r\n")
                if line.startswith(self._mark):
                    line = self.reason = line.removeprefix(self._mark)
                if line and self._log is not None:
                    self._log.line(line)


def end(_service: "Service") -> None:
    """Ends every container of the platform."""
    with _listing:
        found = list(_all)
    for container in found:
        container.kill()
    for container in found:
        container.wait(5)


def _environment(service: "Service", program: Program, base: Path, scratch: Path, bounds: Resources) -> dict[str, str]:
    """What a container has before the job's own variables. Threads: as many as the instance has processors."""
    threads = str(min(bounds.cpus or math.inf, os.cpu_count() or 1))
    return {
        "PATH": f"{Path(program.command[0]).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "PYTHONUNBUFFERED": "1",  # a line is in the log when it was printed
        "SAGEMAKER_BASE_DIR": str(base),
        "AWS_REGION": service.region,
        "AWS_DEFAULT_REGION": service.region,
        "AWS_ENDPOINT_URL": service.endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
        "OMP_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
    }
