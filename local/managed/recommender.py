"""Event tracker; CSV files -> the lake -> import jobs -> solution version -> campaign; each waited for, and told.

Run again, it brings the data up to date and the campaign to the newly trained version; lists go on meanwhile. What a
template can hold (dataset group, schemas, datasets, solution, role) is there: cdk/constructs/managed_recommender.
"""

import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.managed import columns
from local.platform.client import Connection
from local.platform.deployment import Tell
from local.platform.errors import PlatformError

STACK = "CuatroRecommendations"
PREFIX = "recommendations/personalize"
NEEDED = ("PersonalizeDatasetGroup", "PersonalizeSolution", "PersonalizeCampaign", "PersonalizeRole", "LakeBucket")
# AWS takes minutes for an import and up to hours for a training; a poll costs nothing but quota.
POLL_S = {"local": 0.2, "aws": 20.0}
_DONE = "ACTIVE"


@dataclass(frozen=True)
class Made:
    """What answers now. metrics: AWS's names -> figures of the trained version; rows: what was imported."""

    campaign: str
    version: str
    tracker: str
    rows: Mapping[str, int]
    metrics: Mapping[str, float]


class Managed:
    """The suite's Personalize, through its ordinary calls."""

    def __init__(self, connection: Connection, tell: Tell, sleep: Callable[[float], None] = time.sleep) -> None:
        """Raises PlatformError when the stack is not deployed, or not with Personalize."""
        self._connection, self._tell, self._sleep = connection, tell, sleep
        outputs = connection.outputs(STACK)
        missing = [name for name in NEEDED if name not in outputs]
        if missing:
            raise PlatformError(
                f"{STACK} is deployed without Personalize.",
                "Deploy it with it: `npx cdk deploy -c ranking=personalize`.",
            )
        self._group, self._solution, self._campaign, self._role, self._bucket = (outputs[name] for name in NEEDED)
        self._personalize = connection.client("personalize")
        self._run = time.strftime("%Y%m%d-%H%M%S", time.gmtime())

    def make(self, interactions: Path, catalogue: Path | None) -> Made:
        """Everything, from the files to a campaign that answers. Raises PlatformError with Personalize's reason."""
        rows, files = {}, {}
        with tempfile.TemporaryDirectory() as scratch:
            for kind, source, convert in (
                ("INTERACTIONS", interactions, columns.interactions),
                ("ITEMS", catalogue, columns.items),
            ):
                if source is not None:
                    files[kind] = Path(scratch) / f"{kind.lower()}.csv"
                    self._tell(f"reading {source.name}", None)
                    rows[kind] = convert(source, files[kind])
            tracker = self._tracker()  # before the training, which takes hours: what happens meanwhile must be told
            for kind, file in files.items():
                self._import(kind, file, rows[kind])
        version = self._train()
        self._deploy(version)
        figures = self._personalize.get_solution_metrics(solutionVersionArn=version)["metrics"]
        return Made(self._campaign, version, tracker, rows, figures)

    def remove(self) -> None:
        """Ends what this made and the stack cannot end: campaign and tracker; the stack can be deleted then."""
        absent = self._personalize.exceptions.ResourceNotFoundException
        self._tell("deleting the campaign", None)
        with suppress(absent):
            self._personalize.delete_campaign(campaignArn=self._campaign)
            while True:  # until it is gone
                self._personalize.describe_campaign(campaignArn=self._campaign)
                self._sleep(POLL_S[self._connection.target])
        self._tell("deleting the event tracker", None)
        for tracker in self._personalize.list_event_trackers(datasetGroupArn=self._group)["eventTrackers"]:
            self._personalize.delete_event_tracker(eventTrackerArn=tracker["eventTrackerArn"])

    def _import(self, kind: str, file: Path, count: int) -> None:
        dataset = self._dataset(kind)
        key = f"{PREFIX}/{self._run}/{file.name}"
        self._connection.client("s3").upload_file(str(file), self._bucket, key)
        job = self._personalize.create_dataset_import_job(
            jobName=f"{kind.lower()}-{self._run}", datasetArn=dataset, roleArn=self._role, importMode="FULL",
            dataSource={"dataLocation": f"s3://{self._bucket}/{key}"},
        )["datasetImportJobArn"]  # fmt: skip
        self._wait(f"importing {count:,} rows of {kind.lower()}", "dataset_import_job", datasetImportJobArn=job)

    def _train(self) -> str:
        version = self._personalize.create_solution_version(solutionArn=self._solution)["solutionVersionArn"]
        self._wait("training a solution version", "solution_version", solutionVersionArn=version)
        return str(version)

    def _tracker(self) -> str:
        """The group's event tracker, made when there is none."""
        found = self._personalize.list_event_trackers(datasetGroupArn=self._group)["eventTrackers"]
        if found:
            return str(found[0]["eventTrackerArn"])
        name = self._campaign.rpartition("/")[2]
        made = self._personalize.create_event_tracker(name=name, datasetGroupArn=self._group)["eventTrackerArn"]
        self._wait("making the event tracker", "event_tracker", eventTrackerArn=made)
        return str(made)

    def _deploy(self, version: str) -> None:
        """The campaign serves the version: made, or updated while the one before answers."""
        try:
            self._personalize.describe_campaign(campaignArn=self._campaign)
        except self._personalize.exceptions.ResourceNotFoundException:
            name = self._campaign.rpartition("/")[2]
            self._personalize.create_campaign(name=name, solutionVersionArn=version, minProvisionedTPS=1)
            self._wait("starting the campaign", "campaign", campaignArn=self._campaign)
            return
        self._personalize.update_campaign(campaignArn=self._campaign, solutionVersionArn=version)
        self._wait("updating the campaign", "campaign", latest="latestCampaignUpdate", campaignArn=self._campaign)

    def _dataset(self, kind: str) -> str:
        found = self._personalize.list_datasets(datasetGroupArn=self._group)["datasets"]
        return next(str(each["datasetArn"]) for each in found if each["datasetType"].upper() == kind)

    def _wait(self, doing: str, what: str, latest: str = "", **arn: str) -> None:
        """Returns once it is ACTIVE. Raises PlatformError with the reason when it failed."""
        self._tell(doing, None)
        word = "".join(part.title() for part in what.split("_"))
        while True:
            found: dict[str, Any] = getattr(self._personalize, f"describe_{what}")(**arn)[word[0].lower() + word[1:]]
            found = found[latest] if latest else found
            if found["status"] == _DONE:
                self._tell(doing, 1.0)
                return
            if not found["status"].endswith(("PENDING", "IN_PROGRESS")):
                reason = found.get("failureReason", found["status"])
                raise PlatformError(f"Personalize failed at {doing}: {reason}", "Correct it and run the command again.")
            self._sleep(POLL_S[self._connection.target])
