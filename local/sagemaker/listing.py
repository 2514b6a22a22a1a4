"""Records and a List request -> one page of them: filtered, sorted and cut as AWS's List operations do.

For operations with NameContains, CreationTimeBefore/After, LastModifiedTimeBefore/After, StatusEquals, SortBy,
SortOrder, MaxResults and NextToken. A member that the request lacks filters nothing.
"""

import base64
import binascii
from typing import Any

from local.sagemaker.errors import ValidationException
from local.sagemaker.service import Input, Output
from local.sagemaker.store import Record

PAGE = 10  # AWS's default for SageMaker
_BOUNDS = ("CreationTime", "LastModifiedTime")


def page(
    records: list[Record], given: Input, member: str, name: str, status: str = "", default: str = "CreationTime"
) -> Output:
    """{member: records of the page, "NextToken": where it goes on}. `name` and `status` are members of the records."""
    kept = [record for record in records if _matches(record, given, name, status)]
    column = {"Name": name, "Status": status}.get(given.get("SortBy", default), given.get("SortBy", default))
    kept.sort(key=lambda record: record.get(column) or 0, reverse=given.get("SortOrder", "Descending") == "Descending")
    begin = _position(given.get("NextToken"))
    end = begin + given.get("MaxResults", PAGE)
    found: dict[str, Any] = {member: kept[begin:end]}
    if end < len(kept):
        found["NextToken"] = base64.urlsafe_b64encode(f"{member}:{end}".encode()).decode()
    return found


def _matches(record: Record, given: Input, name: str, status: str) -> bool:
    if given.get("NameContains", "").lower() not in record[name].lower():
        return False
    if "StatusEquals" in given and record[status] != given["StatusEquals"]:
        return False
    for bound in _BOUNDS:
        if f"{bound}Before" in given and not record[bound] < given[f"{bound}Before"]:
            return False
        if f"{bound}After" in given and not record[bound] > given[f"{bound}After"]:
            return False
    return True


def _position(token: str | None) -> int:
    if token is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token).decode().rpartition(":")[2])
    except (ValueError, binascii.Error) as error:
        raise ValidationException("Invalid NextToken.") from error
