"""What imaging keeps, under which key: who is who (identified), what the model sees (de-identified), what was done.

Two keys, so that a role that may open one kind of data cannot open the other: see imaging_access.py for who may what.
"""

from typing import TYPE_CHECKING

from cdk.config import ObjectLock
from cdk.constructs.data_key import DataKey
from cdk.constructs.kept_secret import kept_secret, written_secret
from cdk.constructs.secure_bucket import SecureBucket
from cdk.constructs.state_table import StateTable

if TYPE_CHECKING:
    from cdk.stacks.imaging import CuatroImaging

# Objects that nobody took, and answers that nobody fetched.
_INBOX_DAYS, _DOWNLOADS_DAYS = 7, 1
# The ledger's anchors prove what the ledger was: nobody removes one for a year, unless an option says otherwise.
_ANCHORS = ObjectLock("governance", 365)
_ANCHORS_DAYS = 6 * 366  # 45 CFR 164.316(b)(2)(i)


class Store:
    """Keys, buckets, tables and secrets of the stack, made in its scope."""

    def __init__(self, stack: "CuatroImaging") -> None:
        self._stack = stack
        self.identified_key = DataKey(
            stack, "IdentifiedKey", purpose="Imaging: studies as they came, who is who", target=stack.target
        )
        self.deidentified_key = DataKey(
            stack, "DeidentifiedKey", purpose="Imaging: de-identified images, readings, reviews", target=stack.target
        )
        self._make_buckets()
        self._make_tables()
        self._make_secrets()

    def _make_buckets(self) -> None:
        target = self._stack.target
        kept = target.imaging_policy.retention_days
        self.identified = self._bucket(
            "Identified", self.identified_key, target.object_lock,
            {
                "inbox": _INBOX_DAYS, "drop": _INBOX_DAYS, "downloads": _DOWNLOADS_DAYS,
                "rejected": target.profile.object_retention_days, "instances": kept, "results": kept,
            },
        )  # fmt: skip
        self.deidentified = self._bucket("Deidentified", self.deidentified_key, target.object_lock, {"studies": kept})
        self.anchors = self._bucket("Ledger", None, target.object_lock or _ANCHORS, {"ledger": _ANCHORS_DAYS})

    def _bucket(
        self, name: str, key: DataKey | None, lock: ObjectLock | None, expire_days: dict[str, int]
    ) -> SecureBucket:
        stack = self._stack
        return SecureBucket(
            stack, name, encrypted_with=key, expire_days=expire_days, lock=lock, access_logs=stack.access_logs,
            log_prefix=f"{stack.pipeline}/{name.lower()}/", target=stack.target,
        )  # fmt: skip

    def _make_tables(self) -> None:
        stack, key = self._stack, self.identified_key
        self.studies = StateTable(stack, "Studies", key="study", target=stack.target, encrypted_with=key)
        self.studies.index("by_patient", key="p", sort="t")
        self.studies.index("by_sender", key="o", sort="t")
        self.instances = StateTable(stack, "Instances", key="instance", target=stack.target, encrypted_with=key)
        self.instances.index("by_study", key="study", sort="instance", text=True)
        self.ledger = StateTable(stack, "LedgerTable", key="chain", sort="seq", target=stack.target, append_only=True)
        self.ledger.index("by_object", key="object", sort="seq")
        self.ledger.index("by_actor", key="actor", sort="seq")

    def _make_secrets(self) -> None:
        stack = self._stack
        self.pseudonyms = kept_secret(
            stack, "PseudonymSecret", purpose="Key of patients' and studies' pseudonyms", target=stack.target,
            encrypted_with=self.identified_key,
        )  # fmt: skip
        self.senders = written_secret(
            stack, "SendersSecret", purpose="Who may send studies: see docs/imaging.md", target=stack.target,
            unrotated="It holds hashes of the tokens that senders were given; a person gives out new ones.",
        )  # fmt: skip
