"""(records, input of a List operation) -> one page and its NextToken: filters, order and pages as on AWS."""

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from local.aws.errors import ValidationException
from local.aws.service import Output
from local.aws.store import Record

PAGE = 10
_TIMES = {"CreationTime": "CreationTime", "LastModifiedTime": "LastModifiedTime", "Created": "CreationTime"}
_AFTER, _BEFORE = "After", "Before"


def page(  # noqa: PLR0913 - what differs between the List operations
    records: Iterable[Record],
    given: Mapping[str, Any],
    *,
    name: str,
    sort: Mapping[str, str] | None = None,
    sort_by: str = "CreationTime",
    descending: bool = True,
    size: int = PAGE,
) -> tuple[list[Record], str | None]:
    """Records that pass NameContains and the times Before and After, in order, MaxResults of them; the next token.

    name: member with the record's name. sort: AWS's SortBy value -> member, for those that are not the member itself
    ("Name" is `name`). sort_by and descending are the operation's defaults. Raises ValidationException for a token
    that belongs to another question.
    """
    members = {"Name": name, **(sort or {})}
    chosen = given.get("SortBy", sort_by)
    order = given.get("SortOrder", "Descending" if descending else "Ascending")
    backwards = order == "Descending"
    member = members.get(chosen, chosen)

    def key(record: Record) -> list[Any]:
        return [record.get(member) if record.get(member) is not None else "", record[name]]

    found = sorted((record for record in records if _passes(record, given, name)), key=key, reverse=backwards)
    asked = {k: v for k, v in given.items() if k not in ("NextToken", "MaxResults")}
    question = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]
    if "NextToken" in given:
        last = _last(given["NextToken"], question)
        found = [record for record in found if (key(record) < last if backwards else key(record) > last)]
    size = given.get("MaxResults", size)
    shown = found[:size]
    if len(found) <= size:
        return shown, None
    return shown, base64.urlsafe_b64encode(json.dumps([question, key(shown[-1])]).encode()).decode()


def answer(records: list[Record], given: Mapping[str, Any], member: str, name: str, status: str = "") -> Output:
    """A List operation's whole answer, with StatusEquals besides. `name` and `status` are members of the records."""
    kept = [record for record in records if given.get("StatusEquals") in (None, record.get(status))]
    shown, token = page(kept, given, name=name, sort={"Status": status})
    return {member: shown, "NextToken": token}


def slice_of(items: list[Any], given: Mapping[str, Any], size: int) -> tuple[list[Any], str | None]:
    """One page of items whose order does not change, and the next token."""
    start = 0
    if "NextToken" in given:
        match _last(given["NextToken"], "slice"):
            case [int(begin)] if begin >= 0:
                start = begin
            case _:
                raise ValidationException("The NextToken is not one that was given out.")
    end = start + int(given.get("MaxResults", size))
    if end >= len(items):
        return items[start:], None
    return items[start:end], base64.urlsafe_b64encode(json.dumps(["slice", [end]]).encode()).decode()


def _passes(record: Record, given: Mapping[str, Any], name: str) -> bool:
    if given.get("NameContains", "").lower() not in record[name].lower():
        return False
    for prefix, member in _TIMES.items():
        if given.get(prefix + _AFTER, float("-inf")) > record.get(member, 0):
            return False
        if given.get(prefix + _BEFORE, float("inf")) < record.get(member, 0):
            return False
    return True


def _last(token: str, question: str) -> list[Any]:
    try:
        asked, last = json.loads(base64.urlsafe_b64decode(token))
    except (ValueError, TypeError, binascii.Error) as error:
        raise ValidationException("The NextToken is not one that was given out.") from error
    if asked != question or not isinstance(last, list):
        raise ValidationException("The NextToken belongs to a request with other parameters.")
    return last
