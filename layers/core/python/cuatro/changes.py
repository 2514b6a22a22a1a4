"""Event of a DynamoDB stream -> changes of a table's items; those that failed -> what Lambda delivers again."""

from collections.abc import Collection, Iterable, Iterator
from typing import Any, NamedTuple

from cuatro.adapters.attributes import Item, decoded_image


class Change(NamedTuple):
    """number: of the record in its shard. image: the item after the change, None if it is gone. key: of the item."""

    number: str
    key: Item
    image: Item | None


def changes(event: dict[str, Any], names: Collection[str] = ()) -> Iterator[Change]:
    """In the order of the stream. names: the image's attributes that are wanted; none = all."""
    for record in event["Records"]:
        change = record["dynamodb"]
        image = change.get("NewImage")
        if image is not None:
            image = decoded_image({name: image[name] for name in names if name in image} if names else image)
        yield Change(change["SequenceNumber"], decoded_image(change.get("Keys", {})), image)


def failures(numbers: Iterable[str]) -> dict[str, Any]:
    """The function's answer: Lambda goes on from the first of these, each once."""
    return {"batchItemFailures": [{"itemIdentifier": number} for number in dict.fromkeys(numbers)]}
