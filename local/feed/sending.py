"""Events -> their pipeline's stream, 500 a call; what Kinesis cannot take stays behind, with its line and why."""

from collections.abc import Callable, Iterable

from local.feed.batch import batched
from local.feed.events import Event
from local.platform.client import Connection
from local.platform.errors import PlatformError
from local.platform.pipelines import STACKS
from local.replay.stream import RECORDS_A_CALL, NotAcceptedError, put


def send(
    connection: Connection | None, feeds: Iterable[Event], count: Callable[[int], None], stack: str = STACKS["fraud"]
) -> tuple[int, list[tuple[int, str]]]:
    """How many records went out, and (line, why) of the bad ones. Without a connection nothing goes out.

    `count` hears how many lines were dealt with. Raises PlatformError when the stream keeps refusing.
    """
    stream = connection.outputs(stack)["StreamName"] if connection else ""
    kinesis = connection.client("kinesis") if connection else None
    bad: list[tuple[int, str]] = []
    sent = 0
    for batch in batched(feeds, RECORDS_A_CALL):
        bad += [(item.number, item.problem) for item in batch if item.problem is not None]
        records = [(item.key, item.payload) for item in batch if not item.too_large]
        try:
            sent += put(kinesis, stream, records) if kinesis else len(records)
        except NotAcceptedError as error:
            raise PlatformError(
                f"{error}. The lines before {batch[0].number} are on the stream.",
                "Send the file again later: what was taken is not taken twice.",
            ) from error
        count(len(batch))
    return sent, bad
