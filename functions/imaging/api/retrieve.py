"""GET results (WADO-RS, PS3.18 10.4) -> DICOM files for the sender that they are about, or their metadata.

Lambda answers with at most 6 MiB, in base64: what is more is put together below downloads/, and the answer is a
redirection to a link that is good for a few minutes.
"""

import secrets
from concurrent.futures import ThreadPoolExecutor

from chalice.app import Response

from cuatro.adapters import blobs
from cuatro.adapters.attributes import Item
from cuatro.adapters.links import link
from cuatro.errors import Rejected, Unavailable
from functions.imaging.api import media
from functions.imaging.api.access import Caller
from functions.imaging.api.search import opened
from functions.imaging.progress import Result
from functions.imaging.results import multipart, results, selected

MAX_ANSWER = 4_400_000
MAX_TOGETHER = 256 << 20
"""Bytes of results in one answer."""
LINK_S = 300
_PARALLEL = 8


def retrieve(study: Item, series: str | None, instance: str | None, accept: str, of: Caller) -> Response:
    """Raises Rejected (not_found, not_acceptable, oversized), Unavailable."""
    kind = media.retrieved(accept)
    among = _among(study, series, instance)
    if kind == media.DICOM and len(among) > 1:
        raise Rejected('several results are multipart/related; type="application/dicom"', "Accept", "not_acceptable")
    contents = _contents(among, of)
    _told(study, among, of)
    if kind == media.DICOM:
        return _answered(contents[0], media.DICOM, of)
    boundary = secrets.token_hex(16)
    return _answered(multipart(contents, boundary), f'multipart/related; type="{media.DICOM}"; boundary={boundary}', of)


def metadata(study: Item, series: str | None, instance: str | None, accept: str, of: Caller) -> Response:
    """Raises Rejected (not_found, not_acceptable), Unavailable."""
    media.check_json(accept)
    among = _among(study, series, instance)
    found = opened(among, of)
    _told(study, among, of)
    return media.document(found)


def _among(study: Item, series: str | None, instance: str | None) -> list[Result]:
    among = selected(results(study), series, instance)
    if not among:
        raise Rejected("there are no such results (yet): GET /status/{study} tells how far it is", None, "not_found")
    return among


def _contents(among: list[Result], of: Caller) -> list[bytes]:
    bucket = of.setting.identified_bucket
    with ThreadPoolExecutor(_PARALLEL) as threads:
        heads = list(threads.map(lambda each: blobs.head(bucket, each.key), among))
        if sum(each.size for each in heads if each) > MAX_TOGETHER:
            raise Rejected("all of it is too much for one answer: retrieve series or instances", None, "oversized")
        contents = list(threads.map(lambda each: blobs.fetch(bucket, each.key, MAX_TOGETHER), among))
    found = [each for each in contents if each is not None]
    if len(found) < len(among):
        raise Unavailable("a result is not in its place")
    return found


def _answered(body: bytes, kind: str, of: Caller) -> Response:
    if len(body) <= MAX_ANSWER:
        return media.binary(body, kind)
    key = f"downloads/{of.sender}/{secrets.token_hex(16)}"
    blobs.put(of.setting.identified_bucket, key, body, kind)
    location = link(of.setting.identified_bucket, key, LINK_S, kind)
    return Response("", {"Location": location, "Cache-Control": "no-store"}, 307)


def _told(study: Item, among: list[Result], of: Caller) -> None:
    of.audit.record(
        "retrieve", study["study"], actor=f"sender:{of.sender}", outcome="success", purpose="treatment",
        correlation=of.correlation_id, details={"results": len(among)},
    )  # fmt: skip
