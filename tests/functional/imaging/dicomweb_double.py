"""A sender's own DICOMweb server, on a port of this machine: keeps what it is sent, answers what it is told."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from threading import Thread
from typing import Any

from pydicom import dcmread
from pydicom.dataset import Dataset


class Server:
    """answers: status and body of the next requests, in turn; after them 200. requests: path, headers, objects."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, Any]] = []
        self.requests: list[tuple[str, dict[str, str], list[Dataset]]] = []
        self.url = ""

    @property
    def stored(self) -> list[Dataset]:
        return [each for _, _, objects in self.requests for each in objects]


def failed(uid: str, reason: int) -> dict[str, Any]:
    """An answer of PS3.18: this object was not stored."""
    item = {"00081155": {"vr": "UI", "Value": [uid]}, "00081197": {"vr": "US", "Value": [reason]}}
    return {"00081198": {"vr": "SQ", "Value": [item]}}


@contextmanager
def serving() -> Iterator[Server]:
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kind = self.headers["Content-Type"]
            message = BytesParser().parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + body)
            parts = [part.get_payload(decode=True) for part in message.get_payload()]
            objects = [dcmread(BytesIO(part)) for part in parts]
            server.requests.append((self.path, {key.lower(): value for key, value in self.headers.items()}, objects))
            status, answer = server.answers.pop(0) if server.answers else (200, {})
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/dicom+json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing."""

    web = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=web.serve_forever, daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{web.server_port}/dicom-web"
    try:
        yield server
    finally:
        web.shutdown()
        web.server_close()
        thread.join()
