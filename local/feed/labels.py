"""A row of any accepted shape -> label v1, and batches of labels -> POST /labels."""

from typing import Any

from local.feed.api import Api
from local.feed.rows import Row
from local.feed.transactions import moment, rfc3339

LABELS_A_CALL = 500
NONE_KNOWN = 404
NEVER_DECIDED = "its transaction was never decided here"


class LabelError(ValueError):
    """The row is no label; the message says why."""


def label(row: Row) -> dict[str, Any] | None:
    """One label, None for a row that says nothing yet (no TX_FRAUD, or a LABEL_TIME column left empty).

    Raises LabelError for a row that is no object. Whatever else is wrong, the API answers with the field and why.
    """
    if row.fields is None:
        raise LabelError(row.problem or "not a label")
    if "TRANSACTION_ID" not in row.fields:
        fields = {"version": 1, "source": "analyst", **row.fields}
        fields["version"] = int(fields["version"]) if str(fields["version"]).isdigit() else fields["version"]
        if isinstance(fields.get("fraud"), str | int):
            fields["fraud"] = _truth(fields["fraud"])
        time = moment(fields.get("time"))
        return {**fields, "time": rfc3339(time)} if time else fields
    if row.fields.get("TX_FRAUD") is None or row.fields.get("LABEL_TIME") is None:
        return None
    time = moment(row.fields["LABEL_TIME"])
    fraud = _truth(row.fields["TX_FRAUD"])
    return {
        "version": 1,
        "transaction_id": str(row.fields["TRANSACTION_ID"]),
        "fraud": fraud,
        "time": rfc3339(time) if time else str(row.fields["LABEL_TIME"]),
        "source": "chargeback" if fraud else "analyst",
    }


def _truth(value: Any) -> Any:
    return {"0": False, "1": True, "false": False, "true": True}.get(str(value).lower(), value)


def post(api: Api, batch: list[tuple[int, dict[str, Any]]]) -> tuple[int, list[tuple[int, str]]]:
    """Post one batch: how many were taken, and (line, why) of those that were not.

    The API passes over labels of transactions that it does not know (404 if it knows none of them), and refuses a
    request with a malformed label as a whole: such a batch is halved until the bad labels stand alone.
    """
    answer = api.post("/labels", {"labels": [fields for _, fields in batch]})
    if answer.ok:
        unknown = set(answer.body.get("unknown", ()))
        bad = [(number, NEVER_DECIDED) for number, fields in batch if fields.get("transaction_id") in unknown]
        return len(batch) - len(bad), bad
    if answer.status == NONE_KNOWN:
        return 0, [(number, NEVER_DECIDED) for number, _ in batch]
    if len(batch) == 1:
        return 0, [(batch[0][0], _why(answer.status, answer.body))]
    half = len(batch) // 2
    first, second = post(api, batch[:half]), post(api, batch[half:])
    return first[0] + second[0], first[1] + second[1]


def _why(status: int, body: Any) -> str:
    error = body.get("error", body) if isinstance(body, dict) else body
    if not isinstance(error, dict) or "message" not in error:
        return f"HTTP {status}: {error}"
    # "labels[0].time" of a request with this one label: its place there says nothing
    field = str(error.get("field") or "").removeprefix("labels[0]").lstrip(".")
    return f"{field} {error['message']}".strip()
