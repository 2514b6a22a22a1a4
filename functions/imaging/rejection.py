"""An instance that is not read -> its bytes beside the other rejected ones, and why in its row."""

from cuatro.adapters import blobs
from cuatro.adapters.dynamodb import dynamo
from cuatro.errors import Refused


def keep(bucket: str, table: str, instance: str, code: str) -> None:
    """bucket: that of identified objects; table: of the instances; code: why.

    Done again, it is the same. What was erased meanwhile stays erased. Raises Unavailable or Refused."""
    try:
        dynamo().update(
            table,
            {"instance": instance},
            "SET s = :s, why = :w",
            {":s": "rejected", ":w": code},
            "attribute_exists(instance)",
        )
    except Refused as refused:
        if refused.code == "ConditionalCheckFailedException":
            return
        raise
    blobs.copy(bucket, f"instances/{instance}.dcm", f"rejected/{instance}.dcm")
