"""The way out to the internet: what it refuses to reach, to follow, to wait for and to hold in memory."""

import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from cuatro.adapters.web import MAX_REDIRECTS, Web, is_public
from cuatro.errors import Rejected, Unavailable


@contextmanager
def serving(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[str]:
    """A server of this machine that answers so."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.close_connection = True
            answer(self)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            """The client has gone: it was meant to."""

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def send(request: BaseHTTPRequestHandler, body: bytes, status: int = 200, **headers: str) -> None:
    request.send_response(status)
    for name, value in headers.items():
        request.send_header(name.replace("_", "-"), value)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1",
        "0.0.0.0",  # noqa: S104 - it is refused
        "255.255.255.255", "::1", "::", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1",
        "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "192.0.2.1", "2001:db8::1",
    ],
)  # fmt: skip
def test_addresses_that_only_we_can_reach_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_addresses_of_the_internet_are(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1", "127.1", "[::ffff:127.0.0.1]"]
)
def test_nothing_of_our_own_network_is_asked(host: str) -> None:
    asked = []
    with serving(lambda request: asked.append(request.path)) as url:
        port = url.rpartition(":")[2]
        with pytest.raises((Rejected, Unavailable)):
            Web(total_s=5).get(f"http://{host}:{port}/latest/meta-data/")
    assert asked == []


def test_a_name_with_one_private_address_among_public_ones_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("8.8.8.8", 80)), (2, 1, 6, "", ("10.0.0.1", 80))]
    )
    with pytest.raises(Rejected, match="not a public address"):
        Web().get("http://both.example/")


def test_the_address_that_was_looked_at_is_the_one_that_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: the name says public when it is looked at, and private when it is used."""
    answers = iter([[(2, 1, 6, "", ("8.8.8.8", 80))]])
    asked: list[tuple[str, int]] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: next(answers, [(2, 1, 6, "", ("127.0.0.1", 80))]))

    def connect(address: tuple[str, int], *_: Any) -> Any:
        asked.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(Unavailable):
        Web().get("http://rebound.example/")
    assert asked == [("8.8.8.8", 80)]


def test_a_redirect_to_our_own_network_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first address is let through; what it redirects to is looked at again."""
    from cuatro.adapters import web  # noqa: PLC0415

    whole = is_public
    monkeypatch.setattr(web, "is_public", lambda address: address == "127.0.0.1" or whole(address))
    for target in ("http://10.0.0.1/", "http://[::1]:1/", "http://169.254.169.254/latest/meta-data/"):
        with (
            serving(lambda request, to=target: send(request, b"", 302, Location=to)) as url,  # type: ignore[misc]
            pytest.raises(Rejected, match="not a public address"),
        ):
            Web().get(url)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "gopher://a.example/", "//a.example", "http://", "http://a b/",
                                 "http://a.example:0/", "http://a.example:x/", "http://a.example/\r\nHost: b",
                                 ])  # fmt: skip
def test_what_is_no_address_of_the_web(url: str) -> None:
    with pytest.raises(Rejected):
        Web().get(url)


def test_redirects_are_followed_a_few_times_and_credentials_stay_with_their_host() -> None:
    seen: list[tuple[str, str | None]] = []

    def other(request: BaseHTTPRequestHandler) -> None:
        seen.append((request.path, request.headers.get("Authorization")))
        send(request, b"there")

    with serving(other) as second:

        def first(request: BaseHTTPRequestHandler) -> None:
            seen.append((request.path, request.headers.get("Authorization")))
            send(request, b"", 301, Location="/b" if request.path == "/a" else f"{second}/c")

        with serving(first) as url:
            answer = Web(private=True).get(f"{url}/a", headers={"Authorization": "Bearer mine"})
    assert (answer.status, answer.body, answer.url) == (200, b"there", f"{second}/c")
    assert seen == [("/a", "Bearer mine"), ("/b", "Bearer mine"), ("/c", None)]
    count = []
    with (
        serving(lambda request: (count.append(1), send(request, b"", 302, Location="/again"))[1]) as url,
        pytest.raises(Rejected, match="redirects more than"),
    ):
        Web(private=True).get(url)
    assert len(count) == MAX_REDIRECTS + 1


def test_a_body_that_is_too_long_is_left_packed_or_not() -> None:
    bomb = gzip.compress(b"0" * 20_000_000)
    assert len(bomb) < 100_000
    with serving(lambda request: send(request, bomb, Content_Encoding="gzip")) as url:
        with pytest.raises(Rejected, match="more than 1,000,000 bytes"):
            Web(private=True, max_bytes=1_000_000).get(url)
        assert len(Web(private=True, max_bytes=20_000_000).get(url).body) == 20_000_000
    with (
        serving(lambda request: send(request, b"0" * 1_000_001)) as url,
        pytest.raises(Rejected, match="more than"),
    ):
        Web(private=True, max_bytes=1_000_000).get(url)


def test_a_server_that_drips_is_left_when_its_time_is_over() -> None:
    stop = threading.Event()

    def drip(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "1000")
        request.end_headers()
        while not stop.wait(0.05):
            request.wfile.write(b"0")

    with serving(drip) as url:
        with pytest.raises(Unavailable):
            Web(private=True, total_s=0.6).get(url)
        stop.set()


@pytest.mark.parametrize("packed", [True, False])
def test_half_a_body_is_none(packed: bool) -> None:
    whole = gzip.compress(bytes(range(256)) * 400) if packed else b"0" * 1_000

    def half(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        if packed:
            request.send_header("Content-Encoding", "gzip")
        else:
            request.send_header("Content-Length", str(len(whole)))
        request.end_headers()
        request.wfile.write(whole[: len(whole) // 2])

    with serving(half) as url, pytest.raises(Unavailable):
        Web(private=True).get(url)


def test_nobody_there() -> None:
    with pytest.raises(Unavailable):
        Web(private=True).get("http://127.0.0.1:1/")
    with pytest.raises(Unavailable):
        Web().get("http://no-such-name.invalid/")
