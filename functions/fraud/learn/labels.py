"""Items of the labels table -> labels, checked."""

import msgspec

from cuatro.adapters.attributes import Item
from cuatro.errors import Rejected
from cuatro.events import ZonedTime
from functions.fraud.lake import LabelRecorded


class StoredLabel(msgspec.Struct, frozen=True):
    """What `POST /labels` stored. ratio: the transaction's amount over the card's usual one, as known at its time."""

    transaction_id: str
    terminal_id: str
    fraud: bool
    time: ZonedTime
    transaction_time: ZonedTime
    ratio: float
    source: str

    def recorded(self) -> LabelRecorded:
        """For the lake."""
        return LabelRecorded(
            transaction_id=self.transaction_id,
            fraud=self.fraud,
            transaction_time=self.transaction_time,
            time=self.time,
            source=self.source,
        )


def label_of(item: Item) -> StoredLabel:
    """Raises Rejected."""
    try:
        return msgspec.convert(item, StoredLabel)
    except msgspec.ValidationError as error:
        raise Rejected(f"not a label: {error}") from None
