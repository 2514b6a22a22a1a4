"""Arrivals -> read profiles -> fold -> write by compare-and-set: each interaction recorded once, in its user's profile.

A profile and the interactions that it newly knows (the outbox) commit in one write. Users are independent: one whose
item stays throttled, contended or damaged fails alone. Whoever loses a compare-and-set folds again, into what is there.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from cuatro.adapters.attributes import Item
from cuatro.adapters.dynamodb import Dynamo, Keys
from cuatro.adapters.partiql import Statement, change, insertion
from cuatro.errors import Unavailable
from cuatro.interactions import Interaction
from cuatro.times import text_of
from functions.recommendations import outbox, profile
from functions.recommendations.profile import REMEMBERED, Profile

ROUNDS = 8
"""Lost rounds of compare-and-set before a user's interactions are given back to the stream."""
OUTBOX_BYTES = 98_304
"""Of records that one write may record: an item has 400 KB at most, and the profile may have 250 of them."""
_OVERHEAD_BYTES = 256
"""What an event has more than its record."""
_DAY_S = 86_400


class Arrival(NamedTuple):
    """An interaction as it came. size: bytes of its record. arrived_ms: unix milliseconds."""

    interaction: Interaction
    size: int
    arrived_ms: int


class Table(NamedTuple):
    """The profiles table: user_id, n = number of the write, p = profile, d = outbox, x = expiry, lasts_days after."""

    name: str
    lasts_days: float


@dataclass
class Result:
    """recorded: now, in order of the writes. failed: position in the input -> why; to be delivered again.

    latencies_ms: from the arrival on the stream to the write, of each that was recorded.
    """

    recorded: int = 0
    duplicates: int = 0
    latencies_ms: list[int] = field(default_factory=list)
    failed: dict[int, str] = field(default_factory=dict)
    profiles: int = 0
    conflicts: int = 0


class _Write(NamedTuple):
    """A profile in place of the one read, with its positions that are new and those that are not."""

    statement: Statement
    profile: Profile
    packed: bytes
    recorded: list[int]
    duplicates: int


def record_all(arrivals: Sequence[Arrival], table: Table, dynamo: Dynamo, clock: Callable[[], float]) -> Result:
    """Record each interaction once. clock: unix seconds."""
    batch = _Batch(arrivals, table, dynamo, clock)
    while batch.waiting:
        batch.read()
        batch.round()
    return batch.result


class _Batch:
    def __init__(self, arrivals: Sequence[Arrival], table: Table, dynamo: Dynamo, clock: Callable[[], float]) -> None:
        self.arrivals, self.table, self.dynamo, self.clock = arrivals, table, dynamo, clock
        self.result = Result()
        self.waiting: dict[str, deque[int]] = {}  # positions of each user
        for position, each in enumerate(arrivals):
            self.waiting.setdefault(each.interaction.user_id, deque()).append(position)
        self.sizes = {user: len(positions) for user, positions in self.waiting.items()}
        self.profiles: dict[str, Profile] = {}
        self.lost = dict.fromkeys(self.waiting, 0)  # rounds
        self.unsure: dict[str, _Write] = {}  # writes in conflict with an item that the answer does not show

    def read(self) -> None:
        """Profiles that are not known, or not any more; users whose profile cannot be had fail."""
        users = [user for user in self.waiting if user not in self.profiles]
        if not users:
            return
        try:
            found = self.dynamo.read({self.table.name: Keys("user_id", users, ("user_id", "n", "p"))})[self.table.name]
        except Unavailable as error:
            self._fail(users, str(error))
            return
        self._fail(found.unread, "the profile could not be read")
        for user in users:
            if user in self.waiting:
                self._know(user, found.items.get(user))

    def _know(self, user: str, item: Item | None) -> None:
        write = self.unsure.pop(user, None)
        if write is not None:
            self._settle_conflict(user, write, item)
            return
        try:
            self.profiles[user] = profile.stored(item)
        except ValueError as error:
            self._fail([user], f"damaged profile: {error}")

    def round(self) -> None:
        """Fold as much of each user's as one item can hold, write, and settle what became of it."""
        now = self.clock()
        writes = {user: write for user in list(self.waiting) if (write := self._folded(user, text_of(int(now * 1000))))}
        answers = self.dynamo.write([write.statement for write in writes.values()])
        for (user, write), written in zip(writes.items(), answers, strict=True):
            if written.status == "done":
                self._done(user, write)
            elif written.status == "failed":
                self._fail([user], written.code)
            elif written.item is None:
                self.unsure[user] = write
                del self.profiles[user]
            else:
                self._settle_conflict(user, write, written.item)

    def _folded(self, user: str, recorded_at: str) -> _Write | None:
        """None: there is nothing new, and nothing to write."""
        positions = self._part(self.waiting[user])
        before = self.profiles[user]
        interactions = [self.arrivals[position].interaction for position in positions]
        # All of this delivery must be known when it comes again, however many writes it takes.
        after, recorded = profile.fold(before, interactions, max(REMEMBERED, self.sizes[user]))
        if not recorded:
            self._settle(user, len(positions), len(positions))
            return None
        new = {id(each) for each in recorded}
        fresh = [at for at, each in zip(positions, interactions, strict=True) if id(each) in new]
        packed = profile.encode(after)
        values: Item = {"n": before.n + 1, "p": packed, "d": outbox.encode(recorded, recorded_at)}
        values["x"] = int(after.last_ms / 1000 + self.table.lasts_days * _DAY_S)
        if before.n:
            statement = change(self.table.name, values, {"user_id": user, "n": before.n})
        else:
            statement = insertion(self.table.name, {"user_id": user, **values})
        return _Write(statement, after, packed, fresh, len(positions) - len(fresh))

    def _part(self, positions: Sequence[int]) -> list[int]:
        """The first ones that fit into one outbox, one at least."""
        part: list[int] = []
        left = OUTBOX_BYTES
        for position in positions:
            left -= self.arrivals[position].size + _OVERHEAD_BYTES
            if part and left < 0:
                break
            part.append(position)
        return part

    def _done(self, user: str, write: _Write) -> None:
        done_ms = int(self.clock() * 1000)
        self.profiles[user] = profile.numbered(write.profile, write.profile.n + 1)
        self.result.profiles += 1
        self.result.recorded += len(write.recorded)
        self.result.latencies_ms += [max(0, done_ms - self.arrivals[at].arrived_ms) for at in write.recorded]
        self._settle(user, len(write.recorded) + write.duplicates, write.duplicates)

    def _settle(self, user: str, number: int, duplicates: int) -> None:
        """The first ones that waited are in the profile."""
        self.result.duplicates += duplicates
        waiting = self.waiting[user]
        for _ in range(number):
            waiting.popleft()
        self.lost[user] = 0
        if not waiting:
            del self.waiting[user]

    def _settle_conflict(self, user: str, write: _Write, item: Item | None) -> None:
        """Somebody was first, so fold into what is there now; or it was this very write, whose answer was lost."""
        if item is not None and item.get("n") == write.profile.n + 1 and item.get("p") == write.packed:
            self._done(user, write)
            return
        self.result.conflicts += 1
        self.lost[user] += 1
        if self.lost[user] == ROUNDS:
            self._fail([user], "too many concurrent writers")
        else:
            self._know(user, item)

    def _fail(self, users: Sequence[str] | set[str], why: str) -> None:
        """What waits of these users; what is recorded stays, and is known when it comes again."""
        for user in users:
            self.result.failed.update(dict.fromkeys(self.waiting.pop(user), why))
