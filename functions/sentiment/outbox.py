"""What a write of a post's row did <-> attribute d of the row, so that both commit together and the stream tells it."""

import msgspec

from cuatro.events import Sentiment


class Classified(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="classified"):
    """The first write: the row's p says all of it."""


class Relabelled(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="relabelled"):
    """A person's label. before: the person's label that this one replaces; None: there was only the model's.

    by: who, as the caller says. time: when, RFC 3339.
    """

    before: Sentiment | None
    after: Sentiment
    by: str | None = None
    note: str | None = None
    time: str
    correlation_id: str | None = None


Entry = Classified | Relabelled

_ENCODE = msgspec.json.Encoder().encode
_DECODER: msgspec.json.Decoder[Entry] = msgspec.json.Decoder(Entry)


def encode(entry: Entry) -> bytes:
    """Attribute d."""
    return _ENCODE(entry)


def decode(outbox: bytes) -> Entry:
    """Raises msgspec.DecodeError, of which ValidationError is one."""
    return _DECODER.decode(outbox)
