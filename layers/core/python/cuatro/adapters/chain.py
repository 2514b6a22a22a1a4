"""Rows that are only ever added, numbered without a gap: a DynamoDB table whose writer may insert and nothing else.

PartiQL's INSERT never overwrites, unlike PutItem, and has a permission of its own (dynamodb:PartiQLInsert): with that
alone a role cannot change a row, whatever its code does.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import msgspec

from cuatro.adapters.attributes import Attribute, Item, decoded, encoded
from cuatro.adapters.aws import JsonService, LeanService
from cuatro.adapters.partiql import insertion, request
from cuatro.errors import Refused, Unavailable

ROWS_PER_CALL = 100
_ENCODE = msgspec.json.Encoder().encode


class _Page(msgspec.Struct):
    Items: list[dict[str, Attribute]]
    LastEvaluatedKey: dict[str, Any] | None = None


_PAGE = msgspec.json.Decoder(_Page)


class Chain(NamedTuple):
    """A table with the partition key `chain` and the sort key `seq`."""

    table: str
    service: JsonService

    def append(self, rows: Sequence[Mapping[str, Any]]) -> bool:
        """All of them, at most ROWS_PER_CALL, or none: False where one of these numbers is taken.

        Raises Unavailable or Refused.
        """
        statements = [request(insertion(self.table, each)) for each in rows]
        for each in statements:
            del each["ReturnValuesOnConditionCheckFailure"]
        try:
            self.service.call("ExecuteTransaction", _ENCODE({"TransactStatements": statements}))
        except Refused as refused:
            if "DuplicateItem" in str(refused) or "ConditionalCheckFailed" in str(refused):
                return False
            if "TransactionConflict" in str(refused) or "Throttling" in str(refused):
                raise Unavailable("ExecuteTransaction: others write at the same time") from refused
            raise
        return True

    def newest(self, chain: str, limit: int) -> list[Item]:
        """The last rows, the newest first. Raises Unavailable."""
        return next(self._pages({":v": chain}, "chain", ConsistentRead=True, ScanIndexForward=False, Limit=limit), [])

    def rows(self, chain: str, after: int = 0) -> Iterator[Item]:
        """In their order, those after number `after`. Raises Unavailable."""
        start = {"chain": {"S": chain}, "seq": {"N": str(after)}}
        for page in self._pages({":v": chain}, "chain", start=start if after else None, ConsistentRead=True):
            yield from page

    def having(self, attribute: str, value: str) -> Iterator[Item]:
        """By the index by_<attribute>, in the order of their numbers. Raises Unavailable."""
        for page in self._pages({":v": value}, attribute, IndexName=f"by_{attribute}"):
            yield from page

    def _pages(self, values: dict[str, str], attribute: str, start: Any = None, **more: Any) -> Iterator[list[Item]]:
        body = {
            "TableName": self.table,
            "KeyConditionExpression": "#k = :v",
            "ExpressionAttributeNames": {"#k": attribute},
            "ExpressionAttributeValues": encoded(values),
            **more,
        }
        while True:
            page = _PAGE.decode(
                self.service.call("Query", _ENCODE({**body, "ExclusiveStartKey": start} if start else body))
            )
            yield list(map(decoded, page.Items))
            start = page.LastEvaluatedKey
            if not start:
                return


@cache
def chain(table: str) -> Chain:
    """Of this table, through this process's DynamoDB."""
    return Chain(table, LeanService("dynamodb", "DynamoDB_20120810", "1.0"))
