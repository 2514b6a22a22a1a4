"""Imaging: STOW-RS, uploads, drop -> receive -> study complete -> begin -> read, route, review, report -> sender, bus.

A study's steps are a state machine's, so that one that waits weeks for a reviewer costs nothing. Everything that was
done, and by whom, goes by one ordered queue into the ledger.
"""

from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from cdk.config import Target
from cdk.constructs.access_trail import AccessTrail
from cdk.constructs.private_api import PrivateApi, Refusals, Route
from cdk.constructs.review_queue import ReviewQueue
from cdk.constructs.state_machine import state_machine
from cdk.constructs.suite_function import SuiteFunction
from cdk.constructs.work_queue import WorkQueue
from cdk.layers import network_archive
from cdk.reading_definition import JOBS as STEPS
from cdk.reading_definition import definition
from cdk.stacks.imaging_access import allow_all, allow_begin
from cdk.stacks.imaging_dashboard import alarm_on_access, alarm_on_reading, imaging_dashboard
from cdk.stacks.imaging_datasync import DROP, drop_from_hospital
from cdk.stacks.imaging_functions import DETECTOR, JOBS, begins, make, settings
from cdk.stacks.imaging_store import Store
from cdk.stacks.pipeline import PipelineStack
from cdk.stacks.platform import CuatroPlatform

_SERIES = "/studies/{study}/series/{series}"
_INSTANCE = f"{_SERIES}/instances/{{instance}}"
ROUTES: tuple[Route, ...] = (
    ("POST", "/studies"),
    ("POST", "/studies/{study}"),
    ("POST", "/uploads"),
    ("GET", "/status/{study}"),
    ("GET", "/studies"),
    *(("GET", f"/studies/{{study}}{what}") for what in ("", "/metadata", "/series", "/instances")),
    *(("GET", f"{_SERIES}{what}") for what in ("", "/metadata", "/instances")),
    *(("GET", f"{_INSTANCE}{what}") for what in ("", "/metadata")),
)
_INBOX = "inbox"
_KINDS = apigateway.ResponseType
_UNKNOWN = (401, {"WWW-Authenticate": "Basic"}, '{"code":"unknown_sender","message":"the token is not known here"}')
REFUSALS: Refusals = {
    _KINDS.UNAUTHORIZED: _UNKNOWN,
    _KINDS.ACCESS_DENIED: _UNKNOWN,
    _KINDS.REQUEST_TOO_LARGE: (
        413, {}, '{"code":"too_large","message":"ask POST /uploads for an address that takes more"}'
    ),
}  # fmt: skip
_ARRIVALS, _QUIET, _AUDITED = 10, 10, 10
# The ledger's head is anchored at least so often, if anything was done since.
_ANCHOR = Duration.minutes(15)


