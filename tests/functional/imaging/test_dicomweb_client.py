"""dicomweb-client, as hospitals use it, against the API: stores, searches, retrieves."""

import pytest
import requests
from pydicom import Dataset

from tests.functional.imaging.dicomweb import STUDY_UID, dicomweb, read
from tests.functional.imaging.images import image
from tests.functional.imaging.suite import Suite


def test_it_stores_a_study(suite: Suite) -> None:
    answer = dicomweb(suite).store_instances([image(1), image(2)])
    assert [each.ReferencedSOPInstanceUID for each in answer.ReferencedSOPSequence] == [
        image(1).SOPInstanceUID, image(2).SOPInstanceUID,
    ]  # fmt: skip
    assert "FailedSOPSequence" not in answer
    suite.receive()
    (study,) = suite.items("studies").values()
    assert study["c"] == 2


def test_it_stores_into_a_study_by_its_uid(suite: Suite) -> None:
    answer = dicomweb(suite).store_instances([image(1, 1), image(1, 2)], study_instance_uid=STUDY_UID)
    assert [each.ReferencedSOPInstanceUID for each in answer.ReferencedSOPSequence] == [image(1, 1).SOPInstanceUID]
    (failed,) = answer.FailedSOPSequence
    assert (failed.ReferencedSOPInstanceUID, failed.FailureReason) == (image(1, 2).SOPInstanceUID, 0xA900)


def test_it_finds_and_fetches_results(suite: Suite) -> None:
    made = read(suite)
    client = dicomweb(suite)
    (study,) = [Dataset.from_json(each) for each in client.search_for_studies()]
    assert study.StudyInstanceUID == STUDY_UID
    assert (study.PatientID, str(study.PatientName)) == ("PHANTOM-1", "Phantom^One")
    assert (study.NumberOfStudyRelatedSeries, study.NumberOfStudyRelatedInstances) == (2, 2)
    assert list(study.ModalitiesInStudy) == ["OT", "SR"]
    series = [Dataset.from_json(each) for each in client.search_for_series(STUDY_UID)]
    assert [each.SeriesInstanceUID for each in series] == [each.SeriesInstanceUID for each in made]
    instances = [Dataset.from_json(each) for each in client.search_for_instances(STUDY_UID)]
    assert [each.SOPInstanceUID for each in instances] == [each.SOPInstanceUID for each in made]
    assert client.retrieve_study(STUDY_UID) == made
    assert client.retrieve_series(STUDY_UID, made[1].SeriesInstanceUID) == made[1:]
    uids = (STUDY_UID, made[1].SeriesInstanceUID, made[1].SOPInstanceUID)
    assert client.retrieve_instance(*uids) == made[1]
    metadata = Dataset.from_json(client.retrieve_instance_metadata(*uids))
    assert metadata.SOPInstanceUID == made[1].SOPInstanceUID
    assert "PixelData" not in metadata
    assert len(client.retrieve_study_metadata(STUDY_UID)) == 2
    assert len(client.retrieve_series_metadata(STUDY_UID, made[0].SeriesInstanceUID)) == 1
    audited = [each["action"] for each in suite.messages("audit.fifo")]
    assert audited.count("search") == 3
    assert audited.count("retrieve") == 6


def test_it_finds_instances_of_a_series(suite: Suite) -> None:
    made = read(suite)
    (found,) = dicomweb(suite).search_for_instances(STUDY_UID, made[0].SeriesInstanceUID)
    assert Dataset.from_json(found).SOPClassUID == made[0].SOPClassUID


def test_an_answer_that_lambda_cannot_give_comes_by_a_link(suite: Suite) -> None:
    made = read(suite, size=5_000_000)
    assert dicomweb(suite).retrieve_study(STUDY_UID) == made
    (key,) = suite.objects("identified", "downloads/north/")
    assert key.count("/") == 2


def test_results_of_all_revisions_are_there(suite: Suite) -> None:
    made = [*read(suite), *read(suite, revision=2)]
    assert dicomweb(suite).retrieve_study(STUDY_UID) == made


@pytest.mark.safeguard("164.312(a)(1)")
def test_another_sender_finds_nothing(suite: Suite) -> None:
    made = read(suite)
    client = dicomweb(suite, "south")
    assert client.search_for_studies() == []
    assert client.search_for_studies(search_filters={"StudyInstanceUID": STUDY_UID}) == []
    for ask in (
        lambda: client.retrieve_study(STUDY_UID),
        lambda: client.search_for_series(STUDY_UID),
        lambda: client.retrieve_series(STUDY_UID, made[0].SeriesInstanceUID),
        lambda: client.retrieve_study_metadata(STUDY_UID),
    ):
        with pytest.raises(requests.HTTPError) as refused:
            ask()
        assert refused.value.response.status_code == 404
