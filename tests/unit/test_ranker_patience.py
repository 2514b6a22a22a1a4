"""A service that takes the call and never answers: its ranker gives up while somebody still waits for the list."""

import socket
import time
from collections.abc import Iterator

import pytest

from cuatro.adapters import aws
from cuatro.adapters.ranker import ranker
from cuatro.errors import Unavailable

AT_MOST_S = 5
"""Two attempts of a second, at most a second between them, and a busy machine."""


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """AWS is a port that connects, and says nothing."""
    for cached in (aws._client, aws._session, ranker):
        cached.cache_clear()
    with socket.create_server(("127.0.0.1", 0)) as server:
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.getsockname()[1]}",
            "AWS_ACCESS_KEY_ID": "a",
            "AWS_SECRET_ACCESS_KEY": "b",
            "AWS_DEFAULT_REGION": "us-east-1",
        }.items():
            monkeypatch.setenv(name, value)
        yield
    for cached in (aws._client, aws._session, ranker):
        cached.cache_clear()


@pytest.mark.parametrize(
    "uri", ["sagemaker:silent", "personalize:arn:aws:personalize:us-east-1:000000000000:campaign/silent"]
)
def test_a_service_that_never_answers_is_given_up_soon(silent: None, uri: str) -> None:
    asked = ranker(uri)
    for service in ("sagemaker-runtime", "personalize-runtime"):
        aws.client(service, aws.BRISK)  # made before, since that takes its time
    began = time.monotonic()
    with pytest.raises(Unavailable, match="timeout"):
        asked.rank("u-1", [], set(), 5)
    assert time.monotonic() - began < AT_MOST_S
