"""Requests to the suite's HTTP API, signed with the caller's AWS credentials -> status, answer, milliseconds."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import HTTPClientError
from botocore.httpsession import URLLib3Session

from local.platform.client import Connection
from local.platform.errors import PlatformError

TRIES, FIRST_WAIT = 5, 0.2
_AGAIN = {429, 500, 502, 503, 504}


@dataclass(frozen=True)
class Answer:
    """What the API said: HTTP status, decoded body (text if it is not JSON) and the time it took in milliseconds."""

    status: int
    body: Any
    ms: float

    @property
    def ok(self) -> bool:
        """Did the API do what it was asked?"""
        return self.status < 300


class Api:
    """The HTTP API of one connection; `url` is the stack's ApiUrl. Raises PlatformError without credentials.

    headers: of every request.
    """

    def __init__(self, connection: Connection, url: str, headers: Mapping[str, str] | None = None) -> None:
        self._headers = dict(headers or {})
        self._url = connection.api_url(url).rstrip("/")
        self._signer = SigV4Auth(connection.credentials(), "execute-api", connection.region)
        self._http = URLLib3Session(timeout=30)

    def post(self, path: str, body: Any) -> Answer:
        """POST a JSON body. Throttling and server errors are tried again; raises PlatformError."""
        return self._call("POST", path, json.dumps(body).encode())

    def put(self, path: str, body: Any) -> Answer:
        """PUT a JSON body, like post()."""
        return self._call("PUT", path, json.dumps(body).encode())

    def get(self, path: str) -> Answer:
        """GET a resource, like post()."""
        return self._call("GET", path, b"")

    def delete(self, path: str) -> Answer:
        """DELETE a resource, like post()."""
        return self._call("DELETE", path, b"")

    def _call(self, method: str, path: str, data: bytes) -> Answer:
        why = ""
        for attempt in range(TRIES):
            if attempt:
                time.sleep(FIRST_WAIT * 2 ** (attempt - 1))
            headers = {**self._headers, **({"Content-Type": "application/json"} if data else {})}
            request = AWSRequest(method, self._url + path, headers=headers, data=data)
            self._signer.add_auth(request)
            start = time.perf_counter()
            try:
                response = self._http.send(request.prepare())
            except HTTPClientError as error:
                why = str(error)
                continue
            ms = 1000 * (time.perf_counter() - start)
            text = response.content.decode(errors="replace")
            try:
                answer = Answer(response.status_code, json.loads(text), ms)
            except ValueError:
                answer = Answer(response.status_code, text, ms)
            if answer.status not in _AGAIN or attempt == TRIES - 1:
                return answer
        raise PlatformError(
            f"The API does not answer: {method} {self._url}{path}: {why}",
            "See `cuatro status` and `cuatro logs fraud api`.",
        )
