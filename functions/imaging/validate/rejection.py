"""An instance that is not read -> its bytes beside the other rejected ones, and why in its row."""

from cuatro.adapters import blobs
from cuatro.adapters.dynamodb import dynamo
from cuatro.errors import Refused
from functions.imaging.validate.settings import Settings


def keep(setting: Settings, instance: str, code: str) -> None:
    """Done again, it is the same. What was erased meanwhile stays erased. Raises Unavailable or Refused."""
    try:
        dynamo().update(
            setting.instances_table,
            {"instance": instance},
            "SET s = :s, why = :w",
            {":s": "rejected", ":w": code},
            "attribute_exists(instance)",
        )
    except Refused as refused:
        if refused.code == "ConditionalCheckFailedException":
            return
        raise
    blobs.copy(setting.identified_bucket, f"instances/{instance}.dcm", f"rejected/{instance}.dcm")
