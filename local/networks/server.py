"""The networks behind one port of this machine: HTTP -> whom it is for, its allowance, its faults -> HTTP."""

import socket
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from local.networks.bluesky import Bluesky
from local.networks.exchange import Request, Response
from local.networks.faults import Fault, Faults, Kind, halved
from local.networks.feed import Feed
from local.networks.mastodon import Mastodon
from local.networks.reddit import Reddit
from local.networks.rss import Rss
from local.networks.x import X

Network = Mastodon | Bluesky | Reddit | X | Rss


class Networks:
    """What is asked of them is in `requests`; credentials that they take are in `secret(network)`."""

    def __init__(self, feed: Feed | None = None, accounts: dict[str, str] | None = None) -> None:
        self.feed = feed or Feed()
        self.mastodon, self.bluesky = Mastodon(self.feed), Bluesky(self.feed, accounts)
        self.reddit, self.x, self.rss = Reddit(self.feed), X(self.feed), Rss(self.feed)
        self.all: tuple[Network, ...] = (self.mastodon, self.bluesky, self.x, self.reddit, self.rss)
        self.faults = Faults()
        self.requests: list[Request] = []
        self.url = ""
        self._used: Counter[str] = Counter()
        self._reset = dict.fromkeys((network.name for network in self.all), 0.0)
        self._last: dict[str, Response] = {}
        self._lock = threading.Lock()

    def fail(self, network: str, kind: Kind, times: int = 1, seconds: float = 2.0) -> None:
        """The next `times` answers of a network go wrong."""
        self.faults.put(network, Fault(kind, times, seconds))

    def allow(self, network: str, requests: int) -> None:
        """So many requests are left of its allowance."""
        whole = next(each for each in self.all if each.name == network)
        with self._lock:
            self._reset[network] = time.time() + whole.window_s
            self._used[network] = whole.allowance - requests

    def asked(self, network: str) -> list[Request]:
        """The requests to a network."""
        whole = next(each for each in self.all if each.name == network)
        return [request for request in list(self.requests) if whole.answers(request)]

    def secret(self, network: str) -> dict[str, Any]:
        """The document that a poller's secret would hold, with this server's address."""
        account = next(iter(self.bluesky.accounts.items()), None)
        return {
            "mastodon": {"tokens": {self.url: self.mastodon.token}} if self.mastodon.token else {},
            "bluesky": {"service": self.url} | (dict(zip(("identifier", "password"), account, strict=True))
                                                if account else {}),
            "reddit": {"auth": self.url, "api": self.url, **self.reddit.client},
            "x": {"api": self.url, "bearer_token": self.x.token},
            "rss": {},
        }[network]  # fmt: skip

    def answer(self, request: Request) -> tuple[Response, Fault | None]:
        """What the network that is asked answers, and what goes wrong with it."""
        self.requests.append(request)
        network = next((each for each in self.all if each.answers(request)), None)
        if network is None:
            return Response(404, {"error": "Not Found"}), None
        fault = self.faults.take(network.name)
        with self._lock:
            now = time.time()
            if now >= self._reset[network.name]:
                self._reset[network.name], self._used[network.name] = now + network.window_s, 0
            self._used[network.name] += 1
            remaining = network.allowance - self._used[network.name]
            reset_at = self._reset[network.name]
        if fault and fault.kind == "limited":
            remaining, reset_at = -1, now + fault.seconds
        response = network.too_many() if remaining < 0 else self._answered(network, request, fault)
        told = network.limits(max(remaining, 0), reset_at - now if network.name == "reddit" else reset_at)
        return Response(response.status, response.body, {**response.headers, **told}, response.items), fault

    def _answered(self, network: Network, request: Request, fault: Fault | None) -> Response:
        match fault.kind if fault else None:
            case "expired":
                return network.expired()
            case "gone":
                return Response(410, {"error": "Gone"})
            case "error":
                return Response(503, b"<html>upstream is away</html>")
            case "not_json":
                return Response(200, b'{"posts": [{"uri": "at://')
            case "duplicate" if network.name in self._last:
                return self._last[network.name]
        response = network.answer(request)
        if response.status == 200 and response.items is not None:
            self._last[network.name] = response
        return halved(response) if fault and fault.kind == "half" else response

    @contextmanager
    def serving(self, port: int = 0, host: str = "127.0.0.1") -> Iterator["Networks"]:
        """On a port of this machine (0: a free one), in a thread, until the block ends."""
        server = _Server((host, port), _handler(self))
        self.url = f"http://{host}:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away, or that a fault made go, is nobody's mistake."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def _handler(networks: Networks) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            query = parse_qs(parts.query, keep_blank_values=True)
            body = self.rfile.read(length)
            response, fault = networks.answer(Request(self.command, parts.path, query, headers, body, networks.url))
            if fault and fault.kind == "slow":
                time.sleep(fault.seconds)
            if fault and fault.kind == "closed":
                self._reset()
                return
            data = response.data()
            self.send_response(response.status)
            for name, value in {"Content-Type": "application/json", **response.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if fault and fault.kind == "cut":
                self.wfile.write(data[: len(data) // 2])
                self._reset()
                return
            self.wfile.write(data)

        def do_POST(self) -> None:
            self.do_GET()

        def _reset(self) -> None:
            """Ends the connection as a crashed server does."""
            self.wfile.flush()
            self.close_connection = True
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        def log_message(self, *_: Any) -> None:
            """Nothing: `requests` has them."""

    return Handler
