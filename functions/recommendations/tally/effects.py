"""Lists and their feedback -> clicks of the new items that lists explored, then the lake: all done, or done again.

The shelf counts an answer once however often it is delivered; a line of the lake that comes again has the same list_id
(and event_id), by which readers can tell.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from cuatro.adapters.dynamodb import Dynamo
from cuatro.adapters.publishing import put_lines
from cuatro.folding import Folded, Plan, fold, mark_of
from functions.recommendations import lists, shelves
from functions.recommendations.lists import FeedbackRecorded, Served
from functions.recommendations.shelves import Answers
from functions.recommendations.tally.settings import Settings


class Told(NamedTuple):
    """One write of a list. write: n of its item, 1 is the list itself; feedback: what the write added."""

    served: Served
    write: int
    feedback: Sequence[FeedbackRecorded] = ()


@dataclass
class Tallied:
    """failed: position -> why; to be delivered again."""

    lists: int = 0
    feedback: int = 0
    shelved: Folded = field(default_factory=Folded)
    failed: dict[int, str] = field(default_factory=dict)


def tally(told: Sequence[Told], setting: Settings, new_days: float, dynamo: Dynamo, now_s: int) -> Tallied:
    """Raises nothing: what a service did not take is among the failed."""
    tallied = Tallied()
    answers = {position: found for position, each in enumerate(told) if (found := explored(each))}
    marks = {mark_of(told[at].served.list_id, told[at].write): found for at, found in answers.items()}
    expires_s = now_s + shelves.new_lasts_s(new_days)
    plan = Plan(setting.shelves_table, shelves.KEY, _answered, lambda _shelf: expires_s, now_s)
    tallied.shelved = fold({shelves.NEW: marks}, plan, dynamo)
    if why := tallied.shelved.failed.get(shelves.NEW):
        tallied.failed |= dict.fromkeys(answers, why)
    kept = [position for position in range(len(told)) if position not in tallied.failed]
    served = {position: [lists.line(told[position].served)] for position in kept if told[position].write == 1}
    heard = {position: [lists.line(each) for each in told[position].feedback] for position in kept}
    put = partial(_put, tallied=tallied)
    tallied.lists = put(setting.lists_delivery, served)
    tallied.feedback = put(setting.feedback_delivery, heard)
    return tallied


def explored(told: Told) -> Answers | None:
    """What feedback says of the new item at the explored place; None if nothing.

    Only that place counts: one position for all, and the item got it by chance, so their click rates compare.
    """
    served, place = told.served, told.served.explored
    if not place or place > len(served.items) or served.items[place - 1].source != "new":
        return None
    kinds = [each.kind for each in told.feedback if any(item.place == place for item in each.items)]
    if not kinds:
        return None
    item = served.items[place - 1].item
    return Answers({item: kinds.count("impression")}, {item: kinds.count("click")})


def _answered(p: bytes | None, answers: Sequence[Answers]) -> bytes:
    impressions: Counter[str] = Counter()
    clicks: Counter[str] = Counter()
    for each in answers:
        impressions.update(each.impressions)
        clicks.update(each.clicks)
    return shelves.encode(shelves.answered(shelves.decode_new(p), Answers(impressions, clicks)))


def _put(delivery: str, lines: dict[int, list[bytes]], tallied: Tallied) -> int:
    """How many lines the lake took; the positions of the others have failed."""
    places = [position for position, some in lines.items() for _ in some]
    lost = put_lines(delivery, [line for some in lines.values() for line in some])
    tallied.failed |= {places[number]: f"{delivery} did not take the line" for number in lost}
    return len(places) - len(lost)
