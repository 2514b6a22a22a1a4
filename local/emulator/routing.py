"""AWS request -> the service in its SigV4 credential scope -> our own ASGI app for that service, or MiniStack."""

import json
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import parse_qs

from local.platform.account import IDENTITY_PATH

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

# What API Gateway and MiniStack learn of the way a request came: from the gateway, whatever a client says of itself.
_FORWARDED = (b"x-forwarded-for", b"x-forwarded-port", b"x-forwarded-proto")
# Signing name of an API's own routes.
_API = "execute-api"
# Credential=<access key>/<date>/<region>/<service>/aws4_request; an access key never holds a slash.
_CREDENTIAL = re.compile(rb"Credential=[^/,\s]+/\d{8}/[^/,\s]*/([^/,\s]+)/aws4_request")
_PRESIGNED = re.compile(r"^[^/]+/\d{8}/[^/]*/([^/]+)/aws4_request$")


def signed_service(scope: Scope) -> str | None:
    """Service that a request was signed for (header or presigned URL); None when it was not signed with SigV4."""
    for name, value in scope.get("headers", ()):
        if name == b"authorization":
            found = _CREDENTIAL.search(value)
            return found[1].decode("ascii", "replace") if found else None
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    for credential in query.get("X-Amz-Credential", ()):
        found_in_url = _PRESIGNED.match(credential)
        if found_in_url:
            return found_in_url[1]
    return None


def forwarded(scope: Scope) -> list[tuple[bytes, bytes]]:
    """The headers of a request with those that say by which way it came, as API Gateway sets them.

    For a signed call of AWS, loopback takes the place of TLS: SDKs reach an emulator in the clear, and policies that
    deny plain HTTP (aws:SecureTransport) are deployed as on AWS. An API's routes are told the truth.
    """
    own = [(name, value) for name, value in scope["headers"] if name.lower() not in _FORWARDED]
    trusted = signed_service(scope) not in {None, _API}
    scheme = "https" if trusted or scope.get("scheme") in {"https", "wss"} else "http"
    client, server = (scope.get(end) or ("127.0.0.1", 0) for end in ("client", "server"))
    told = (client[0], str(server[1]), scheme)
    return [*own, *((name, value.encode()) for name, value in zip(_FORWARDED, told, strict=True))]


class Gateway:
    """ASGI app of the platform: `services` maps a signing name (such as `sagemaker`) to the app that answers it.

    Everything else, unsigned requests too, goes to `default`, which alone gets the lifespan events. `identity` is
    answered at IDENTITY_PATH, so that `cuatro` knows whose platform listens on a port.
    """

    def __init__(self, default: App, services: Mapping[str, App], identity: Mapping[str, Any]) -> None:
        self._default = default
        self._services = dict(services)
        self._identity = json.dumps({**identity, "services": sorted(services)}).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == IDENTITY_PATH:
            await self._identify(send)
            return
        app = self._default
        if scope["type"] in ("http", "websocket"):
            app = self._services.get(signed_service(scope) or "", self._default) if self._services else self._default
            scope = {**scope, "headers": forwarded(scope)}
        await app(scope, receive, send)

    async def _identify(self, send: Send) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(self._identity)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": self._identity})
