"""Keys -> items, conditional statements -> what became of each: DynamoDB in as few calls as it allows.

Values are plain Python (see attributes). Reads are strongly consistent, unless a table's keys say otherwise.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Any, NamedTuple, TypeVar

import msgspec

from cuatro.adapters.attributes import Attribute, Item, decoded, encoded
from cuatro.adapters.aws import ATTEMPTS, PATIENT, THROTTLED, JsonService, LeanService, Patience, backoff
from cuatro.adapters.partiql import Statement, Written, executed, request
from cuatro.errors import Unavailable

A = TypeVar("A")
B = TypeVar("B")

KEYS_PER_READ = 100
STATEMENTS_PER_CALL = 25
_PARALLEL = 8


class Keys(NamedTuple):
    """What to read of a table: the key's attribute, keys, and the attributes wanted (none = all).

    consistent: False may give what was there a moment ago, for half the price.
    """

    attribute: str
    values: Iterable[str]
    names: tuple[str, ...] = ()
    consistent: bool = True


class Found(NamedTuple):
    """Items by key, and the keys that stayed throttled."""

    items: dict[str, Item]
    unread: set[str]


class Page(NamedTuple):
    """Items in their order; start: what to give to the next query, None after the last."""

    items: list[Item]
    start: Item | None


class _Page(msgspec.Struct):
    Items: list[dict[str, Attribute]]
    LastEvaluatedKey: dict[str, Attribute] | None = None


class _Read(msgspec.Struct):
    Responses: dict[str, list[dict[str, Attribute]]]
    UnprocessedKeys: dict[str, Any] = {}


_PAGE = msgspec.json.Decoder(_Page)
_READ = msgspec.json.Decoder(_Read)
_ENCODE = msgspec.json.Encoder().encode


class Dynamo:
    """One region's tables."""

    def __init__(self, service: JsonService) -> None:
        self._service = service

    def update(self, table: str, key: Item, expression: str, values: Item, condition: str | None = None) -> None:
        """UpdateItem with :names in `values`. Raises Refused with code ConditionalCheckFailedException, Unavailable."""
        body = {"TableName": table, "Key": encoded(key), "UpdateExpression": expression}
        if values:
            body["ExpressionAttributeValues"] = encoded(values)
        if condition:
            body["ConditionExpression"] = condition
        self._service.call("UpdateItem", _ENCODE(body))

    def delete(self, table: str, key: Item) -> bool:
        """DeleteItem; was there one? Raises Unavailable."""
        body = {"TableName": table, "Key": encoded(key), "ReturnValues": "ALL_OLD"}
        return "Attributes" in msgspec.json.decode(self._service.call("DeleteItem", _ENCODE(body)))

    def put_all(self, table: str, items: Sequence[Item]) -> None:
        """Put items, the last one of a key wins, in any order. Raises Unavailable when some could not be written."""
        for chunk in _chunks(items, STATEMENTS_PER_CALL):
            waiting: Any = {table: [{"PutRequest": {"Item": encoded(item)}} for item in chunk]}
            for attempt in range(ATTEMPTS):
                if attempt:
                    backoff(attempt)
                answer = self._service.call("BatchWriteItem", _ENCODE({"RequestItems": waiting}))
                waiting = msgspec.json.decode(answer).get("UnprocessedItems")
                if not waiting:
                    break
            else:
                raise Unavailable(f"BatchWriteItem: {table} throttled")

    def query(self, table: str, index: str, key: Item, limit: int, start: Item | None = None) -> Page:
        """At most `limit` items of an index whose partition key is `key`, by the sort key downwards.

        start: of the page before. An index follows its table a moment later. Raises Unavailable.
        """
        ((name, value),) = key.items()
        body = {
            "IndexName": index,
            "KeyConditionExpression": "#k = :v",
            "ExpressionAttributeNames": {"#k": name},
            "ExpressionAttributeValues": encoded({":v": value}),
            "ScanIndexForward": False,
            "Limit": limit,
        }
        return self._page("Query", table, body, start)

    def scan(self, table: str, names: tuple[str, ...] = ()) -> list[Item]:
        """All items of a small table; names: the attributes wanted, none = all. Raises Unavailable."""
        references = {f"#{number}": name for number, name in enumerate(names)}
        wanted = {"ProjectionExpression": ",".join(references), "ExpressionAttributeNames": references} if names else {}
        items, start = self._page("Scan", table, {"ConsistentRead": True, **wanted}, None)
        while start:
            more, start = self._page("Scan", table, {"ConsistentRead": True, **wanted}, start)
            items += more
        return items

    def _page(self, operation: str, table: str, body: dict[str, Any], start: Item | None) -> Page:
        request = {"TableName": table, **body, **({"ExclusiveStartKey": encoded(start)} if start else {})}
        answer = _PAGE.decode(self._service.call(operation, _ENCODE(request)))
        next_start = decoded(answer.LastEvaluatedKey) if answer.LastEvaluatedKey else None
        return Page(list(map(decoded, answer.Items)), next_start)

    def read(self, wanted: Mapping[str, Keys]) -> dict[str, Found]:
        """Items of several tables, by table; 100 keys a call. Raises Unavailable when a whole call failed."""
        keys = [(table, key) for table, each in wanted.items() for key in each.values]
        result = {table: Found({}, set()) for table in wanted}
        for items, unread in _each(partial(self._read, wanted), list(_chunks(keys, KEYS_PER_READ))):
            for table, found in items.items():
                attribute = wanted[table].attribute
                result[table].items.update((item[attribute], item) for item in found)
            for table, missing in unread.items():
                result[table].unread.update(missing)
        return result

    def _read(
        self, wanted: Mapping[str, Keys], chunk: Sequence[tuple[str, str]]
    ) -> tuple[dict[str, list[Item]], dict[str, set[str]]]:
        request: dict[str, Any] = {}
        for table, key in chunk:
            attribute, _, names, consistent = wanted[table]
            if table not in request:
                request[table] = {"ConsistentRead": consistent, "Keys": []}
                if names:  # by reference: many a name is a reserved word
                    references = {f"#{number}": name for number, name in enumerate(names)}
                    request[table]["ProjectionExpression"] = ",".join(references)
                    request[table]["ExpressionAttributeNames"] = references
            request[table]["Keys"].append({attribute: {"S": key}})
        items: dict[str, list[Item]] = {}
        for attempt in range(ATTEMPTS):
            if attempt:
                backoff(attempt)
            answer = _READ.decode(self._service.call("BatchGetItem", _ENCODE({"RequestItems": request})))
            for table, found in answer.Responses.items():
                items.setdefault(table, []).extend(map(decoded, found))
            request = answer.UnprocessedKeys
            if not request:
                return items, {}
        left = {table: {key[wanted[table].attribute]["S"] for key in part["Keys"]} for table, part in request.items()}
        return items, left

    def write(self, statements: Sequence[Statement]) -> list[Written]:
        """Each statement by itself, all or none of it; results in order. A call that failed fails its statements."""
        chunks = list(_chunks(statements, STATEMENTS_PER_CALL))
        return [written for results in _each(self._write, chunks) for written in results]

    def _write(self, statements: Sequence[Statement]) -> list[Written]:
        results = [Written("failed", code="not tried")] * len(statements)
        waiting = list(range(len(statements)))
        for attempt in range(ATTEMPTS):
            if attempt:
                backoff(attempt)
            body = _ENCODE({"Statements": [request(statements[number]) for number in waiting]})
            try:
                answers = executed(self._service.call("BatchExecuteStatement", body))
            except Unavailable as error:
                # The service has retried already. Other calls of the batch may have succeeded: fail only these.
                for number in waiting:
                    results[number] = Written("failed", code=str(error))
                return results
            for number, answer in zip(waiting, answers, strict=True):
                results[number] = answer
            waiting = [number for number in waiting if results[number].code in THROTTLED]
            if not waiting:
                break
        return results


@cache
def dynamo(patience: Patience = PATIENT) -> Dynamo:
    """This process's DynamoDB."""
    return Dynamo(LeanService("dynamodb", "DynamoDB_20120810", "1.0", patience))


def _chunks(items: Sequence[A], size: int) -> Iterable[Sequence[A]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def _each(function: Callable[[A], B], chunks: Sequence[A]) -> list[B]:
    """function of each chunk, side by side: a batch waits for the slowest call, not for the sum."""
    if len(chunks) < 2:
        return [function(chunk) for chunk in chunks]
    return list(_threads().map(function, chunks))


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_PARALLEL, "dynamodb")
