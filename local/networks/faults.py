"""What goes wrong with a network on request: the next answers are late, cut, repeated, broken or refused."""

import threading
from dataclasses import dataclass, replace
from typing import Any, Literal

from local.networks.exchange import Response

Kind = Literal["slow", "half", "duplicate", "not_json", "cut", "closed", "gone", "expired", "limited", "error"]


@dataclass
class Fault:
    """times: so many answers. seconds: of `slow`, or until a limit is reset.

    half: a page lacks its second half; duplicate: the page before comes again; cut: the connection ends within the
    body; closed: before it; gone: 410; error: 503.
    """

    kind: Kind
    times: int = 1
    seconds: float = 2.0


class Faults:
    """By network; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, list[Fault]] = {}

    def put(self, network: str, fault: Fault) -> None:
        """After those that wait already."""
        with self._lock:
            self._waiting.setdefault(network, []).append(fault)

    def take(self, network: str) -> Fault | None:
        """What goes wrong with this answer."""
        with self._lock:
            waiting = self._waiting.get(network, [])
            if not waiting:
                return None
            fault = waiting[0]
            fault.times -= 1
            if fault.times <= 0:
                waiting.pop(0)
            return fault

    def clear(self) -> None:
        """All is well."""
        with self._lock:
            self._waiting.clear()


def halved(response: Response) -> Response:
    """Without the second half of its posts: the network answered before its index did."""
    if response.items is None:
        return response
    body = _copied(response.body, response.items)
    items = _items(body, response.items)
    del items[(len(items) + 1) // 2 :]
    return replace(response, body=body)


def _items(body: Any, path: str) -> list[Any]:
    for name in filter(None, path.split(".")):
        body = body.get(name, [])
    return body if isinstance(body, list) else []


def _copied(body: Any, path: str) -> Any:
    name, _, rest = path.partition(".")
    if not name:
        return list(body)
    return {**body, name: _copied(body[name], rest)} if name in body else body
