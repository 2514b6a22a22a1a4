"""Calls of CloudFormation -> MiniStack, with our types registered before the first one.

MiniStack too imports its CloudFormation with the first call: that takes longer than the rest of the platform's start.
"""

from collections.abc import Sequence
from typing import NamedTuple

from local.aws.cloudformation.kind import Kind
from local.aws.service import Operation, Service
from local.emulator.routing import App, Receive, Scope, Send


class Family(NamedTuple):
    """Types of one service, and the operations behind them."""

    kinds: Sequence[Kind]
    service: Service
    operations: dict[str, Operation]


class FirstCall:
    """ASGI app around MiniStack's, for requests that are signed for CloudFormation."""

    def __init__(self, default: App, families: Sequence[Family]) -> None:
        self._default = default
        self._families = families
        self._registered = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._registered:
            from local.aws.cloudformation import registration  # noqa: PLC0415 - see above

            for family in self._families:
                registration.install(*family)
            self._registered = True
        await self._default(scope, receive, send)
