"""Tables -> profile, shelves, catalogue and stored list of one request: in few reads, from memory where that is fresh.

Whatever cannot be read is noted in `degraded` and done without: a popular list beats an error.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache

from aws_lambda_powertools import Logger

from cuatro.adapters.attributes import Item
from cuatro.adapters.aws import BRISK
from cuatro.adapters.dynamodb import Dynamo, Found, Keys, dynamo
from cuatro.errors import Unavailable
from functions.recommendations import profile, shelves
from functions.recommendations.api.memory import Memory
from functions.recommendations.api.settings import Settings
from functions.recommendations.catalogue import Entry, entry
from functions.recommendations.policy import Policy
from functions.recommendations.profile import Profile
from functions.recommendations.shelves import NEW, Count, NewItem

logger = Logger(child=True)

CATALOGUE_ITEMS, SHELVES = 10_000, 500
"""Kept in memory: some 15 MB and 5 MB at most."""
_NOTHING: Found = Found({}, set())


@dataclass(frozen=True)
class Tables:
    """What a process has for all its requests."""

    dynamo: Dynamo
    setting: Settings
    catalogue: Memory[Entry | None] = field(default_factory=lambda: Memory(CATALOGUE_ITEMS))
    shelves: Memory[bytes | None] = field(default_factory=lambda: Memory(SHELVES))


@cache
def tables(setting: Settings) -> Tables:
    """Of this process. A call gives up soon: somebody waits."""
    return Tables(dynamo(BRISK), setting)


@lru_cache(SHELVES)
def _popular(p: bytes | None) -> list[Count]:
    """Decoded once for all requests that find it in memory: nobody may change the list."""
    return shelves.popular(p)


@dataclass
class Sources:
    """The reads of one request. now: unix seconds. degraded: what could not be read and was done without."""

    tables: Tables
    policy: Policy
    now: float
    degraded: set[str] = field(default_factory=set)
    away: bool = False
    """DynamoDB did not answer at all: what is left to read is not asked for any more."""

    def begin(
        self, user_id: str | None, keys: Iterable[str], list_id: str | None = None
    ) -> tuple[Profile | None, Item]:
        """Profile (None: nothing known), and a stored list's item ({}: none), with the shelves of these keys.

        One call for all. A list that could not be read raises Unavailable, since nothing can stand in for it.
        """
        setting, memory = self.tables.setting, self.tables.shelves
        keys = list(keys)
        stale = memory.stale(keys, self.now, self.policy.shelf_cache_s)
        wanted: dict[str, Keys] = {}
        if user_id:
            wanted[setting.profiles_table] = Keys("user_id", [user_id], ("user_id", "n", "p"))
        if list_id:
            wanted[setting.lists_table] = Keys("list_id", [list_id])
        if stale:
            wanted[setting.shelves_table] = Keys("shelf", stale, ("shelf", "p"), consistent=False)
        found = self._read(wanted)
        if list_id and (self.away or found[setting.lists_table].unread):
            raise Unavailable("the list could not be read")
        stood = found.get(setting.shelves_table, _NOTHING)
        for key in stale:
            if not self.away and key not in stood.unread:
                memory.put(key, stood.items.get(key, {}).get("p"), self.now)
        if len(memory.last(keys)) < len(keys):
            self.degraded.add("popular")
        known = self._profile(user_id, found.get(setting.profiles_table, _NOTHING)) if user_id else None
        return known, found.get(setting.lists_table, _NOTHING).items.get(list_id or "", {})

    def _read(self, wanted: Mapping[str, Keys]) -> dict[str, Found]:
        if self.away or not wanted:
            return {}
        try:
            return self.tables.dynamo.read(wanted)
        except Unavailable as error:
            logger.warning("tables away", why=str(error), tables=sorted(wanted))
            self.away = True
            return {}

    def _profile(self, user_id: str, found: Found) -> Profile | None:
        if self.away or found.unread:
            self.degraded.add("profile")
            return None
        item = found.items.get(user_id)
        try:
            return profile.stored(item) if item else None
        except ValueError:  # nobody can read it; `record` says so with every interaction
            logger.exception("damaged profile")
            self.degraded.add("profile")
            return None

    def popular(self, key: str) -> list[Count]:
        """What stands on a shelf that begin() was told of, or more() read."""
        try:
            return _popular(self.tables.shelves.last([key]).get(key))
        except ValueError:
            logger.exception("damaged shelf", shelf=key)
            self.degraded.add("popular")
            return []

    def new(self) -> list[NewItem]:
        """What is new now."""
        try:
            p = self.tables.shelves.last([NEW]).get(NEW)
            return shelves.new_items(p, int(self.now * 1000), self.policy.new_days)
        except ValueError:
            logger.exception("damaged shelf", shelf=NEW)
            return []

    def entries(self, names: Collection[str]) -> dict[str, Entry | None]:
        """Entries of the catalogue by item: None where it has none; absent where that could not be read."""
        memory = self.tables.catalogue
        stale = memory.stale(names, self.now, self.policy.catalogue_cache_s)
        if stale:
            table = self.tables.setting.items_table
            found = self._read({table: Keys("item_id", stale, consistent=False)}).get(table, _NOTHING)
            if self.away or found.unread:
                self.degraded.add("catalogue")
            for name in stale:
                if not self.away and name not in found.unread:
                    memory.put(name, entry(found.items[name]) if name in found.items else None, self.now)
        return memory.last(names)

    def may_be_shown(self, item: str, entries: Mapping[str, Entry | None]) -> bool:
        """Is it available, as far as is known? The policy tells what becomes of items that the catalogue lacks."""
        if item not in entries:
            return True
        found = entries[item]
        return self.policy.missing == "show" if found is None else found.available
