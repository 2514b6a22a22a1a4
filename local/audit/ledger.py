"""A deployed ledger -> is every entry what was written, none missing, and all as the anchors in the locked bucket say?

The check trusts neither the table nor the newest version of an anchor: it works out every hash anew, and compares with
the first version of each anchor, which the bucket's lock keeps.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from cuatro.adapters.attributes import decoded_image
from functions.imaging import ledger
from functions.imaging.ledger import ANCHORS, CHAIN, Broken, Entry
from local.platform.client import Connection
from local.platform.errors import PlatformError
from local.platform.pipelines import STACKS

TABLE, BUCKET = "LedgerTable", "LedgerBucket"
_MEANINGS = {
    "changed": "does not say what was written",
    "unlinked": "does not follow the one before",
    "missing": "is missing",
    "replaced": "has an anchor that was written again or removed",
    "differs": "is not what its anchor says",
    "cut": "is anchored and not there",
}


@dataclass(frozen=True)
class Verified:
    """anchored: entries that an anchor holds; what is newer is proved by the chain alone, until the next anchor."""

    entries: int
    anchors: int
    anchored: int
    broken: list[Broken] = field(default_factory=list)

    @property
    def intact(self) -> bool:
        """Is all of it as it was written?"""
        return not self.broken

    def __str__(self) -> str:
        counted = f"{self.entries:,} entries, {self.anchored:,} of them in {self.anchors:,} anchors"
        if self.intact:
            return f"The ledger is intact: {counted}."
        told = "; ".join(f"entry {each.seq} {_MEANINGS[each.why]}" for each in self.broken[:5])
        more = f"; and {len(self.broken) - 5} more" if len(self.broken) > 5 else ""
        return f"The ledger is NOT intact ({counted}): {told}{more}."


class Ledger:
    """The ledger of one deployment. Raises PlatformError where there is none."""

    def __init__(self, connection: Connection) -> None:
        stack = STACKS.get("imaging", "CuatroImaging")
        outputs = connection.outputs(stack)
        if TABLE not in outputs or BUCKET not in outputs:
            raise PlatformError(f"{stack} has no ledger.", "`cuatro status` shows what is deployed.")
        self._table, self._bucket = outputs[TABLE], outputs[BUCKET]
        self._dynamo, self._s3 = connection.client("dynamodb"), connection.client("s3")

    def verified(self) -> Verified:
        """Reads all of it."""
        hashes: dict[int, str] = {}

        def told() -> Iterator[Entry]:
            for entry in self.entries():
                hashes[entry.seq] = entry.hash
                yield entry

        broken = list(ledger.broken(told()))
        anchored: set[int] = set()
        keys = 0
        for anchor in self._anchors():
            keys += 1
            if isinstance(anchor, Broken):
                broken.append(anchor)
                continue
            anchored.update(entry.seq for entry in anchor)
            broken += ledger.broken(anchor, ledger.Head(anchor[0].seq - 1, anchor[0].previous))
            broken += ledger.unanchored(hashes, anchor)
        for row in self._query("chain", ANCHORS):
            if row["seq"] not in anchored:
                broken.append(Broken(row["seq"], "replaced"))
        return Verified(len(hashes), keys, len(anchored), sorted(dict.fromkeys(broken)))

    def entries(self, object_: str = "", actor: str = "") -> Iterator[Entry]:
        """In their order: all, or those about an object, or by an actor, or both."""
        if object_:
            found = map(ledger.entry_of, self._query("object", object_, index="by_object"))
            yield from (entry for entry in found if not actor or entry.actor == actor)
        elif actor:
            yield from map(ledger.entry_of, self._query("actor", actor, index="by_actor"))
        else:
            yield from map(ledger.entry_of, self._query("chain", CHAIN))

    def _query(self, attribute: str, value: str, index: str = "") -> Iterator[dict[str, Any]]:
        where = {"IndexName": index} if index else {"ConsistentRead": True}
        pages = self._dynamo.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="#k = :v",
            ExpressionAttributeNames={"#k": attribute},
            ExpressionAttributeValues={":v": {"S": value}},
            **where,
        )
        for page in pages:
            yield from map(decoded_image, page["Items"])

    def _anchors(self) -> Iterator[list[Entry] | Broken]:
        """Entries of each anchor as it was first written; Broken where it was written again, removed or damaged."""
        first: dict[str, str] = {}
        touched: set[str] = set()
        for page in self._s3.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=f"{CHAIN}/"):
            for each in page.get("Versions", []):  # the newest of a key comes first
                if each["Key"] in first:
                    touched.add(each["Key"])
                first[each["Key"]] = each["VersionId"]
            touched.update(each["Key"] for each in page.get("DeleteMarkers", []))
        for key, version in first.items():
            if key in touched:
                yield Broken(int(key.rpartition("/")[2].partition(".")[0]), "replaced")
            content = self._s3.get_object(Bucket=self._bucket, Key=key, VersionId=version)["Body"].read()
            try:
                found = ledger.entries_of(content)
            except ValueError:  # msgspec's errors are ValueErrors
                found = []
            yield found or Broken(int(key.rpartition("/")[2].partition(".")[0]), "replaced")


def verified(connection: Connection) -> Verified:
    """The whole check. Raises PlatformError where no ledger is deployed."""
    return Ledger(connection).verified()
