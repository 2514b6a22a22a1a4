"""Credentials, target, body -> the headers of a signed POST: Signature Version 4 with the day's key derived once.

botocore's signer canonicalises any request, which costs more than all else of a call; here the method, the path and the
names of the headers never change. tests/unit/test_signature.py holds both to the same signature.
"""

import hmac
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Protocol
from urllib.parse import urlsplit

_ALGORITHM = "AWS4-HMAC-SHA256"


class Credentials(Protocol):
    """botocore's frozen credentials."""

    access_key: str
    secret_key: str
    token: str | None


class Signer:
    """For one service in one region at one address."""

    def __init__(self, url: str, service: str, region: str, content_type: str) -> None:
        parts = urlsplit(url)
        self._host = _host(parts.scheme, parts.hostname or "", parts.port)
        self._path = parts.path or "/"
        self._service, self._region, self._content_type = service, region, content_type

    def headers(
        self,
        credentials: Credentials,
        target: str,
        body: bytes,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> dict[str, str]:
        """All headers that the request needs but the host's, which the connection adds."""
        time = now().strftime("%Y%m%dT%H%M%SZ")
        signed = {"content-type": self._content_type, "host": self._host, "x-amz-date": time}
        if credentials.token:
            signed["x-amz-security-token"] = credentials.token
        signed["x-amz-target"] = target
        names = ";".join(signed)  # in alphabetical order, as they were put in
        lines = "".join([f"{name}:{value}\n" for name, value in signed.items()])
        canonical = f"POST\n{self._path}\n\n{lines}\n{names}\n{sha256(body).hexdigest()}"
        scope = f"{time[:8]}/{self._region}/{self._service}/aws4_request"
        text = f"{_ALGORITHM}\n{time}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
        key = _key(credentials.secret_key, time[:8], self._region, self._service)
        signature = hmac.digest(key, text.encode(), "sha256").hex()
        del signed["host"]
        signed["authorization"] = (
            f"{_ALGORITHM} Credential={credentials.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
        )
        return signed


def _host(scheme: str, host: str, port: int | None) -> str:
    name = f"[{host}]" if ":" in host else host
    return name if port in {None, {"http": 80, "https": 443}.get(scheme)} else f"{name}:{port}"


@lru_cache(maxsize=16)
def _key(secret: str, day: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
