"""Records and a List request -> the List operation's answer: pages of paging.py, with StatusEquals besides."""

from typing import Any

from local.sagemaker import paging
from local.sagemaker.service import Input, Output
from local.sagemaker.store import Record


def page(records: list[Record], given: Input, member: str, name: str, status: str = "") -> Output:
    """{member: records of the page, "NextToken": ...}. `name` and `status` are members of the records."""
    kept = [record for record in records if given.get("StatusEquals") in (None, record.get(status))]
    shown, token = paging.page(kept, given, name=name, sort={"Status": status})
    found: dict[str, Any] = {member: shown, "NextToken": token}
    return found
