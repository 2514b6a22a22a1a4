"""A key that may not be used for a while: nothing is lost, the study says that it failed, and is read when told to."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.emulator.deployed import Queue
from tests.emulator.imaging.readings import ENDED, Reading, image


@contextmanager
def disabled(read: Reading, key: str) -> Iterator[None]:
    """The key (by its output) opens and closes nothing meanwhile, for nobody."""
    kms = read.client("kms")
    kms.disable_key(KeyId=read.outputs[key])
    try:
        yield
    finally:
        kms.enable_key(KeyId=read.outputs[key])


def test_a_study_that_failed_for_a_key_is_read_again_on_demand(read: Reading, told: Queue) -> None:
    sent = image()
    with disabled(read, "DeidentifiedKey"):
        study = read.sent(sent)
        row = read.state(study, *ENDED, "review")
        assert row["s"] == "failed"
        event = told.first(lambda found: found["detail"].get("study") == study, "StudyFailed")
        assert event["detail-type"] == "StudyFailed"
        assert not read.objects("DeidentifiedBucket", f"studies/{study}/")
    read.cuatro("replay", "imaging")
    assert read.state(study, "review", "read")["r"] == row["r"] + 1, "a revision of its own"