class CuatroImaging(PipelineStack):
    """Fifteen functions, the machine that reads, the review queue, two APIs, what is kept, the ledger, what watches."""

    def __init__(self, scope: Construct, name: str, *, target: Target, platform: CuatroPlatform, **kwargs: Any) -> None:
        super().__init__(
            scope, name, pipeline="imaging", purpose="Cuatro: from the scanner to a reviewed finding", events=None,
            keeps=None, target=target, platform=platform, gpu_image=target.gpu_image, **kwargs,
        )  # fmt: skip
        self.store = Store(self)
        self._queues()
        self.review = ReviewQueue(
            self, "Review", target=target, core=self.core, failures=self.failures.queue, tell=self.tell,
            key=self.store.deidentified_key, deidentified=self.store.deidentified, audit=self.audited,
        )  # fmt: skip
        self._functions(platform)
        self._sources()
        self.api = PrivateApi(
            self, "Api", routes=ROUTES, answers=self.jobs["api"], target=target, known_by=self.jobs["authorize"],
            binary=True, refusals=REFUSALS,
        )  # fmt: skip
        self._watch()
        if target.datasync:
            drop_from_hospital(self, target.datasync)
        self._outputs()

    def _queues(self) -> None:
        tell, key = self.tell, self.store.identified_key
        again = "Mend the cause, then run: cuatro replay imaging"
        # Names of files that the hospital gave are in its messages: under the same key as the files.
        self.arrivals = WorkQueue(
            self, "Arrivals", what="A file that arrived", mend=again, timeout_s=JOBS["receive"].timeout_s, tell=tell,
            encrypted_with=key,
        )  # fmt: skip
        self.arrivals.allow_s3()
        key.allow_service("s3")
        self.store.identified.tell_of_new(self.arrivals, _INBOX, DROP)
        self.quiet = WorkQueue(
            self, "Quiet", what="A study that may be complete", mend=again, timeout_s=JOBS["begin"].timeout_s,
            tell=tell, old_s=3600,
        )  # fmt: skip
        self.audited = WorkQueue(
            self, "Audited", what="An entry of the ledger", tell=tell, timeout_s=JOBS["audit"].timeout_s, fifo=True,
            attempts=100,  # later entries of the chain wait for it: it is given up after hours only
            mend="The ledger lacks it: mend the cause, then redrive the queue",
        )  # fmt: skip

    def _functions(self, platform: CuatroPlatform) -> None:
        detector = self._layer("Detector", network_archive(self.pipeline, "detector", DETECTOR), "Finds text in images")
        self.shelf: dict[str, lambda_.ILayerVersion] = {
            "inference": self.inference,
            "dicom": self.packages("dicom", "pydicom, Pillow and decoders of images"),
            "report": self.packages("report", "highdicom: structured reports"),
            "detector": detector,
        }
        told = settings(self, platform)
        self.jobs: dict[str, SuiteFunction] = {job: make(self, job, told[job]) for job in JOBS if job in told}
        self.machine = self._machine()
        self.jobs["begin"] = make(self, "begin", begins(self, self.machine.state_machine_arn))
        allow_all(self, platform)
        allow_begin(self)

    def _machine(self) -> sfn.StateMachine:
        steps = {job: self.review.ask if job == "ask" else self.jobs[job] for job in STEPS}
        reached = {job: function.reached for job, function in steps.items()}
        machine = state_machine(
            Construct(self, "Reading"),
            definition(
                {job: function.function_arn for job, function in reached.items()},
                review_days=self.target.imaging_policy.review_days,
            ),
            calls=list(reached.values()),
            target=self.target,
            untraced="Its log and the ledger tell each step; traces would be another place with ids of studies.",
        )
        self.review.allow_answers(machine, queue=self.pipeline)
        return machine

    def _sources(self) -> None:
        self.arrivals.feed(self.jobs["receive"], batch=_ARRIVALS, at_once=10)
        self.quiet.feed(self.jobs["begin"], batch=_QUIET)
        self.audited.feed(self.jobs["audit"], batch=_AUDITED)
        events.Rule(
            self, "AnchorSchedule", schedule=events.Schedule.rate(_ANCHOR),
            targets=[targets.LambdaFunction(self.jobs["audit"].function)],
        )  # fmt: skip

    def _watch(self) -> None:
        alarm_on_reading(self)
        alarm_on_access(self)
        imaging_dashboard(self)
        if self.target.access_trail:
            AccessTrail(
                self, "AccessTrail", buckets=[self.store.identified, self.store.deidentified, self.store.anchors],
                access_logs=self.access_logs, log_prefix=f"{self.pipeline}/trail/", target=self.target,
            )  # fmt: skip

    def _outputs(self) -> None:
        store = self.store
        buckets = {"Identified": store.identified, "Deidentified": store.deidentified, "Ledger": store.anchors}
        tables = {
            "Studies": store.studies, "Instances": store.instances, "Reviews": self.review.table,
            "Ledger": store.ledger,
        }  # fmt: skip
        queues = {"Arrivals": self.arrivals, "Quiet": self.quiet, "Audit": self.audited}
        functions = {**self.jobs, **self.review.jobs}
        self.outputs(
            {
                "ApiUrl": self.api.url,
                "ReviewApiUrl": self.review.api.url,
                "ReadingMachineArn": self.machine.state_machine_arn,
                "ReviewTopicArn": self.review.topic.topic_arn,
                "SendersSecret": store.senders.secret_arn,
                "PseudonymSecret": store.pseudonyms.secret_arn,
                "IdentifiedKey": store.identified_key.arn,
                "DeidentifiedKey": store.deidentified_key.arn,
                **{f"{name}Bucket": bucket.name for name, bucket in buckets.items()},
                **{f"{name}Table": table.name for name, table in tables.items()},
                **{f"{name}QueueUrl": queue.url for name, queue in queues.items()},
                **{f"{job.capitalize()}Function": each.function.function_name for job, each in functions.items()},
            }
        )
