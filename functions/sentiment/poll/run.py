"""Brands and a network -> their places' new posts, cleaned and redacted, with Firehose; then, and only then, on.

Places that count requests together are read one after the other, the others side by side: one that is slow, closed or
broken costs its own posts some time and no other's. Within a run a place is read for a few pages; a backlog is read
over several runs.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from traceback import extract_tb
from typing import NamedTuple, Self

import msgspec

from cuatro.errors import Refused, Rejected, Unavailable
from cuatro.posts import Post, primary
from functions.sentiment.brands import Brand, matches, speaks
from functions.sentiment.collect import clean_text, collected
from functions.sentiment.sources.source import Denied, Limited, Page, Place, Session, Source
from functions.sentiment.sources.state import Row, State, worth_saving

PAGES = 10
"""Of a place, in one run."""
PARALLEL = 8


class Outlets(NamedTuple):
    """What a run does. deliver: posts -> positions that were not taken. save: a row's new state -> the row, or None.

    clock: unix seconds. end: no page is begun after that. eager: places that failed are not waited for.
    """

    deliver: Callable[[Sequence[Post]], set[int]]
    save: Callable[[Row, State], Row | None]
    clock: Callable[[], float]
    end: float
    key: bytes
    correlation_id: str | None = None
    eager: bool = False


class Unusable(NamedTuple):
    """A post that could not be made ready: told without its text, which may hold what must not be kept."""

    network: str
    brand: str
    id: str
    why: str


@dataclass
class Report:
    """failed: place -> why. undelivered: why Firehose took nothing, if so."""

    posts: int = 0
    pages: int = 0
    polled: int = 0
    waiting: int = 0
    limited: int = 0
    overtaken: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    unusable: list[Unusable] = field(default_factory=list)
    undelivered: str = ""

    def __iadd__(self, other: "Report") -> Self:
        for name in ("posts", "pages", "polled", "waiting", "limited", "overtaken"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.failed |= other.failed
        self.unusable += other.unusable
        self.undelivered = self.undelivered or other.undelivered
        return self


class _Undelivered(Exception):  # noqa: N818
    """Firehose did not take a page: nothing is wrong with the place, and it does not move on."""


Task = tuple[Brand, Place, Row]


def run(source: Source, tasks: Iterable[Task], session: Session, outlets: Outlets) -> Report:
    """Reads all places, those first that were read longest ago."""
    scopes: dict[str, list[Task]] = {}
    for task in sorted(tasks, key=lambda task: task[2].state.polled_at):
        scopes.setdefault(task[1].scope, []).append(task)
    report = Report()
    with ThreadPoolExecutor(PARALLEL, "poll") as threads:
        for each in threads.map(lambda tasks: _Reading(source, session, outlets).all(tasks), scopes.values()):
            report += each
    return report


class _Reading:
    """Of the places that count requests together."""

    def __init__(self, source: Source, session: Session, outlets: Outlets) -> None:
        self.source, self.session, self.outlets = source, session, outlets
        self.report = Report()
        self.until = 0.0  # the network wants us to wait

    def all(self, tasks: Sequence[Task]) -> Report:
        for brand, place, row in tasks:
            now = self.outlets.clock()
            if self.report.undelivered or now > self.outlets.end:
                break
            if self.until and row.state.backoff_until < self.until:
                self._save(row, row.state.limited(self.until, "another search met the limit", now))
            eager = self.outlets.eager and row.state.failures > 0 and row.state.status != "limited"
            if self.until or (row.state.backoff_until > now and not eager):
                self.report.waiting += 1
                continue
            self.report.polled += 1
            self._place(brand, place, row)
        return self.report

    def _place(self, brand: Brand, place: Place, row: Row) -> None:
        """Everything that may happen to a place ends here: it is counted, told in its state, and tried again later."""
        reached = row
        try:
            for _ in range(PAGES):
                page = self.source.fetch(brand, place, reached.state.cursor, self.session)
                self.report.pages += 1
                after = self._advance(brand, reached, page)
                if after is None:
                    self.report.overtaken += 1
                    return
                reached = after
                if not page.more or self.until or self.outlets.clock() > self.outlets.end:
                    return
        except _Undelivered as error:
            self.report.undelivered = str(error)
        except Limited as limited:
            self.report.limited += 1
            self.until = limited.until
            self._save(reached, reached.state.limited(limited.until, str(limited), self.outlets.clock()))
        except Denied as denied:
            self._failed(reached, place, reached.state.failed("denied", str(denied), self.outlets.clock()))
        except Unavailable as away:
            self._failed(reached, place, reached.state.failed("unavailable", str(away), self.outlets.clock()))
        except Rejected as rejected:
            why = f"{rejected.code}: {rejected.reason}"
            self._failed(reached, place, reached.state.failed("rejected", why, self.outlets.clock()))
        except Exception as error:  # noqa: BLE001 - an answer that nobody thought of must not stop the other places
            self._failed(reached, place, reached.state.failed("failed", _where(error), self.outlets.clock()))

    def _advance(self, brand: Brand, row: Row, page: Page) -> Row | None:
        """The page's posts to Firehose, then the cursor: what happens between the two is read again."""
        posts = self._posts(brand, page)
        if posts:
            try:
                lost = self.outlets.deliver(posts)
            except (Unavailable, Refused) as error:
                raise _Undelivered(str(error)) from error
            if lost:
                raise _Undelivered(f"{len(lost)} of {len(posts)} posts were not taken")
        self.report.posts += len(posts)
        now, limit = self.outlets.clock(), page.limit
        spent = limit.remaining == 0 and limit.reset_at is not None and limit.reset_at > now
        if spent:
            self.until = limit.reset_at or 0.0
        state = msgspec.structs.replace(
            row.state, cursor=page.cursor, status="ok", polled_at=now, last_ok=now, failures=0,
            last_error="", backoff_until=self.until if spent else 0, remaining=limit.remaining,
            reset_at=limit.reset_at, posts=row.state.posts + len(posts),
        )  # fmt: skip
        return self.outlets.save(row, state) if worth_saving(row.state, state) else row

    def _posts(self, brand: Brand, page: Page) -> list[Post]:
        collected_at = datetime.fromtimestamp(self.outlets.clock(), UTC)
        posts: list[Post] = []
        bad: list[Unusable] = []
        for each in page.posts:
            try:
                clean = clean_text(each.incoming, each.html)
                if not matches(brand, clean) or not speaks(brand, primary(each.incoming.language)):
                    continue
                posts.append(
                    collected(
                        each.incoming, brand, clean=clean, source=each.source, collected_at=collected_at,
                        key=self.outlets.key, correlation_id=self.outlets.correlation_id,
                    )
                )  # fmt: skip
            except Exception as error:  # noqa: BLE001 - one post that cannot be read must not hold up all that follow
                bad.append(Unusable(each.incoming.network, brand.brand, each.incoming.id, _where(error)))
        if len(bad) == len(page.posts) > 1:  # it is not the posts that are wrong: they are kept for when that is mended
            raise Unavailable(f"none of {len(bad)} posts could be read: {bad[0].why}")
        self.report.unusable += bad
        return posts

    def _failed(self, row: Row, place: Place, state: State) -> None:
        self.report.failed[place.name] = f"{state.status}: {state.last_error}"
        self._save(row, state)

    def _save(self, row: Row, state: State) -> None:
        """A cursor that cannot be written now is not lost: what it would have said happens again."""
        try:
            if self.outlets.save(row, state) is None:
                self.report.overtaken += 1
        except (Unavailable, Refused) as error:
            self.report.failed.setdefault(state.name, str(error))


def _where(error: Exception) -> str:
    """What went wrong and in which line: its message may hold what somebody wrote, which must not be kept."""
    place = extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(place.filename).name}:{place.lineno}"
