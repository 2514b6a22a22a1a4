"""A task that has ended -> its asker's answer, by the token; sent again until it was taken."""

import time
from typing import Any

from aws_lambda_powertools import Logger
from msgspec.structs import replace

from cuatro.adapters import callbacks
from cuatro.errors import Refused, Rejected, Unavailable
from cuatro.times import text_of
from functions.review.store import Reviews
from functions.review.task import Task, outcome

logger = Logger()
EXPIRED, CANCELLED = "ReviewExpired", "ReviewCancelled"


def answer(task: Task) -> dict[str, Any]:
    """Of a task that is done: the outcome and who said what; without the notes, which stay in the table."""
    found = outcome(task)
    if found is None:
        raise ValueError("the task is not decided")
    return {
        "task": task.task,
        "outcome": found.choice,
        "reasons": list(found.reasons),
        "agreed": found.agreed,
        "reads": [
            {
                "reviewer": vote.reviewer,
                "role": vote.role,
                "choice": vote.choice,
                "reasons": list(vote.reasons),
                "at": text_of(vote.at),
            }
            for vote in task.votes
        ],
        "decided_at": text_of(task.ended),
    }


def tell(task: Task, reviews: Reviews) -> bool:
    """Answer whoever asked; was the answer taken, or did nobody wait for it any more?

    False: it will be tried again by the clock. A second answer to one token harms nothing: Step Functions refuses it.
    """
    try:
        if task.end == "done":
            callbacks.succeed(task.token, answer(task))
        elif task.end == "expired":
            callbacks.fail(task.token, EXPIRED, f"nobody decided until {text_of(task.expires)}")
        else:
            callbacks.fail(task.token, CANCELLED, "the question was withdrawn")
        reviews.change(task.task, lambda found: _told(found, task.token))
    except Rejected:  # its subject was erased meanwhile
        return True
    except (Unavailable, Refused):
        logger.exception("the asker's answer waits", task=task.task)
        return False
    return True


def _told(task: Task, token: str) -> Task:
    """Unless somebody asks with a newer token meanwhile."""
    return replace(task, told=int(time.time() * 1000)) if task.token == token and not task.told else task
