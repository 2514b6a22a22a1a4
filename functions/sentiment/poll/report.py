"""What a run did -> metrics by name; posts that were unusable -> lines of the rejected bucket, without their text."""

from base64 import b64encode
from collections.abc import Sequence

import msgspec

from cuatro.adapters.rejections import Rejection
from cuatro.times import text_of
from functions.sentiment.poll.run import Report, Unusable


def lines(report: Report, damaged: Sequence[str]) -> dict[str, int]:
    """Metrics by name. PostsCollected is told when it is 0 too: a network that falls silent shows."""
    counts = {
        "PagesRead": report.pages,
        "SourceFailed": len(report.failed) + len(damaged),
        "SourceLimited": report.limited,
        "Rejected": len(report.unusable),
    }
    return {"PostsCollected": report.posts} | {name: count for name, count in counts.items() if count}


def unusable(posts: Sequence[Unusable], request_id: str, now: float) -> list[Rejection]:
    """One line each. now: unix seconds."""
    return [
        Rejection(
            reason=f"the post could not be read: {post.why}",
            field=None,
            code="unreadable_post",
            received_at=text_of(round(now * 1000)),
            sequence_number=request_id,
            partition_key=post.brand,
            shard=post.network,
            data=b64encode(msgspec.json.encode({"network": post.network, "brand": post.brand, "id": post.id})).decode(),
        )
        for post in posts
    ]
