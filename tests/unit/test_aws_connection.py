"""The lean way's connections, over a real socket: small messages leave at once, and connections are kept."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from cuatro.adapters import aws
from cuatro.adapters.aws import LeanService


class Service(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    peers: list[int] = []  # noqa: RUF012 - one server, one test

    def do_POST(self) -> None:
        self.peers.append(self.client_address[1])
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}/"
    for name, value in {
        "AWS_ENDPOINT_URL": address, "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    for cached in (aws._session, aws._found_credentials):
        cached.cache_clear()
    yield address
    server.shutdown()
    thread.join()
    server.server_close()
    for cached in (aws._session, aws._found_credentials):
        cached.cache_clear()


def test_small_messages_are_not_held_back_and_connections_are_kept(url: str) -> None:
    service = LeanService("dynamodb", "DynamoDB_20120810", "1.0")
    for _ in range(3):
        assert service.call("ListTables", b"{}") == b"{}"
    assert len(set(Service.peers)) == 1
    connection = service.http._manager.connection_from_url(url)._get_conn()
    try:
        assert connection.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
    finally:
        connection.close()
