"""Posts -> rows, each post once: read what is there, classify the new ones, claim their words, write, tell the lake.

A row and what it did (the outbox) commit in one write, conditional on there being none. It keeps the id of the record
that made it: when Firehose tries again, that record gets the same answer; another record with the same post is a
duplicate. Whatever cannot be finished raises Unavailable, after everything else is done; doing it again is safe.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from cuatro.adapters.attributes import Item
from cuatro.adapters.dynamodb import Dynamo, Keys
from cuatro.adapters.partiql import change, insertion
from cuatro.classification import Text
from cuatro.errors import Unavailable
from cuatro.events import milliseconds
from cuatro.posts import Scored, day, decode_scored, encode, moment, post_key
from functions.sentiment import outbox
from functions.sentiment.classify.judging import Judged
from functions.sentiment.classify.records import Arrival
from functions.sentiment.fingerprint import fingerprint
from functions.sentiment.language import detect

_KEY, _NAMES = "post", ("post", "r", "p", "o", "x")
_DAY_S = 86_400


class Table(NamedTuple):
    """The posts table: rows of posts (n, p, r, d, b, t, x) and of words (text#brand#fingerprint: o = post, x)."""

    name: str
    post_days: float
    repost_window_h: float


@dataclass
class Result:
    """scored: by position, what is to be delivered; of these `fresh` ones were classified now. Others are duplicates.

    judged: what became of the fresh ones' texts. conflicts: somebody else wrote the row meanwhile.
    """

    scored: dict[int, Scored] = field(default_factory=dict)
    fresh: list[int] = field(default_factory=list)
    duplicates: int = 0
    conflicts: int = 0
    judged: Judged | None = None
    failed: dict[int, str] = field(default_factory=dict)


Judging = Callable[[Sequence[Text], str], Judged]


def settle(arrivals: Sequence[Arrival], table: Table, dynamo: Dynamo, judging: Judging, now: float) -> Result:
    """now: unix seconds. Raises Unavailable when nothing could be read, or the backend cannot classify."""
    batch = _Batch(arrivals, table, dynamo, now)
    batch.know()
    batch.classify(judging)
    batch.write(batch.claimed())
    return batch.result


class _Batch:
    def __init__(self, arrivals: Sequence[Arrival], table: Table, dynamo: Dynamo, now: float) -> None:
        self.arrivals, self.table, self.dynamo, self.now = arrivals, table, dynamo, now
        self.result = Result()
        self.keys = [post_key(each.post.brand, each.post.network, each.post.id) for each in arrivals]
        self.prints = [fingerprint(each.post.text) for each in arrivals]
        self.first: dict[str, int] = {}  # position of each key that is to be decided; others of it are duplicates
        self.words: dict[str, Item] = {}
        self.fresh: dict[int, Scored] = {}

    def know(self) -> None:
        """Which posts have their row already, and which words have been seen."""
        for at, key in enumerate(self.keys):
            self.first.setdefault(key, at)
        self.result.duplicates = len(self.arrivals) - len(self.first)
        words = [self._words(at) for at in self.first.values() if self._claims(at)]
        rows = self._read([*self.first, *words])
        self.words = {key: rows[key] for key in words if key in rows}
        for key, at in list(self.first.items()):
            if key in rows:
                self._known(at, rows[key])

    def classify(self, judging: Judging) -> None:
        """The ones without a row; copies by their network's word only, those by their words are told by `claimed`."""
        places = list(self.first.values())
        texts = [
            Text(each.text, detect(each.text, each.language)) for each in (self.arrivals[at].post for at in places)
        ]
        at_moment = moment(self.now)
        self.result.judged = judged = judging(texts, at_moment.strftime("%Y-%m"))
        for place, text, verdict, shadow in zip(places, texts, judged.verdicts, judged.shadows, strict=True):
            post = self.arrivals[place].post
            told = msgspec.structs.asdict(post) | verdict._asdict()
            told |= {"language": text.language, "shadow": shadow, "classified_at": at_moment, "dt": day(post.time)}
            repost = post.repost_of is not None and post.repost_of != post.id
            self.fresh[place] = Scored(**told, fingerprint=self.prints[place], repost=repost)

    def claimed(self) -> dict[int, Scored]:
        """The fresh ones, with what is a copy marked so: the first post of a brand that says some words owns them.

        Whose words could not be asked for fails: no row says what it does not know.
        """
        owners: dict[str, str] = {}
        claims = {}
        for at in self.fresh:
            words = self._words(at)
            if not self._claims(at) or words in owners:
                continue
            there = self.words.get(words)
            if there is None:
                owners[words] = self.keys[at]
                claims[words] = insertion(self.table.name, {_KEY: words, **self._ownership(at)})
            elif there["x"] <= self.now:  # DynamoDB removes what expires within days
                owners[words] = self.keys[at]
                claims[words] = change(self.table.name, self._ownership(at), {_KEY: words, "o": there["o"]})
            else:
                owners[words] = there["o"]
        for words, written in zip(claims, self.dynamo.write(list(claims.values())), strict=True):
            if written.status == "conflict":
                owners[words] = written.item["o"] if written.item else self._read([words])[words]["o"]
            elif written.status == "failed":
                for at in [at for at in self.fresh if self._words(at) == words]:
                    self._fail(at, written.code)
        copies = {at for at in self.fresh if owners.get(self._words(at), self.keys[at]) != self.keys[at]}
        return {
            at: msgspec.structs.replace(each, repost=True) if at in copies else each
            for at, each in self.fresh.items()
            if at not in self.result.failed
        }

    def write(self, scored: dict[int, Scored]) -> None:
        """Each row on the condition that there is none."""
        statements = [insertion(self.table.name, self._row(at, each)) for at, each in scored.items()]
        unsure: list[int] = []
        for (at, each), written in zip(scored.items(), self.dynamo.write(statements), strict=True):
            if written.status == "done":
                self.result.scored[at] = each
                self.result.fresh.append(at)
            elif written.status == "failed":
                self._fail(at, written.code)
            elif written.item is None:
                unsure.append(at)
            else:
                self._lost(at, written.item)
        rows = self._read([self.keys[at] for at in unsure])
        for at in unsure:
            if self.keys[at] in rows:
                self._lost(at, rows[self.keys[at]])
            else:
                self._fail(at, "the row vanished")

    def _lost(self, at: int, row: Item) -> None:
        """Somebody else was first; or it was this very write, whose answer was lost."""
        self.result.conflicts += row.get("r") != self.arrivals[at].record_id
        self._known(at, row)

    def _known(self, at: int, row: Item) -> None:
        """The row's own record, come again, gets its answer; so does what is sent by hand; others are duplicates.

        Another record of this batch may be the one that made the row: it stands in for the first.
        """
        key = self.keys[at]
        self.first.pop(key, None)
        same = [place for place, each in enumerate(self.keys) if each == key]
        mine = [place for place in same if self.arrivals[place].record_id == row["r"]]
        mine = mine or [place for place in same if self.arrivals[place].post.replayed]
        if mine:
            self.result.scored[mine[0]] = decode_scored(row["p"])
        else:
            self.result.duplicates += 1

    def _read(self, keys: Sequence[str]) -> dict[str, Item]:
        if not keys:
            return {}
        found = self.dynamo.read({self.table.name: Keys(_KEY, dict.fromkeys(keys), _NAMES)})[self.table.name]
        if found.unread:
            raise Unavailable(f"{len(found.unread)} rows of {self.table.name} could not be read")
        return found.items

    def _claims(self, at: int) -> bool:
        """Copies that say so own no words: the original may come after them."""
        post = self.arrivals[at].post
        return bool(self.prints[at]) and post.repost_of in {None, post.id} and self.table.repost_window_h > 0

    def _words(self, at: int) -> str:
        return f"text#{self.arrivals[at].post.brand}#{self.prints[at]}"

    def _ownership(self, at: int) -> Item:
        return {"o": self.keys[at], "x": int(self.now + self.table.repost_window_h * 3600)}

    def _row(self, at: int, scored: Scored) -> Item:
        return {
            _KEY: self.keys[at],
            "n": 1,
            "p": encode(scored),
            "r": self.arrivals[at].record_id,
            "d": outbox.encode(outbox.Classified()),
            "b": scored.brand,
            "t": milliseconds(scored.time),
            "x": int(self.now + self.table.post_days * _DAY_S),
        }

    def _fail(self, at: int, why: str) -> None:
        self.result.failed[at] = why
