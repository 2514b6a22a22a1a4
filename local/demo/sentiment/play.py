"""Connection + people who talk about a brand -> the sentiment demo: a day, five networks, a crisis, a correction.

What the people really feel is known here and nowhere else, so that the classes can be compared with it.
"""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from rich.console import Console

from local.demo.alerts import AlertQueue, alert_queue
from local.demo.sentiment.screen import classes, show_alert, show_day, show_post, show_terms
from local.demo.sentiment.voices import Voices
from local.demo.sentiment.watching import ADVICE, Watch, credentials, waited
from local.feed.api import Api
from local.feed.posts import path_of
from local.networks.server import Networks
from local.platform.client import Connection
from local.platform.errors import PlatformError

STACK = "CuatroSentiment"
NAME = "Northwind"
"""Of the brand, which makes kettles and coffee, and is invented."""
HOURS, DAY, LIVE, ANGRY = 24, 360, 60, 140
"""A quiet day's posts, those of its last hour on the networks, and those of the first minutes of the crisis."""
CRISIS = timedelta(minutes=4)
TERMS = 7


@dataclass(frozen=True)
class Stage:
    """Where the demo plays."""

    console: Console
    watch: Watch
    queue: AlertQueue
    voices: Voices
    now: datetime


def play(console: Console, connection: Connection, run: str, seed: int, now: datetime) -> None:
    """The whole demo. What is temporary is gone afterwards, also after Ctrl-C; the brand is no longer collected."""
    began = time.monotonic()
    outputs = connection.outputs(STACK)
    brand = f"northwind-{run}"
    with Networks().serving() as networks, credentials(connection, outputs, networks):
        api = Api(connection, outputs["ApiUrl"])
        watch = Watch(connection, api, outputs, brand, NAME, networks)
        with alert_queue(connection, outputs["AlertTopicArn"], run=brand, field="brand") as queue:
            watch.begin()
            try:
                stage = Stage(console, watch, queue, Voices(NAME, run, seed), now)
                _quiet_day(stage)
                _crisis(stage)
                _correction(stage)
            finally:
                watch.end()
    console.print(f"\nThat took {time.monotonic() - began:.0f} s. GET /brands/{brand}/series has it all.")


def _quiet_day(stage: Stage) -> None:
    console, watch, now = stage.console, stage.watch, stage.now
    hour = now - timedelta(hours=1)
    console.print(f"[bold]{NAME}[/], a brand that makes kettles, is watched in six languages (cuatro brand add)")
    day = stage.voices.quiet(now - timedelta(hours=HOURS), hour, DAY)
    watch.post(day)
    console.print(f"A day of it: {len(day):,} posts came by POST /posts")
    last = stage.voices.quiet(hour, now - CRISIS, LIVE)
    watch.publish(last)
    console.print("Networks of this machine, spoken to as the real ones are (cuatro poll sentiment)")
    found = watch.poll()
    console.print("  " + ", ".join(f"{name} {count}" for name, count in found.items()))
    show_day(console, _counted(stage))
    posts = list(watch.posts())
    console.print(classes(posts, "network"))
    console.print(classes(posts, "language"))
    _agreement(stage, posts)


def _crisis(stage: Stage) -> None:
    console, watch = stage.console, stage.watch
    console.print("\n[bold]Kettles catch fire.[/] People write about it, everywhere")
    angry = stage.voices.crisis(stage.now - CRISIS, stage.now, ANGRY)
    watch.publish(angry)
    began = time.monotonic()
    watch.poll()
    alert = waited(lambda: next(iter(stage.queue.receive(wait_s=1)), None), "an alert")
    console.print(f"The alarm came {time.monotonic() - began:.1f} s after the pollers began (SNS)")
    show_alert(console, alert)
    buckets = _counted(stage)
    more: list[dict[str, Any]] = []
    while found := stage.queue.receive(wait_s=2):
        more += found
    for other in more:
        show_alert(console, other)
    console.print(f"  {1 + len(more)} message{'s' if more else ''} for {len(angry)} posts: no storm")
    show_day(console, buckets)
    console.print("What they talk about, in these minutes")
    show_terms(console, watch.get("terms", **watch.since(CRISIS))["terms"], TERMS)


def _correction(stage: Stage) -> None:
    """Of the post that the model is most wrong about."""
    console, watch = stage.console, stage.watch
    posts = list(watch.posts())
    wrong = [
        (max(post["probabilities"]), post, felt)
        for post in posts
        if (felt := watch.felt(post["text"])) and felt != post["label"] and not post["repost"]
    ]
    _agreement(stage, posts)
    _speed(console, posts)
    if not wrong:
        return
    _, post, felt = max(wrong, key=lambda each: each[0])
    console.print("\n[bold]A wrong one is corrected[/] (cuatro label); it becomes training data")
    show_post(console, post)
    before = sum(each[felt] for each in _counted(stage))
    answer = watch.api.post(f"{path_of(post['post'])}/label", {"label": felt, "by": "demo"})
    if not answer.ok:
        raise PlatformError(f"POST /posts/{{post}}/label: {answer.status} {answer.body}", ADVICE)
    after = waited(lambda: _more(watch, felt, before), "the correction to be counted")
    console.print(
        f"  it is {felt}: {after:,} such posts are counted now, not {before:,} (cuatro retrain sentiment learns)"
    )


def _more(watch: Watch, label: str, before: int) -> int | None:
    buckets = watch.get("series", grain="hour", **watch.since(timedelta(days=2)))["buckets"]
    found = sum(each[label] for each in buckets)
    return found if found != before else None


def _counted(stage: Stage) -> list[dict[str, Any]]:
    with stage.console.status("Counting") as status:
        return stage.watch.counted(lambda posts: status.update(f"{posts:,} of {stage.watch.sent:,} posts are counted"))


def _agreement(stage: Stage, posts: Sequence[dict[str, Any]]) -> None:
    """How often the class is what the writer felt, where the model says that it is sure and where not."""
    right: Counter[bool] = Counter()
    of: Counter[bool] = Counter()
    for post in posts:
        felt = stage.watch.felt(post["text"])
        if felt and not post["repost"]:
            of[post["unsure"]] += 1
            right[post["unsure"]] += felt == post["label"]
    if not of.total():
        return
    told = f"the class is what the writer felt in {right[False] / max(of[False], 1):.0%} of {of[False]:,} posts"
    if of[True]:
        told += f", in {right[True] / of[True]:.0%} of {of[True]:,} that are marked unsure"
    stage.console.print(f"  {told}")


def _speed(console: Console, posts: Sequence[dict[str, Any]]) -> None:
    waits = sorted((_time(post["classified_at"]) - _time(post["collected_at"])).total_seconds() for post in posts)
    if waits:
        p50, p99 = (waits[round(share * (len(waits) - 1))] for share in (0.5, 0.99))
        console.print(f"  from collected to classified: p50 {p50:.1f} s, p99 {p99:.1f} s, {len(waits):,} posts")


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
