"""URL -> what a server of the internet answered: bounded in time and size, and never from inside our own network.

Whoever may name a feed must not be able to read what only we can reach (server-side request forgery, OWASP): every
address that a name stands for is looked at, the connection goes to the very address that was looked at (so that a
second answer of the name's server changes nothing), and the same is done for each redirect.
"""

import http.client
import ipaddress
import socket
import ssl
import time
import zlib
from collections.abc import Callable, Mapping
from functools import cache
from typing import NamedTuple
from urllib.parse import SplitResult, quote, urlencode, urljoin, urlsplit

from cuatro.errors import Rejected, Unavailable

CONNECT_S, TOTAL_S = 3.0, 15.0
MAX_BYTES = 5 * 1024 * 1024
"""Of a body, unpacked: a page of 100 posts has some 500,000, the feeds of big newspapers 2 million."""
MAX_REDIRECTS = 5
AGENT = "cuatro-suite/1.0"
_CHUNK = 65_536
_IN_URL = "%/:?#@!$&'()*+,;=~[]"
_REDIRECTS = {301, 302, 303, 307, 308}
_CREDENTIALS = {"authorization", "cookie"}


class Answer(NamedTuple):
    """headers: names in lower case, the last one of a name. url: of the last redirect."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


class Web:
    """The internet. private: also addresses that are not public, for servers of one's own; total_s: of each call."""

    def __init__(self, private: bool = False, total_s: float = TOTAL_S, max_bytes: int = MAX_BYTES) -> None:
        self._private, self._total_s, self._max_bytes = private, total_s, max_bytes

    def get(
        self, url: str, query: Mapping[str, str | int] | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """GET, redirects followed. Raises Unavailable; Rejected for what cannot be had at any time."""
        address = f"{url}{'&' if '?' in url else '?'}{urlencode(query)}" if query else url
        given = {name.lower(): value for name, value in (headers or {}).items()}
        end = time.monotonic() + self._total_s
        for _ in range(MAX_REDIRECTS + 1):
            answer = self._once("GET", address, None, given, end)
            target = answer.headers.get("location")
            if answer.status not in _REDIRECTS or not target:
                return answer
            before, address = (
                urlsplit(address),
                urljoin(address, quote(target.encode("latin-1", "ignore"), safe=_IN_URL)),
            )
            after = urlsplit(address)
            if before.scheme == "https" and after.scheme != "https":
                raise Rejected(f"{url} redirects from https to {after.scheme or 'nothing'}", "url", "unsafe_redirect")
            if (before.scheme, before.netloc) != (after.scheme, after.netloc):  # they were meant for that host alone
                given = {name: value for name, value in given.items() if name not in _CREDENTIALS}
        raise Rejected(f"{url} redirects more than {MAX_REDIRECTS} times", "url", "too_many_redirects")

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """POST; a redirect is an answer like any other. Raises as `get` does."""
        given = {name.lower(): value for name, value in headers.items()}
        return self._once("POST", url, body, given, time.monotonic() + self._total_s)

    def _once(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str], end: float) -> Answer:
        parts = _parts(url)
        connection = _connection(parts, self._addresses(parts), end)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        sent = {"user-agent": AGENT, "accept-encoding": "gzip", "connection": "close", **headers}
        try:
            connection.request(method, target.encode("utf-8").decode("latin-1"), body, sent)
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, self._read(connection, response, found, end), url)
        except (OSError, http.client.HTTPException, zlib.error) as error:
            raise Unavailable(f"{parts.hostname}: {error or type(error).__name__}") from error
        finally:
            connection.close()

    def _read(
        self,
        connection: http.client.HTTPConnection,
        response: http.client.HTTPResponse,
        headers: Mapping[str, str],
        end: float,
    ) -> bytes:
        """The body, unpacked; a server that drips bytes is left at `end`, a bomb at max_bytes."""
        unpack = zlib.decompressobj(wbits=31) if headers.get("content-encoding", "").lower() == "gzip" else None
        found, size, read = [], 0, 0
        while True:
            left = end - time.monotonic()
            if left <= 0:
                raise Unavailable(f"{connection.host}: not answered within {self._total_s:g} s")
            if connection.sock:
                connection.sock.settimeout(left)
            packed = response.read1(_CHUNK)
            read += len(packed)
            part = unpack.decompress(packed, self._max_bytes + 1 - size) if unpack else packed
            size += len(part)
            if size > self._max_bytes:
                raise Rejected(f"{connection.host}: more than {self._max_bytes:,} bytes", "url", "oversized")
            found.append(part)
            if not packed:
                break
        if (unpack and read and not unpack.eof) or (response.length or 0) > 0:
            raise Unavailable(f"{connection.host}: the answer ended early")
        return b"".join(found)

    def _addresses(self, parts: SplitResult) -> list[str]:
        """What the name stands for. Raises Rejected when any of it is not public: then none of it is to be trusted."""
        host = str(parts.hostname)
        try:
            found = socket.getaddrinfo(host, parts.port or _PORTS[parts.scheme], type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise Unavailable(f"{host}: {error}") from error
        addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
        if not self._private and not all(map(is_public, addresses)):
            raise Rejected(f"{host} is not a public address", "url", "private_address")
        return addresses


def is_public(address: str) -> bool:
    """Is this IP address one of the internet's, also behind the forms of IPv6 that carry one of IPv4?"""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
        if inner is not None:
            ip = inner
    return ip.is_global and not ip.is_multicast


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_PORTS = {"http": 80, "https": 443}


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Rejected(f"{url!r:.80} is not a URL", "url", "invalid_value") from None
    printable = url.isascii() and url.isprintable() and " " not in url
    if parts.scheme not in _PORTS or not parts.hostname or port == 0 or not printable:
        raise Rejected(f"{url!r:.80} is not an http or https URL", "url", "invalid_value")
    return parts


def _connection(parts: SplitResult, addresses: list[str], end: float) -> http.client.HTTPConnection:
    """Speaks to one of the addresses, with the name in the Host header and in TLS."""
    port = parts.port or _PORTS[parts.scheme]
    secure = parts.scheme == "https"
    made: http.client.HTTPConnection = (
        http.client.HTTPSConnection(str(parts.hostname), port, context=_tls())
        if secure
        else http.client.HTTPConnection(str(parts.hostname), port)
    )
    made.connect = _connect(made, addresses, end, secure)  # type: ignore[method-assign]
    return made


def _connect(
    connection: http.client.HTTPConnection, addresses: list[str], end: float, secure: bool
) -> Callable[[], None]:
    def connect() -> None:
        failure: OSError = TimeoutError("no time left")
        for address in addresses:
            left = min(CONNECT_S, end - time.monotonic())
            if left <= 0:
                break
            try:
                raw = socket.create_connection((address, connection.port), left)
                raw.settimeout(max(end - time.monotonic(), 0.001))
                raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection.sock = _tls().wrap_socket(raw, server_hostname=connection.host) if secure else raw
            except OSError as error:
                failure = error
            else:
                return
        raise failure

    return connect


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
