"""GET /status/{study}: how far a study is, what was refused of it, and its outcome once there is one."""

from collections import Counter
from typing import Any

import msgspec

from cuatro.adapters.attributes import Item
from cuatro.times import text_of
from functions.imaging.api.access import Caller
from functions.imaging.results import results
from functions.imaging.studies import BY_STUDY, REJECTED

_PAGE = 1_000


def told(study_uid: str, study: Item, of: Caller) -> dict[str, Any]:
    """study: its row. `waiting`: instances that no reading has begun. Raises Unavailable."""
    page = of.dynamo.query(of.setting.instances_table, BY_STUDY, {"study": study["study"]}, _PAGE)
    refused = Counter(str(each.get("why", "")) for each in page.items if each["s"] == REJECTED)
    return {
        "study": study_uid,
        "state": study["s"],
        "revision": study["r"],
        "instances": study["c"],
        "waiting": study["w"],
        "results": len(results(study)),
        "refused": [{"code": code, "count": count} for code, count in sorted(refused.items())],
        "outcome": msgspec.json.decode(study["v"]) if study.get("v") else None,
        "last_arrival": text_of(study["t"]),
    }
