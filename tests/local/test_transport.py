"""The TLS port: verified by the platform's own authority; an API knows how a request came, whoever claims what."""

import socket
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from local.platform.account import HOST, IDENTITY_PATH
from local.platform.client import Connection
from local.platform.process import PYTHON, ROOT, Platform
from tests.local.apis import Api, rest_api
from tests.local.conftest import Function

SAYS = """
import json
def handler(event, context):
    seen = {"source": event["requestContext"]["identity"]["sourceIp"], **event["headers"]}
    return {"statusCode": 200, "body": json.dumps({key.lower(): value for key, value in seen.items()})}
"""


@pytest.fixture(scope="module")
def api(bare: Platform, function: Callable[..., Function]) -> Api:
    return rest_api(bare, function(SAYS))


def handshake(platform: Platform, context: ssl.SSLContext, name: str = "localhost") -> str | None:
    """Version of TLS that was agreed on."""
    with (
        socket.create_connection((HOST, platform.secure_port), 10) as connected,
        context.wrap_socket(connected, server_hostname=name) as wrapped,
    ):
        return wrapped.version()


def test_the_tls_port_is_verified_by_the_platforms_authority(bare: Platform) -> None:
    trusting = ssl.create_default_context(cafile=str(bare.authority))
    assert handshake(bare, trusting) == handshake(bare, trusting, "127.0.0.1") == "TLSv1.3"
    for context, its_name in ((ssl.create_default_context(), "localhost"), (trusting, "elsewhere.test")):
        with pytest.raises(ssl.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
            handshake(bare, context, its_name)
    with socket.create_connection((HOST, bare.secure_port), 10) as in_the_clear:
        in_the_clear.sendall(f"GET {IDENTITY_PATH} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert not in_the_clear.recv(16).startswith(b"HTTP")


def test_tls_older_than_1_2_is_refused(bare: Platform) -> None:
    old = ssl.create_default_context(cafile=str(bare.authority))
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(OSError, match=r"(?i)protocol|version|alert"):
        handshake(bare, old)


def test_an_api_knows_how_a_request_came(api: Api) -> None:
    by_tls = api.call().json
    assert (by_tls["x-forwarded-proto"], by_tls["x-forwarded-port"]) == ("https", str(api.platform.secure_port))
    plain = api.call(secure=False, X_Forwarded_Proto="https", X_Forwarded_For="203.0.113.7").json
    assert (plain["x-forwarded-proto"], plain["x-forwarded-for"]) == ("http", "127.0.0.1")
    assert plain["source"] == "127.0.0.1"


def test_a_clients_connection_finds_the_tls_url_and_the_authority(
    here: Connection, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = f"https://{api.id}.execute-api.us-east-1.amazonaws.com/t/x"
    url, authority = here.secure_api_url(output)
    assert (url, authority) == (api.url("/x", secure=True), str(api.platform.authority))
    assert here.api_url(output) == api.url("/x", secure=False)
    on_aws = Connection("aws", None, here.session, here.region)
    assert on_aws.secure_api_url(output) == (output, None)


def test_certificates_are_kept_and_nobody_else_reads_them(bare: Platform, tmp_path: Path) -> None:
    made = (
        "import pathlib, sys\nfrom local.emulator.certificates import certificates\n"
        "certificates(pathlib.Path(sys.argv[1]))"
    )

    def make() -> dict[str, bytes]:
        subprocess.run([PYTHON, "-c", made, tmp_path], cwd=ROOT, check=True, timeout=60)
        return {file.name: file.read_bytes() for file in (tmp_path / "tls").iterdir()}

    first = make()
    assert make() == first
    assert set(first) == {"ca.pem", "platform.pem"}
    assert b"PRIVATE KEY" not in first["ca.pem"]
    for file in (*bare.authority.parent.iterdir(), *(tmp_path / "tls").iterdir()):
        assert file.stat().st_mode & 0o777 == 0o600
