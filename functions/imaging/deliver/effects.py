"""Re-identified results -> the sender's own server, by STOW-RS; what it refuses stays here, and is told."""

from cuatro.adapters import blobs, secrets
from cuatro.adapters.web import Web
from cuatro.errors import Rejected, Unavailable
from functions.imaging.deliver.settings import Settings
from functions.imaging.progress import Delivery, Progress
from functions.imaging.senders import Destination, senders
from functions.imaging.stow_push import request, verdict

RESULT_BYTES = 64 << 20
ANSWER_BYTES = 1 << 20
TOTAL_S = 30.0


def destination_of(sender: str, setting: Settings) -> Destination | None:
    """Where this sender wants results; None: nowhere. Raises Unavailable or Refused.

    The secret is read anew each time: a patient's results must not go where they went some minutes ago.
    """
    secrets.forget()
    known = senders(secrets.document(setting.senders_secret_arn)).get(sender)
    return known.destination if known else None


def push(progress: Progress, destination: Destination, setting: Settings, web: Web | None = None) -> Delivery:
    """Each result once; pushed again, it is the same object. Raises Unavailable, Refused, and Rejected for a
    destination that may not be used."""
    private = setting.allow_private_hosts == "1"
    web = web or Web(private=private, total_s=TOTAL_S, max_bytes=ANSWER_BYTES)
    refused, status = 0, 0
    for result in progress.results:
        content = blobs.fetch(setting.identified_bucket, result.key, RESULT_BYTES)
        if content is None:
            raise Rejected("a result of the study is not there any more", code="gone")
        made = request(destination.url, destination.header, content, private=private)
        answer = web.post(made.url, made.body, made.headers)
        said = verdict(answer.status, answer.body)
        if said == "again":
            raise Unavailable(f"the sender's server answered {answer.status}")
        if said == "refused":
            refused, status = refused + 1, answer.status
        elif not refused:
            status = answer.status
    return Delivery(state="refused" if refused else "delivered", status=status, refused=refused)
