"""PartiQL request -> the IAM actions and tables that AWS checks: dynamodb:PartiQLUpdate on that table, and so on.

MiniStack checks dynamodb:BatchExecuteStatement on every resource, which AWS does not know. With these checks a role
needs on the laptop what it needs on AWS.
"""

import json
import re
from collections.abc import Iterator

OPERATIONS = ("dynamodb:ExecuteStatement", "dynamodb:BatchExecuteStatement", "dynamodb:ExecuteTransaction")
_STATEMENT = re.compile(
    r"""^\s*(?:(?P<verb>UPDATE)\s+|(?P<verb2>INSERT)\s+INTO\s+|(?P<verb3>DELETE)\s+FROM\s+|(?P<verb4>SELECT|EXISTS)\b.*?\bFROM\s+)
        (?:"(?P<quoted>[^"]+)"|(?P<plain>[\w.-]+))(?:\."(?P<index>[^"]+)")?""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)


def checks(operation: str, body: bytes, region: str, account: str) -> list[tuple[str, str]]:
    """(action, table ARN) of each distinct check, in order; empty for any other operation.

    A statement that cannot be read is checked against no table, so only a grant on everything passes it.
    """
    if operation not in OPERATIONS:
        return []
    return list(dict.fromkeys(_check(text, region, account) for text in _statements(body)))


def _statements(body: bytes) -> Iterator[str]:
    try:
        request = json.loads(body or b"{}")
    except ValueError:
        return
    if not isinstance(request, dict):
        return
    for part in [request, *request.get("Statements", []), *request.get("TransactStatements", [])]:
        if isinstance(part, dict) and isinstance(part.get("Statement"), str):
            yield part["Statement"]


def _check(statement: str, region: str, account: str) -> tuple[str, str]:
    found = _STATEMENT.match(statement)
    if not found:
        return "dynamodb:PartiQLSelect", "*"
    verb = (found["verb"] or found["verb2"] or found["verb3"] or found["verb4"]).capitalize()
    table = found["quoted"] or found["plain"]
    arn = f"arn:aws:dynamodb:{region}:{account}:table/{table}"
    if found["index"]:
        arn += f"/index/{found['index']}"
    return "dynamodb:PartiQL" + ("Select" if verb == "Exists" else verb), arn
