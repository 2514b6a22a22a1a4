"""Function and its layers -> a Python process with Lambda's environment and nothing else of this machine.

MiniStack's own worker unpacks code and layers anew for each process, hands it the whole environment of the server, and
has no /opt. This one unpacks each archive once, gives the variables that Lambda gives, and answers for /opt: a value
that begins with /opt/ becomes the path in the unpacked layers, so MODEL_URI=/opt/models/... means the same everywhere.
"""

# ruff: noqa: SLF001 - the names of MiniStack's inside are the touch points; tests/local shows that they hold
import contextlib
import hashlib
import io
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, ClassVar

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from local.emulator import bootstrap, functionlogs

LOG_WAIT_S = 5
_unpacking = threading.Lock()


def install(archives: Path) -> None:
    """Take the place of MiniStack's worker for functions in Python; code and layers are unpacked under `archives`."""
    PythonProcess.archives = archives
    lambda_runtime.Worker = PythonProcess


def unpacked(archives: Sequence[bytes], folder: Path) -> Path:
    """Directory that holds these zip archives, laid over each other in order; unpacked once for each content."""
    digest = hashlib.sha256(b"".join(hashlib.sha256(archive).digest() for archive in archives)).hexdigest()[:24]
    home = folder / digest
    with _unpacking:
        if not home.exists():
            folder.mkdir(parents=True, exist_ok=True)
            partial = Path(tempfile.mkdtemp(dir=folder))
            for archive in archives:
                with zipfile.ZipFile(io.BytesIO(archive)) as files:
                    files.extractall(partial)
            partial.rename(home)
    return home


def _read(stream: IO[str], lines: "queue.SimpleQueue[str | None]") -> None:
    """Each line of a process's stderr, and None at its end."""
    for line in stream:
        lines.put(line.removesuffix("\n"))
    lines.put(None)


class PythonProcess(lambda_runtime.Worker):  # type: ignore[misc]
    """One execution environment: MiniStack's worker, started our way. Other runtimes start MiniStack's way."""

    archives: ClassVar[Path]
    log_stream: str | None = None

    def _spawn(self) -> None:
        if not str(self.config.get("Runtime", "")).startswith("python"):
            super()._spawn()
            return
        if self._tmpdir:
            shutil.rmtree(self._tmpdir, ignore_errors=True)
        self._tmpdir = tempfile.mkdtemp(prefix=f"{self.func_name[:40]}-")
        script = Path(self._tmpdir, "worker.py")
        script.write_text(bootstrap.script())
        code = unpacked([self.code_zip], self.archives)
        layers = [data for layer in self.config.get("Layers", []) if (data := lambda_svc._resolve_layer_zip(layer))]
        opt = unpacked(layers, self.archives) if layers else None
        variables = self._variables(opt)
        self.log_stream = functionlogs.stream_name(self.config.get("Version", "$LATEST"))
        self._proc = subprocess.Popen(
            # -P: the code's directory goes on the path by the worker's own doing, the script's directory does not
            [sys.executable, "-P", script],
            cwd=code,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            bufsize=1,
            env=self._runtime_variables(code, opt) | variables,
        )
        self._stderr_queue = queue.SimpleQueue()  # of this process alone: none of the one before
        reader = threading.Thread(
            target=_read, args=(self._proc.stderr, self._stderr_queue), daemon=True, name=f"stderr-{self.func_name}"
        )
        reader.start()
        self._initialise(code, variables)
        self._start_time = time.time()

    def _drain_stderr_bounded(self, *arguments: Any, **named: Any) -> str:
        """Lines of this invocation: all that came before its end, or before the end of the process."""
        if not str(self.config.get("Runtime", "")).startswith("python"):
            text: str = super()._drain_stderr_bounded(*arguments, **named)
            return text
        lines = []
        with contextlib.suppress(queue.Empty):  # a process of the function's own holds its stderr open
            while (line := self._stderr_queue.get(timeout=LOG_WAIT_S)) is not None:
                if line.endswith(bootstrap.END):
                    rest = line.removesuffix(bootstrap.END)
                    return "\n".join([*lines, rest] if rest else lines)
                lines.append(line)
        return "\n".join(lines)

    def _drain_stderr(self) -> str:
        """Lines that are there, of a process that was ended."""
        lines = []
        with contextlib.suppress(queue.Empty):
            while (line := self._stderr_queue.get_nowait()) is not None:
                lines.append(line.removesuffix(bootstrap.END))
        return "\n".join(lines)

    def _variables(self, opt: Path | None) -> dict[str, str]:
        """The function's own variables, with /opt as it is here."""
        own = self.config.get("Environment", {}).get("Variables", {})
        reserved = lambda_runtime._RESERVED_RUNTIME_ENV_VARS
        return {
            name: f"{opt}{value.removeprefix('/opt')}" if opt and value.startswith("/opt/") else value
            for name, value in own.items()
            if name not in reserved
        }

    def _runtime_variables(self, code: Path, opt: Path | None) -> dict[str, str]:
        """What Lambda's runtime sets, and the endpoint that makes this an emulator's function."""
        _, region = lambda_runtime._account_region_from_function_config(self.config)
        name = self.config.get("FunctionName", "")
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "TMPDIR": str(self._tmpdir),
            "LAMBDA_TASK_ROOT": str(code),
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}",
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{self.config.get('Runtime', '')}",
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.config.get("MemorySize", 128)),
            "AWS_LAMBDA_FUNCTION_VERSION": self.config.get("Version", "$LATEST"),
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": self.log_stream,
            "_LAMBDA_FUNCTION_ARN": self.config.get("FunctionArn", ""),
            "_LAMBDA_TIMEOUT": str(self.config.get("Timeout", 3)),
            "_LAMBDA_LAYERS_DIRS": str(opt) if opt else "",
            "PYTHONDONTWRITEBYTECODE": "1",  # Lambda's code directories cannot be written to either
            **lambda_runtime.execution_credentials(self.config),
        }

    def _initialise(self, code: Path, variables: dict[str, str]) -> None:
        """Has the process import the handler. Raises RuntimeError with the import's error when it cannot."""
        module, _, handler = self.config.get("Handler", "index.handler").replace("/", ".").rpartition(".")
        request: dict[str, Any] = {
            "code_dir": str(code),
            "module": module,
            "handler": handler,
            "env": variables,
            "function_name": self.config.get("FunctionName", ""),
            "memory": self.config.get("MemorySize", 128),
            "arn": self.config.get("FunctionArn", ""),
        }
        self._proc.stdin.write(json.dumps(request) + "\n")
        self._proc.stdin.flush()
        for line in self._proc.stdout:
            try:
                answer = json.loads(line)
            except ValueError:  # something that the handler's imports printed
                continue
            if answer.get("status") == "ready":
                return
            raise RuntimeError(f"{self.func_name} cannot be imported: {answer.get('error')}")
        raise RuntimeError(f"{self.func_name} ended while it was imported: {self._drain_stderr_bounded()}")
