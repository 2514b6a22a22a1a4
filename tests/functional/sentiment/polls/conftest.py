"""A poller for each test, with networks and AWS of its own."""

from collections.abc import Iterator

import pytest

from tests.functional.sentiment.polls.polling import Polling, polling


@pytest.fixture
def poller(monkeypatch: pytest.MonkeyPatch) -> Iterator[Polling]:
    with polling(monkeypatch) as found:
        yield found
