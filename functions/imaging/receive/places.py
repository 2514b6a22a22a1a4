"""Key of an object that has come, event of the queue -> whose it is, and where it goes.

inbox/<sender>/<id>      by STOW-RS or a pre-signed URL: the sender was authenticated, the id is ours
drop/<sender>/...        by DataSync or Storage Gateway: a folder for each sender, below it the hospital's own names
"""

import re
from collections.abc import Collection, Iterator
from typing import Any
from urllib.parse import unquote_plus

import msgspec

INBOX, DROP, INSTANCES, REFUSED = "inbox/", "drop/", "instances/", "rejected/"
DROPPED = "drop"
"""The sender of what lies in no sender's folder."""
_IDENTITY = re.compile(r"[a-z2-7]{26}\Z")


def keys(body: str) -> Iterator[str]:
    """Of new objects in a notification of S3 below inbox/ and drop/; none in the test that S3 sends at first.

    Raises msgspec.MsgspecError or KeyError for what is no notification.
    """
    message = msgspec.json.decode(body, type=dict[str, Any])
    if message.get("Event") == "s3:TestEvent":
        return
    for record in message["Records"]:
        key = unquote_plus(record["s3"]["object"]["key"])
        if record["eventName"].startswith("ObjectCreated:") and key.startswith((INBOX, DROP)) and key[-1] != "/":
            yield key


def sender_of(key: str, known: Collection[str]) -> str:
    """The sender's slug; DROPPED for a folder below drop/ that is no sender's: it may be named after a person."""
    place, *folders, _name = key.split("/")
    if place == "inbox":
        return folders[0] if folders else DROPPED
    return folders[0] if folders and folders[0] in known else DROPPED


def is_known(key: str, known: Collection[str]) -> bool:
    """Is the folder that the object lies in that of one of these senders?"""
    return sender_of(key, known) in known


def identity_of(key: str) -> str | None:
    """The object's id; None for one that was named by others."""
    name = key.rpartition("/")[2]
    return name if key.startswith(INBOX) and _IDENTITY.match(name) else None


def instance_key(instance: str) -> str:
    """Where an instance is kept."""
    return f"{INSTANCES}{instance}.dcm"
