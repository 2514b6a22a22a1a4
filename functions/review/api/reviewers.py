"""Who calls, by IAM -> who reviews: the session or user's name, or whom a trusted backend names.

The name of a session is what a role's trust policy lets people give: let it want sts:RoleSessionName to be the user's
own name (or take IAM Identity Center, which sees to it), or one person could give both reads of a task.
"""

import re
from collections.abc import Mapping

from cuatro.errors import Rejected

HEADER = "x-cuatro-reviewer"
ANYBODY = "*"
_NAME = re.compile(r"[A-Za-z0-9_.@+=,-]{1,64}")
_PRINCIPAL = re.compile(r"arn:[a-z-]+:(?:iam|sts)::(?P<account>\d+):(?P<kind>[a-z-]+)(?P<rest>(?:/.*)?)")


def reviewer_of(user_arn: str | None, headers: Mapping[str, str], trusted: str) -> str:
    """user_arn: requestContext.identity.userArn. trusted: TRUSTED_BACKENDS. Raises Rejected (unauthorized, forbidden).

    headers: with their names in lower case.
    """
    name = _name(user_arn)
    named = headers.get(HEADER)
    if named is None:
        return name
    if not _is_trusted(user_arn or "", trusted):
        raise Rejected("only a trusted backend names the reviewer", HEADER, "forbidden")
    if not _NAME.fullmatch(named):
        raise Rejected("must be 1 to 64 letters, digits and _ . @ + = , -", HEADER, "invalid_value")
    return named


def _name(user_arn: str | None) -> str:
    found = _PRINCIPAL.fullmatch(user_arn or "")
    # The account's root user has no more than that word.
    name = (found["rest"].rpartition("/")[2] if found["rest"] else found["kind"]) if found else ""
    if not _NAME.fullmatch(name):
        raise Rejected("who calls is not known", code="unauthorized")
    return name


def _is_trusted(user_arn: str, trusted: str) -> bool:
    """A session of a role (its ARN has the role's name without its path) is that role's."""
    wanted = {each.strip() for each in trusted.split(",")} - {""}
    found = _PRINCIPAL.fullmatch(user_arn)
    if ANYBODY in wanted:
        return True
    if found is None:
        return False
    if found["kind"] != "assumed-role":
        return user_arn in wanted
    role = found["rest"].split("/")[1]
    roles = (_PRINCIPAL.fullmatch(each) for each in wanted)
    return any(
        each
        and each["kind"] == "role"
        and (each["account"], each["rest"].rpartition("/")[2]) == (found["account"], role)
        for each in roles
    )
