"""Terminals of one batch: stored states -> histories that its transactions join -> writes."""

from collections.abc import Callable, Iterable

from functions.fraud.history import History
from functions.fraud.score.scorer import Arrival
from functions.fraud.state import Answers, Stored, Write


class Terminals:
    """Histories by terminal. A terminal is `behind` while its stored state lacks transactions that its history has."""

    def __init__(self) -> None:
        self.stored: dict[str, Stored] = {}
        self._histories: dict[str, History] = {}
        self._behind: dict[str, None] = {}  # a set that keeps its order

    @property
    def behind(self) -> list[str]:
        """What is to be written."""
        return list(self._behind)

    def history(self, key: str) -> History:
        """Raises ValueError when the stored state is damaged."""
        history = self._histories.get(key)
        if history is None:
            history = self._histories[key] = History.unpack(self.stored[key].history)
        return history

    def fold(self, arrival: Arrival) -> None:
        """Let a transaction join; nothing happens if the terminal knows it."""
        key = arrival.transaction.terminal_id
        history = self.history(key)
        if arrival.tag not in history:
            history.add(arrival.tag, arrival.time, arrival.base_amount)
            self._behind[key] = None

    def refold(self, key: str, arrivals: Iterable[Arrival]) -> None:
        """Start again from the stored state, with these transactions only."""
        self._histories.pop(key, None)
        self._behind.pop(key, None)
        for arrival in arrivals:
            self.fold(arrival)

    def write(self, write: Callable[[list[Write]], Answers]) -> Answers:
        """Write what is behind; the answers tell what is still missing, nothing is behind by itself any more."""
        writes = []
        for key in self._behind:
            history = self._histories[key]
            writes.append(Write(key, self.stored[key], history.pack(), history.expires_at))
        self._behind = {}
        return write(writes)
