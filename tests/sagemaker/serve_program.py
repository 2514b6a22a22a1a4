"""A container of the tests that serves: its model says who it is, each request what it is to do.

Body as JSON: {"do": "tell" | "sleep" | "refuse" | "die" | "eat"}, anything else comes back as it is. model/fault.txt in
place of a good model: "exit" ends it at the start, "silent" never answers /ping.
"""

import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

MODEL = Path(os.environ["SAGEMAKER_BASE_DIR"]) / "model"
SLEPT_S = 30
MEGABYTE = 1 << 20


class Handler(BaseHTTPRequestHandler):
    """SageMaker's two paths."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    kept: list[bytes] = []  # noqa: RUF012 - what it eats it keeps

    def do_GET(self) -> None:
        self.answer(503 if fault() == "silent" else 200, b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        asked = json.loads(body) if self.headers["Content-Type"] == "application/json" else {}
        match asked.get("do"):
            case "tell":
                self.answer(200, json.dumps(self.told()).encode(), "application/json")
            case "sleep":
                time.sleep(asked.get("seconds", SLEPT_S))
                self.answer(200, json.dumps(self.told()).encode(), "application/json")
            case "refuse":
                self.answer(asked["status"], b'{"error": "row 1 has 3 features, not 4"}', "application/json")
            case "die":
                sys.stderr.write("Fatal: it cannot go on\n")
                os._exit(3)
            case "eat":
                for _ in range(asked["megabytes"]):
                    self.kept.append(b"x" * MEGABYTE)
                time.sleep(SLEPT_S)
            case _:
                self.answer(200, body, self.headers["Content-Type"] or "application/octet-stream")

    def told(self) -> dict[str, object]:
        """Who answers, and what it was given."""
        return {
            "model": (MODEL / "name.txt").read_text(),
            "pid": os.getpid(),
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "environment": dict(os.environ),
        }

    def answer(self, status: int, body: bytes, content_type: str = "text/plain") -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        custom = self.headers["X-Amzn-SageMaker-Custom-Attributes"]
        if custom:
            self.send_header("X-Amzn-SageMaker-Custom-Attributes", custom.upper())
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the one that it replaces
        """Nothing for each request."""


def fault() -> str:
    """What is wrong with the model."""
    file = MODEL / "fault.txt"
    return file.read_text() if file.exists() else ""


if __name__ == "__main__":
    if sys.argv[1:] != ["serve"]:
        sys.exit(f"serve is expected, not {sys.argv[1:]}")
    if fault() == "exit":
        sys.exit("the model has 3 features, not 4")
    sys.stdout.write(f"serving {MODEL}\n")
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"])), Handler).serve_forever()
