"""A question -> a list: the model ranks what the filter lets pass, after what the user did until now."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cuatro.adapters.ranker import OnnxRanker
from cuatro.ranking import Taken
from local.personalize import filters
from local.personalize.answering.tables import Followed, Row
from local.personalize.expressions import parse

DAY = 86400.0
NEWEST = 100  # items of a history that the model looks at
Question = Mapping[str, Any]
Answered = dict[str, Any]


def _anything(_item: str) -> bool:
    """What passes where there is no filter."""
    return True


class Lists:
    """One solution version with the rows of its dataset group. Used from several threads.

    files: paths of the datasets' files by their types.
    """

    def __init__(self, model: Path, files: Mapping[str, Sequence[Path]], now: Callable[[], float] = time.time) -> None:
        self._ranker = OnnxRanker(model)
        self._now = now
        self._lock = threading.Lock()
        self._histories: dict[str, list[Row]] = defaultdict(list)
        self._items: dict[str, Row] = {}
        self._users: dict[str, Row] = {}
        self._tables = [
            Followed(files["INTERACTIONS"], self._histories.clear, lambda r: self._histories[r["USER_ID"]].append(r)),
            Followed(files["ITEMS"], self._items.clear, lambda r: self._items.__setitem__(r["ITEM_ID"], r)),
            Followed(files["USERS"], self._users.clear, lambda r: self._users.__setitem__(r["USER_ID"], r)),
        ]
        self.refresh()

    def refresh(self) -> None:
        """Reads what was added to the datasets."""
        with self._lock:
            for table in self._tables:
                table.refresh()

    def answer(self, question: Question) -> list[Answered]:
        """Items, best first. Raises ExpressionError for a filter that cannot be applied."""
        self.refresh()
        with self._lock:
            history = list(self._histories.get(question.get("filtered_user") or "", ()))
        passes = self._passing(question.get("filter"), question, history)
        taken = self._taken(question, history)
        if "input" in question:
            found = self._ranked_input(list(dict.fromkeys(question["input"])), taken, passes)
        else:
            found = self._best(question, taken, passes, question["k"])
            for promotion in question.get("promotions", ()):
                found = self._promoted(found, promotion, question, (taken, history))
        for each in found:
            columns = question.get("columns", ())
            if columns:
                row = self._items.get(each["itemId"], {})
                each["metadata"] = {name: row.get(name, "") for name in columns}
        return found

    def _taken(self, question: Question, history: Sequence[Row]) -> list[Taken]:
        """What the list is for: an item, or what the user did, the newest of each item, newest first."""
        if question.get("item"):
            return [Taken(question["item"], 0.0)]
        if not question.get("user"):
            return []
        newest: dict[str, float] = {}
        for row in history:
            newest[row["ITEM_ID"]] = max(float(row["TIMESTAMP"]), newest.get(row["ITEM_ID"], 0.0))
        now = self._now()
        ordered = sorted(newest.items(), key=lambda pair: pair[1], reverse=True)[:NEWEST]
        return [Taken(item, max(0.0, (now - at) / DAY)) for item, at in ordered]

    def _passing(
        self, chosen: Mapping[str, Any] | None, question: Question, history: Sequence[Row]
    ) -> Callable[[str], bool]:
        if chosen is None:
            return _anything
        user = self._users.get(question.get("filtered_user") or "", {})
        known = filters.Known(self._items, user, history)
        return filters.allowed(parse(chosen["expression"]), chosen["values"], known)

    def _best(
        self, question: Question, taken: Sequence[Taken], passes: Callable[[str], bool], count: int
    ) -> list[Answered]:
        out = set() if passes is _anything else {item for item in self._ranker.names if not passes(item)}
        if question.get("item"):  # an item is not similar to itself
            out.add(question["item"])
        ranked = self._ranker.rank(question.get("user") or "", taken, out, count)
        return [{"itemId": item, "score": score} for item, score in zip(ranked.items, ranked.scores, strict=True)]

    def _ranked_input(
        self, given: Sequence[str], taken: Sequence[Taken], passes: Callable[[str], bool]
    ) -> list[Answered]:
        """The given items that pass, ranked; those that the model does not know after them, with score 0."""
        wanted = {item for item in given if passes(item)}
        out = [item for item in self._ranker.names if item not in wanted]
        known = len(self._ranker.names) - len(out)
        ranked = self._ranker.rank("", taken, out, known) if known else None
        scores = dict(zip(ranked.items, ranked.scores, strict=True)) if ranked else {}
        rest = [item for item in given if item in wanted and item not in scores]
        return [{"itemId": item, "score": score} for item, score in [*scores.items(), *((item, 0.0) for item in rest)]]

    def _promoted(
        self, found: list[Answered], promotion: Question, question: Question, about: tuple[list[Taken], list[Row]]
    ) -> list[Answered]:
        """The list with a share of its places for what a filter promotes, spread over it, best first."""
        taken, history = about
        count = round(len(found) * promotion["percent"] / 100)
        passes = self._passing(promotion["filter"], question, history)
        also = self._passing(question.get("filter"), question, history)
        chosen = self._best(question, taken, lambda item: passes(item) and also(item), count) if count else []
        names = {each["itemId"] for each in chosen}
        rest = [each for each in found if each["itemId"] not in names]
        step = len(found) / max(1, len(chosen))
        merged = rest[: len(found) - len(chosen)]
        for number, each in enumerate(chosen):
            told = {**each, "promotionName": promotion["name"]} if promotion["name"] else each
            merged.insert(round(number * step), {**told, "reason": ["PROMOTED_ITEM"]})
        return merged
