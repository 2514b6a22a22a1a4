"""What users did -> Amazon Personalize -> what suits them: its event tracker and its campaigns, behind our own shapes.

Personalize keeps the histories itself: a list comes from what put_events told it (and what was imported), not from the
profile. Both need a dataset group with a schema of USER_ID, ITEM_ID, TIMESTAMP, EVENT_TYPE and EVENT_VALUE
(models/recommendations/managed makes it).
"""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from functools import cache
from math import isfinite
from typing import Any

from cuatro.adapters.aws import BRISK, called
from cuatro.errors import ModelMismatch, Refused, Unavailable
from cuatro.events import InteractionRecorded
from cuatro.ranking import Ranked, Taken

EVENTS_PER_CALL = 10
MOST = 500
"""Items that one answer of GetRecommendations can have."""
VERSION_FRESH_S = 300.0
TRACKER_AGAIN_S = 1.0
"""So long a group is believed to have no event tracker: what happens then is not told."""
_now = time.monotonic


class PersonalizeRanker:
    """Ranks by GetRecommendations. version: the solution version that serves; the campaign's name until it was told.

    A user's list is made of what Personalize was told about that user; somebody of whom it knows nothing gets what is
    popular. Scores are Personalize's own, and it tells no item that speaks for another.
    """

    def __init__(self, campaign_arn: str, clock: Callable[[], float] = time.monotonic) -> None:
        """No call is made yet. clock: seconds, for how long the version is believed."""
        self._arn, self._clock = campaign_arn, clock
        self._asked = float("-inf")
        self.version = f"personalize-{campaign_arn.rpartition('/')[2]}"

    def rank(self, user_id: str, taken: Sequence[Taken], exclude: Collection[str], k: int) -> Ranked:  # noqa: ARG002
        """As Ranker says, at most 500 items. Raises Unavailable, Refused for a wrong name or a missing grant."""
        never = set(exclude)
        answer = called(
            "personalize-runtime",
            "get_recommendations",
            patience=BRISK,
            campaignArn=self._arn,
            userId=user_id,
            # Personalize does not take a list of what to leave out: that many more are asked for.
            numResults=min(MOST, k + len(never)),
        )
        self._describe()
        found = [each for each in answer["itemList"] if each["itemId"] not in never][:k]
        scores = _falling(found)
        return Ranked([each["itemId"] for each in found], scores, [None] * len(found))

    def knows(self, item: str) -> bool:  # noqa: ARG002
        """True: only Personalize could tell, and it explores new items itself."""
        return True

    def _describe(self) -> None:
        now = self._clock()
        if now - self._asked < VERSION_FRESH_S:
            return
        self._asked = now
        try:
            told = called("personalize", "describe_campaign", patience=BRISK, campaignArn=self._arn)
        except Unavailable:  # few calls a second are allowed, and a list does not need the name of its version
            return
        self.version = f"personalize-{'-'.join(told['campaign']['solutionVersionArn'].split('/')[1:])}"


def _falling(found: Sequence[Any]) -> list[float]:
    """Scores that do not increase; Personalize leaves them out for some recipes, and then the order is all there is."""
    scores = [float(each.get("score", 0.0)) for each in found]
    if not all(map(isfinite, scores)):
        raise ModelMismatch("Personalize gave scores that are no numbers")
    for place in range(1, len(scores)):
        scores[place] = min(scores[place], scores[place - 1])
    return scores


def put_events(dataset_group: str, events: Sequence[InteractionRecorded]) -> set[int]:
    """PutEvents to the event tracker of a dataset group (its ARN); returns the positions that were not taken.

    An event id that was told before does not count again. A group that has no tracker (yet, or any more) is told
    nothing, and nothing failed: its next import brings what happened until then. Raises Refused for a missing grant or
    an event that is none.
    """
    failed: set[int] = set()
    tracker = _tracker(dataset_group)
    try:
        tracking_id = tracker.tracking_id() if events else None
    except Unavailable:  # whether there is one is not known
        return set(range(len(events)))
    if tracking_id is None:
        return failed
    for user, positions in _by_user(events):
        if failed:  # the call was tried several times: the rest is not waited for
            failed.update(positions)
            continue
        try:
            called(
                "personalize-events",
                "put_events",
                trackingId=tracking_id,
                userId=user,
                sessionId=user,
                eventList=[_event(events[position]) for position in positions],
            )
        except Unavailable:
            failed.update(positions)
        except Refused:
            if tracker.gone(tracking_id):  # another one, or none, from the next attempt on
                failed.update(positions)
            else:
                raise
    return failed


def _by_user(events: Sequence[InteractionRecorded]) -> Iterator[tuple[str, list[int]]]:
    """(user, positions) of each call: one user's, ten at most, in their order."""
    of: dict[str, list[int]] = {}
    for position, event in enumerate(events):
        of.setdefault(event.user_id, []).append(position)
    for user, positions in of.items():
        for start in range(0, len(positions), EVENTS_PER_CALL):
            yield user, positions[start : start + EVENTS_PER_CALL]


def _event(event: InteractionRecorded) -> dict[str, Any]:
    told = {
        "eventId": event.event_id,
        "eventType": event.kind,
        "itemId": event.item_id,
        "sentAt": datetime.fromisoformat(event.time),
    }
    return told if event.value is None else {**told, "eventValue": event.value}


class _Tracker:
    """The event tracker of a dataset group, which has one at most; made and deleted while functions run."""

    def __init__(self, dataset_group: str) -> None:
        self._group = dataset_group
        self._id: str | None = None
        self._asked = float("-inf")

    def tracking_id(self) -> str | None:
        """None: there is no tracker."""
        if self._id is None and _now() - self._asked >= TRACKER_AGAIN_S:
            self._id = self._find()
            self._asked = _now()
        return self._id

    def gone(self, tracking_id: str) -> bool:
        """Is it no longer the group's?"""
        self._id = self._find()
        return self._id != tracking_id

    def _find(self) -> str | None:
        trackers = called("personalize", "list_event_trackers", datasetGroupArn=self._group)["eventTrackers"]
        if not trackers:
            return None
        described = called("personalize", "describe_event_tracker", eventTrackerArn=trackers[0]["eventTrackerArn"])
        return str(described["eventTracker"]["trackingId"])


@cache
def _tracker(dataset_group: str) -> _Tracker:
    return _Tracker(dataset_group)
