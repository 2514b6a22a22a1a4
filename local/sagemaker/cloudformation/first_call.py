"""Calls of CloudFormation -> MiniStack, with our types registered before the first one.

MiniStack too imports its CloudFormation with the first call: that takes longer than the rest of the platform's start.
"""

from local.emulator.routing import App, Receive, Scope, Send
from local.sagemaker.service import Operation, Service


class FirstCall:
    """ASGI app around MiniStack's, for requests that are signed for CloudFormation."""

    def __init__(self, default: App, service: Service, operations: dict[str, Operation]) -> None:
        self._default = default
        self._service = service
        self._operations = operations
        self._registered = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._registered:
            from local.sagemaker.cloudformation import registration  # noqa: PLC0415 - see above

            registration.install(self._service, self._operations)
            self._registered = True
        await self._default(scope, receive, send)
