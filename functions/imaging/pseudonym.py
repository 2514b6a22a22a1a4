"""A secret and what identifies a patient, study or image -> pseudonyms that only the holder of the secret can repeat.

HMAC-SHA256 (RFC 2104) with a key from Secrets Manager: the same person has the same pseudonym in every study, and
nobody can try out names or numbers without the key, as they could with a plain hash. Nothing here can be turned back;
who has the identified object reads the original from it.
"""

import base64
import hmac
from typing import Final

MIN_SECRET_BYTES: Final = 32
LENGTH: Final = 26
"""Characters of a pseudonym: 130 bits of the digest, in letters that neither file systems nor people confuse."""
MIN_SHIFT_DAYS: Final = 365
MAX_SHIFT_DAYS: Final = 3650

_PADDING = " \0"
_UUID_VERSION, _UUID_VARIANT = 8 << 76, 2 << 62
_UUID_FIXED = (0xF << 76) | (3 << 62)


class Pseudonyms:
    """One deployment's pseudonyms. Two deployments with different secrets share none."""

    def __init__(self, secret: bytes) -> None:
        """secret: MIN_SECRET_BYTES or more of it. Raises ValueError for a shorter one: it could be guessed."""
        if len(secret) < MIN_SECRET_BYTES:
            raise ValueError(f"the secret of the pseudonyms has less than {MIN_SECRET_BYTES} bytes")
        self._secret = secret

    def patient(self, issuer: str | None, patient_id: str) -> str:
        """Of a patient, whose id counts within its issuer (a hospital). Raises ValueError when the id is blank.

        Those without an id are not one person: see `patient_of`.
        """
        if not patient_id.strip(_PADDING):
            raise ValueError("a blank patient id is nobody's")
        return self._named("patient", (issuer or "").strip(_PADDING), patient_id.strip(_PADDING))

    def patient_of(self, issuer: str | None, patient_id: str, study_uid: str) -> str:
        """`patient`, or where no id is given, somebody whom nothing but this study is known of."""
        if patient_id.strip(_PADDING):
            return self.patient(issuer, patient_id)
        return self._named("nameless", study_uid.strip(_PADDING))

    def study(self, study_uid: str) -> str:
        """Of a Study Instance UID: 26 characters of a-z and 2-7, as all pseudonyms have."""
        return self._named("study", study_uid.strip(_PADDING))

    def series(self, series_uid: str) -> str:
        """Of a Series Instance UID."""
        return self._named("series", series_uid.strip(_PADDING))

    def instance(self, sop_uid: str) -> str:
        """Of an SOP Instance UID."""
        return self._named("instance", sop_uid.strip(_PADDING))

    def uid(self, uid: str) -> str:
        """A UID in the place of another, always the same one, so that what referred to it still does.

        "2.25." and a UUID as an integer (PS3.5, B.2), of version 8 (RFC 9562: the other 122 bits are ours to choose).
        """
        bits = int.from_bytes(self._digest("uid", uid.strip(_PADDING))[:16], "big")
        return f"2.25.{bits & ~_UUID_FIXED | _UUID_VERSION | _UUID_VARIANT}"

    def days(self, patient: str) -> int:
        """Days by which all dates of a patient (a pseudonym) are moved, -3650 to -365: intervals stay as they are."""
        span = MAX_SHIFT_DAYS - MIN_SHIFT_DAYS + 1
        return -MIN_SHIFT_DAYS - int.from_bytes(self._digest("days", patient)[:8], "big") % span

    def _named(self, kind: str, *values: str) -> str:
        return base64.b32encode(self._digest(kind, *values)).decode()[:LENGTH].lower()

    def _digest(self, kind: str, *values: str) -> bytes:
        # Lengths first: "a" of issuer "b|c" and "c|a" of issuer "b" are two persons.
        text = "|".join([kind, *(f"{len(value)}:{value}" for value in values)])
        return hmac.digest(self._secret, text.encode("utf-8", "surrogatepass"), "sha256")
