"""Credentials, region, endpoint -> the AWS calls of a hot path at a twentieth of the cost, and plain clients.

botocore does what is delicate (credential chain, endpoints, connections); bodies of the JSON services are coded by the
caller with msgspec instead of walking botocore's shapes: 100 items cost 12 ms of CPU there, 0.4 here.
"""

import os
import random
import socket
import time
import zlib
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import msgspec

from cuatro.adapters.signature import Signer
from cuatro.errors import Refused, Unavailable

if TYPE_CHECKING:
    from botocore.session import Session

ATTEMPTS = 4
CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 2, 5
_BASE_DELAY_S, _MAX_DELAY_S = 0.05, 1.0
_CONNECTIONS = 10

THROTTLED = frozenset({
    "InternalServerError", "InternalFailure", "InternalFailureException", "InternalException",
    "KMSThrottlingException", "LimitExceededException", "ProvisionedThroughputExceeded",
    "ProvisionedThroughputExceededException", "RequestLimitExceeded", "RequestTimeout", "ServiceUnavailable",
    "Throttling", "ThrottlingError", "ThrottlingException", "TransactionConflict", "TransactionConflictException",
    "TransactionInProgressException",
})  # fmt: skip
"""Error codes, of whole calls and of single statements or entries, that may be gone at the next attempt."""


class Patience(NamedTuple):
    """How long a call may take: attempts, and for each of them seconds to connect and to be answered."""

    attempts: int = ATTEMPTS
    connect_s: float = CONNECT_TIMEOUT_S
    read_s: float = READ_TIMEOUT_S


PATIENT = Patience()
"""For what must be done."""
BRISK = Patience(2, 0.5, 1.0)
"""For what somebody waits for and can be answered without: 3 s at worst."""


class JsonService(Protocol):
    """One operation -> the bytes of its JSON answer. Raises Unavailable (retry later) or Refused (our fault)."""

    def call(self, operation: str, body: bytes) -> bytes: ...


def backoff(attempt: int, sleep: Callable[[float], None] = time.sleep) -> None:
    """Wait before attempt number `attempt` (1 is the first retry): exponential, full jitter, so that callers spread."""
    sleep(random.uniform(0, min(_MAX_DELAY_S, _BASE_DELAY_S * 2**attempt)))  # noqa: S311


class LeanService:
    """A JSON service of AWS: POST / with X-Amz-Target. Thread-safe; connections are kept."""

    def __init__(self, service: str, target: str, json_version: str, patience: Patience = PATIENT) -> None:
        from botocore.httpsession import URLLib3Session
        from botocore.utils import get_environ_proxies

        session = _session()
        region = session.get_config_variable("region") or os.environ.get("AWS_REGION") or "us-east-1"
        self._url = _endpoint(session, service, region).rstrip("/") + "/"
        self._target, self._attempts = target, patience.attempts
        self._signer = Signer(self._url, service, region, f"application/x-amz-json-{json_version}")
        self.http = URLLib3Session(
            timeout=(patience.connect_s, patience.read_s),  # type: ignore[arg-type]  # the stubs know less than it takes
            max_pool_connections=_CONNECTIONS,
            proxies=get_environ_proxies(self._url),
            verify=_certificates(session),  # type: ignore[arg-type]
            # Without it Nagle's algorithm holds the body back until the headers are acknowledged: 40 ms a call.
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],  # type: ignore[list-item]
        )

    def call(self, operation: str, body: bytes) -> bytes:
        """One operation, tried as often as this service's patience says."""
        failure = ""
        for attempt in range(self._attempts):
            if attempt:
                backoff(attempt)
            try:
                return self._once(operation, body)
            except Unavailable as error:
                failure = str(error)
        raise Unavailable(f"{operation}: {failure} ({self._attempts} attempts)")

    def _once(self, operation: str, body: bytes) -> bytes:
        from botocore.awsrequest import AWSPreparedRequest, HeadersDict
        from botocore.exceptions import ConnectionError as NotConnected
        from botocore.exceptions import HTTPClientError

        headers: Any = HeadersDict(self._signer.headers(_credentials(), f"{self._target}.{operation}", body))
        try:
            response = self.http.send(AWSPreparedRequest("POST", self._url, headers, body, stream_output=False))
        except (HTTPClientError, NotConnected) as error:
            raise Unavailable(str(error)) from error
        answer: bytes = response.content
        checksum = response.headers.get("x-amz-crc32")
        if checksum is not None and int(checksum) != zlib.crc32(answer):
            raise Unavailable("the answer was damaged on the way")
        if response.status_code == 200:
            return answer
        code, message = _error(answer)
        if response.status_code >= 500 or response.status_code == 429 or code in THROTTLED:
            raise Unavailable(f"{code or response.status_code}: {message}")
        raise Refused(operation, code, message)


def client(service: str, patience: Patience = PATIENT) -> Any:
    """A plain botocore client, for what is called seldom; always the same one."""
    return _client(service, patience)


@cache
def _client(service: str, patience: Patience) -> Any:
    from botocore.config import Config

    config = Config(
        connect_timeout=patience.connect_s,
        read_timeout=patience.read_s,
        retries={"mode": "standard", "total_max_attempts": patience.attempts},
    )
    return _session().create_client(service, config=config)


def called(service: str, operation: str, *, patience: Patience = PATIENT, **parameters: Any) -> Any:
    """Call a plain client's operation (snake_case) with our errors: Unavailable or Refused."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return getattr(client(service, patience), operation)(**parameters)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        status = error.response["ResponseMetadata"].get("HTTPStatusCode", 0)
        if status >= 500 or status == 429 or code in THROTTLED:
            raise Unavailable(f"{operation}: {error}") from error
        raise Refused(operation, code, error.response["Error"].get("Message", "")) from error
    except BotoCoreError as error:
        raise Unavailable(f"{operation}: {error}") from error


@cache
def _session() -> "Session":
    from botocore.session import get_session

    return get_session()


@cache
def _found_credentials() -> Any:
    credentials = _session().get_credentials()
    if credentials is None:
        raise Unavailable("no AWS credentials")
    return credentials


def _credentials() -> Any:
    # Frozen for one signature; refreshable ones (a container's role) refresh here when they must.
    return _found_credentials().get_frozen_credentials()


def _endpoint(session: "Session", service: str, region: str) -> str:
    from botocore.configprovider import ConfiguredEndpointProvider
    from botocore.regions import EndpointResolver

    configured = ConfiguredEndpointProvider(
        full_config=session.full_config,
        scoped_config=session.get_scoped_config(),
        client_name=service,
        environ=os.environ,
    ).provide()
    if configured:
        return str(configured)
    found = EndpointResolver(session.get_data("endpoints")).construct_endpoint(service, region)
    if not found:
        raise Unavailable(f"no endpoint of {service} in {region}")
    return f"https://{found['hostname']}"


def _certificates(session: "Session") -> str | bool:
    return session.get_config_variable("ca_bundle") or True


def _error(answer: bytes) -> tuple[str, str]:
    """(code without its namespace, message) of a JSON error, whatever it is."""
    try:
        error = msgspec.json.decode(answer, type=dict[str, Any])
    except msgspec.MsgspecError:
        return "", answer[:200].decode(errors="replace")
    return str(error.get("__type", "")).rpartition("#")[2], str(error.get("message") or error.get("Message") or "")
