"""InvokeEndpoint's path in front of `serve` in processes of their own, one for each endpoint."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PORTS: dict[str, int] = {}
"""Endpoint -> port of its `serve`; 0 is one whose container does not answer."""


class _Front(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        name = self.path.split("/")[2]
        if name not in PORTS:
            message = {"Message": f"Endpoint {name} of account 000000000000 not found."}
            return self._answer(400, message, error="ValidationError")
        kinds = {each: self.headers[each] for each in ("Content-Type", "Accept")}
        request = urllib.request.Request(f"http://127.0.0.1:{PORTS[name]}/invocations", body, kinds)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 - our own address
                return self._answer(200, answer.read())
        except urllib.error.HTTPError as refused:
            status, text = refused.code, refused.read().decode()
        except urllib.error.URLError as broken:
            status, text = 500, str(broken.reason)
        message = {"Message": "see OriginalMessage", "OriginalStatusCode": status, "OriginalMessage": text}
        return self._answer(424, message, error="ModelError")

    def _answer(self, status: int, content: object, error: str = "") -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if error:
            self.send_header("x-amzn-errortype", error)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


@contextmanager
def front() -> Iterator[str]:
    """The address, for AWS_ENDPOINT_URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Front)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def served(endpoint: str, model: Path, directory: Path, pipeline: str = "fraud", *beside: str) -> Iterator[None]:
    """`serve` of this model, for as long as the block runs. beside: names of files that lie with it in the archive."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (directory / "model").mkdir(parents=True)
    (directory / "model" / "model.onnx").write_bytes(model.read_bytes())
    for name in beside:
        (directory / "model" / name).write_bytes(model.with_name(name).read_bytes())
    variables = {
        "PATH": os.environ["PATH"], "SAGEMAKER_BASE_DIR": str(directory), "SAGEMAKER_BIND_TO_PORT": str(port),
        "PYTHONPATH": str(ROOT / "layers" / "core" / "python"), "CUATRO_MODEL": pipeline,
    }  # fmt: skip
    command = [sys.executable, "-m", "models.container.main", "serve"]
    with subprocess.Popen(command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as serve:
        try:
            _answers(port, serve)
            PORTS[endpoint] = port
            yield
        finally:
            PORTS.pop(endpoint, None)
            serve.terminate()


def _answers(port: int, serve: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + 30
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=5).close()
        except OSError:
            ended = serve.poll() is not None
            assert not ended, serve.stdout and serve.stdout.read().decode()
            assert time.monotonic() < end, "serve does not answer /ping"
            time.sleep(0.05)
        else:
            return
