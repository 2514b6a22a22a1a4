"""What people wrote, in memory: added by a test, a demo or a file while the networks are being asked."""

import json
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

X_EPOCH_MS = 1_288_834_974_657
_numbers = count(1)


@dataclass(frozen=True)
class Written:
    """A post of one network. number makes its ids; place: subreddit or feed; comment: of Reddit, not a submission."""

    network: str
    text: str
    time: datetime
    author: str = "someone"
    language: str | None = None
    place: str = ""
    title: str = ""
    comment: bool = False
    likes: int = 0
    reposts: int = 0
    replies: int = 0
    number: int = field(default_factory=lambda: next(_numbers))

    @property
    def ms(self) -> int:
        """Unix milliseconds."""
        return round(self.time.timestamp() * 1000)

    @property
    def mastodon_id(self) -> int:
        """Milliseconds and 16 bits of a sequence."""
        return (self.ms << 16) + self.number % 65_536

    @property
    def x_id(self) -> int:
        """Milliseconds since X's epoch and 22 bits."""
        return (max(self.ms - X_EPOCH_MS, 0) << 22) + self.number % 4_194_304

    @property
    def record_key(self) -> str:
        """A record's key of Bluesky: grows with time."""
        return f"3k{self.ms:011x}{self.number % 4096:03x}"

    @property
    def reddit_name(self) -> str:
        """A fullname of Reddit."""
        return f"{'t1' if self.comment else 't3'}_{self.number:07x}"

    def has(self, words: str) -> bool:
        """Are the words in it, whatever their case?"""
        return words.casefold() in f"{self.title} {self.text}".casefold()


class Feed:
    """Thread-safe; newest first where it is read."""

    def __init__(self, posts: Iterable[Written] = ()) -> None:
        self._lock = threading.Lock()
        self._posts = list(posts)

    def add(self, *posts: Written) -> None:
        """They are there from the next request on."""
        with self._lock:
            self._posts += posts

    def of(self, network: str) -> list[Written]:
        """A network's posts, newest first."""
        with self._lock:
            found = [post for post in self._posts if post.network == network]
        return sorted(found, key=lambda post: (post.ms, post.number), reverse=True)


def read(path: Path) -> list[Written]:
    """JSON Lines of Written's fields; `time` in RFC 3339, now if there is none."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [_written(json.loads(line)) for line in lines if line.strip()]


def _written(given: dict[str, Any]) -> Written:
    time = datetime.fromisoformat(given["time"]) if "time" in given else datetime.now(UTC)
    return Written(**{**given, "time": time})
