"""GET /recommendations/{user}, AWS stubbed at the HTTP session -> CPU and AWS calls a request, ours and the naive way.

Ours is measured as it runs between two requests of a busy process, which knows the catalogue's items and the popular
shelf for some seconds, and as it runs when it has to read all of them.
"""

from collections import Counter
from collections.abc import Callable
from itertools import cycle
from typing import Any

from benchmarks.aws import CannedAws, stubbed
from benchmarks.environment import Context
from benchmarks.measure import Contestant, interleaved
from benchmarks.recommendations.workload import Workload, request

NAIVE, OURS, FORGETFUL = "naive", "api", "api, nothing in memory"
Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


def measure(workload: Workload, rounds: int) -> dict[str, Any]:
    """CPU nanoseconds a request and calls by operation for each contestant; each user asks once a round."""
    aws = workload.aws()
    with stubbed(aws):
        from benchmarks.recommendations import naive  # noqa: PLC0415 - it reads the environment when imported
        from functions.recommendations.api import sources  # noqa: PLC0415
        from functions.recommendations.api.handler import handler  # noqa: PLC0415

        def forgetful(event: dict[str, Any], context: Any) -> dict[str, Any]:
            sources.tables.cache_clear()
            return handler(event, context)

        handlers = {NAIVE: naive.handler, OURS: handler, FORGETFUL: forgetful}
        contestants = [
            Contestant(name, _asking(each, workload), len(workload.users)) for name, each in handlers.items()
        ]
        calls = {contestant.name: _counted(aws, contestant) for contestant in contestants}
        spent = interleaved(contestants, rounds, lambda: aws.spent_ns)
    return {"requests": len(workload.users), "ns": spent, "calls": calls}


def _asking(handler: Handler, workload: Workload) -> Callable[[], None]:
    users, context = cycle(workload.users), Context()

    def run() -> None:
        answer = handler(request(next(users)), context)
        if answer["statusCode"] != 200:
            raise RuntimeError(f"the handler answered {answer}")

    return run


def _counted(aws: CannedAws, contestant: Contestant) -> Counter[str]:
    """Calls of all users' requests, by operation, when each of them has asked before."""
    for _ in range(contestant.times):
        contestant.run()
    before = aws.calls.copy()
    for _ in range(contestant.times):
        contestant.run()
    return aws.calls - before
