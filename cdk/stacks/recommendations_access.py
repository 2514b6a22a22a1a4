"""Who may do what in the recommendations pipeline: each function's exact actions on each resource, in one place."""

from typing import TYPE_CHECKING

from cdk.constructs.objects import allow_objects
from cdk.constructs.suite_function import SuiteFunction
from cdk.stacks.platform import CuatroPlatform

if TYPE_CHECKING:
    from cdk.stacks.recommendations import CuatroRecommendations

# BatchExecuteStatement has no permission of its own: AWS checks each statement on its table (PartiQLUpdate, ...).
_READ = ("BatchGetItem",)
_WRITE = ("PartiQLInsert", "PartiQLUpdate")


def allow_record(stack: "CuatroRecommendations") -> None:
    """Reads and writes profiles; writes rejected records."""
    role = stack.record.role
    stack.profiles.allow(role, *_READ, *_WRITE)
    allow_objects(role, ["PutObject"], stack.rejected, "recommendations")


def allow_api(stack: "CuatroRecommendations") -> None:
    """Reads what a list is made of, stores the list and its feedback, forgets a user; sends interactions on."""
    role = stack.answer.role
    stack.profiles.allow(role, *_READ, "DeleteItem")
    stack.items.allow(role, *_READ)
    stack.shelves.allow(role, *_READ)
    stack.lists.allow(role, *_READ, *_WRITE)
    stack.stream.grant(role, "kinesis:PutRecords")


def allow_observe(stack: "CuatroRecommendations", platform: CuatroPlatform) -> None:
    """Counts what is popular, by the catalogue's categories; tells the bus."""
    _allow_shelving(stack, stack.observe)
    stack.items.allow(stack.observe.role, *_READ)
    platform.bus.grant_put_events_to(stack.observe.role)


def allow_tally(stack: "CuatroRecommendations") -> None:
    """Sends lists and feedback to the lake; counts what new items were shown and clicked."""
    _allow_shelving(stack, stack.tally)
    stack.kept.lists.allow_put(stack.tally.role)
    stack.kept.feedback.allow_put(stack.tally.role)


def allow_shelve(stack: "CuatroRecommendations") -> None:
    """Puts new items on their shelf."""
    _allow_shelving(stack, stack.shelve)


def _allow_shelving(stack: "CuatroRecommendations", function: SuiteFunction) -> None:
    stack.shelves.allow(function.role, *_READ, *_WRITE)
