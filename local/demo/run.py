"""Connection + story -> the whole demo on a console: play, decisions, alerts, quality, latency, one authorization."""

import time
from dataclasses import dataclass
from datetime import timedelta

from rich.console import Console
from rich.markup import escape

from local.demo.alerts import AlertQueue, alert_queue
from local.demo.authorize import ask
from local.demo.decisions import Decisions
from local.demo.playback import Playback, Progress
from local.demo.quality import measure, percentile
from local.demo.screen import STYLES, WORDS, Screen, alert_lines, outcomes_table, price, short
from local.demo.story import Story
from local.feed.api import Api
from local.platform.client import Connection

WARM_UP = timedelta(days=14)
ALERTS_SHOWN, PROBLEMS_SHOWN = 6, 5
ALERT_PATIENCE_S = 10.0


@dataclass(frozen=True)
class Pace:
    """The last `live` transactions come at `rate` a second."""

    live: int = 150
    rate: float = 25.0


def play(console: Console, connection: Connection, story: Story, run: str, pace: Pace) -> None:
    """Play the story and print everything. What is temporary is gone afterwards, also after Ctrl-C."""
    outputs = connection.outputs()
    api = Api(connection, outputs["ApiUrl"])
    console.print(f"[bold]{escape(story.origin)}[/bold], as run {run}")
    if story.feeds and (first := story.feeds[0].time) and (last := story.feeds[-1].time):
        console.print(f"from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC; the last ones come live\n")
    with alert_queue(connection, outputs["AlertsTopicArn"], run) as queue, Screen(console, story.feeds) as screen:
        playback = Playback(
            kinesis=connection.client("kinesis"),
            stream=outputs["StreamName"],
            decisions=Decisions(connection.client("dynamodb"), outputs["DecisionsTable"]),
            api=api,
            tell=screen,
        )
        progress = playback.play(story.feeds, pace.live, pace.rate)
        received = _alerts(queue, sum(decision.alerted for decision in progress.decisions.values()))
    _report(console, story, progress, received)
    _authorizations(console, api, story, run)


def _alerts(queue: AlertQueue, expected: int) -> int:
    """Receive until all expected alerts came, or none for a while; each transaction counts once."""
    seen: set[str] = set()
    deadline = time.monotonic() + ALERT_PATIENCE_S
    while len(seen) < expected and time.monotonic() < deadline:
        if found := queue.receive(wait_s=1):
            seen.update(alert["transaction_id"] for alert in found)
            deadline = time.monotonic() + ALERT_PATIENCE_S
    return len(seen)


def _report(console: Console, story: Story, progress: Progress, received: int) -> None:
    decisions = progress.decisions
    console.print(outcomes_table(story.feeds, decisions))
    if received:
        for part in alert_lines(story.feeds, decisions, ALERTS_SHOWN):
            console.print(part)
        console.print(f"{received:,} alerts reached a subscriber of the alerts topic.\n")
    _problems(console, story, progress)
    if story.labelled:
        _quality(console, story, progress)
    live = [decisions[name].latency_ms for name in progress.live_ids if name in decisions]
    history = len(story.feeds) - progress.live
    console.print("[bold]Speed[/bold]")
    if history and progress.took:
        console.print(
            f"  history  {history:,} transactions in {progress.took:.1f} s, {history / progress.took:,.0f} a second, "
            f"{progress.labels:,} labels"
        )
    if live:
        p50, p99 = percentile(live, 0.5), percentile(live, 0.99)
        console.print(f"  live     event to decision p50 [bold]{p50:,.0f} ms[/bold], p99 [bold]{p99:,.0f} ms[/bold]")
    console.print()


def _quality(console: Console, story: Story, progress: Progress) -> None:
    first, last = story.feeds[0].time, story.feeds[-1].time
    if first is None or last is None:
        return
    warm_up = min(WARM_UP, (last - first) / 3)
    found = measure(story.feeds, progress.decisions, first + warm_up)
    days = warm_up / timedelta(days=1)
    console.print(
        f"[bold]Quality[/bold] against the labels, after {days:.0f} days of warm-up: "
        f"{found.decided:,} decided, {found.frauds:,} frauds"
    )
    console.print(f"  stopped  {found.stopped:,} for review or declined, " + _share("precision", found.precision))
    console.print(
        f"  caught   {found.caught:,} of the frauds, "
        + _share("recall", found.recall)
        + ", "
        + _share("of the money", found.money_recall)
    )
    if found.average_precision is not None and found.roc_auc is not None:
        console.print(
            f"  ranking  average precision [bold]{found.average_precision:.2f}[/bold], "
            f"ROC AUC [bold]{found.roc_auc:.2f}[/bold]"
        )
    console.print()


def _share(name: str, value: float | None) -> str:
    return f"{name} " + ("-" if value is None else f"[bold]{value:.0%}[/bold]")


def _problems(console: Console, story: Story, progress: Progress) -> None:
    bad = [item for item in story.feeds if item.problem is not None]
    if bad:
        console.print(f"[yellow]Rejected: {len(bad):,} of {len(story.feeds):,}[/yellow], for example")
        for item in bad[:PROBLEMS_SHOWN]:
            console.print(f"  line {item.number}: {escape(item.problem or '')}", highlight=False)
        console.print("  The rejected ones wait with their reasons: [bold]cuatro replay --dry-run[/bold]\n")
    if progress.unlearned:
        console.print(
            f"[red]{progress.unlearned:,} labels are not learned yet[/red], so terminals seem safer than they are: "
            "[bold]cuatro logs fraud learn[/bold] tells why.\n"
        )
    if progress.undecided:
        console.print(
            f"[red]{len(progress.undecided):,} transactions have no decision[/red] (refused, known before, or failed): "
            "[bold]cuatro replay --dry-run[/bold] and [bold]cuatro logs fraud[/bold] tell.\n"
        )


def _authorizations(console: Console, api: Api, story: Story, run: str) -> None:
    asked = ask(api, story.feeds, run)
    if not asked:
        return
    console.print("[bold]POST /authorizations[/bold]: the same decision while the card waits")
    for words, request, answer in asked:
        body = answer.body if isinstance(answer.body, dict) else {}
        outcome = str(body.get("outcome", ""))
        console.print(f"  card {short(request['card_id'])} wants {price(request)}, {words}:", highlight=False)
        if not answer.ok:
            console.print(f"    HTTP {answer.status}: {escape(str(answer.body))}")
            continue
        reasons = "; ".join(body.get("reasons", ())) or "nothing speaks against it"
        style = STYLES.get(outcome, "bold")
        console.print(
            f"    [{style}]{WORDS.get(outcome, outcome)}[/{style}] in {answer.ms:.0f} ms "
            f"(score {float(body.get('score', 0)):.3f}): {escape(reasons)}",
            highlight=False,
        )
    console.print()
