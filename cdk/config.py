"""What differs between the targets (local, dev, prod), each difference with its reason; profiles are in profiles.py.

A field's `Why` is what docs/parity.md prints (`python -m cdk.parity`). What is the same everywhere stays in the
constructs. Nothing here reads the environment, an account or git.
"""

import sys
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

from cdk.policies import AlertPolicy, FraudPolicy, ImagingPolicy, RecommendationPolicy, SentimentPolicy
from cdk.profiles import MINIMAL, PRODUCTION, Profile
from cdk.retraining_fraud import DecisionsPlan, FraudRetraining
from cdk.retraining_recommendations import ListsPlan, RecommendationsRetraining
from cdk.retraining_sentiment import PostsPlan, SentimentRetraining
from cdk.why import Why

# Lambda runs the Python that ran the tests: the layers' wheels and byte code are then the right ones (decision 0003).
PYTHON = f"3.{sys.version_info.minor}"

LayerPlatform = Literal["lambda", "host"]
# Who scores: ONNX Runtime in the function's layer, or a SageMaker endpoint: serverless, on instances, on Inferentia.
Serving = Literal["lambda", "serverless", "realtime", "inferentia"]
# Whose lists recommendations are: the model's, served as above, or those of Amazon Personalize.
Ranking = Literal["model", "personalize"]


@dataclass(frozen=True)
class ObjectLock:
    """How long S3 keeps every version, whoever asks: by governance (a role with a right of its own may) or by
    compliance (nobody, not even the account's root)."""

    mode: Literal["governance", "compliance"]
    days: int


@dataclass(frozen=True)
class DataSync:
    """The transfer from the hospital's file server into the drop prefix. agent: ARN, "" where the task is made by
    hand. host, path: of the NFS export that the agent reads."""

    agent: str = ""
    host: str = ""
    path: str = ""


@dataclass(frozen=True)
class Target:
    """Where the suite is deployed. Fields with a default are the same wherever nothing else is said."""

    name: str
    profile: Profile
    cli_credentials: Annotated[bool, Why("the local platform enforces IAM and has no bootstrap roles to deploy with")]
    retain_data: Annotated[
        bool,
        Why(
            "real data outlives the stack; elsewhere everything goes with it",
            "*.DeletionPolicy",
            "*.UpdateReplacePolicy",
            "*.DeletionProtectionEnabled",
            "*.PendingWindowInDays",
        ),
    ]
    layer_platform: Annotated[LayerPlatform, Why("wheels for Lambda's Linux, or for the machine the platform runs on")]
    max_record_age_hours: Annotated[
        int,
        Why("how long a failing batch is retried before the failures queue takes it", "*.MaximumRecordAgeInSeconds"),
    ]
    retry_attempts: Annotated[
        int, Why("few on a laptop, where somebody waits to see the failures queue", "*.MaximumRetryAttempts")
    ]
    max_age_days: Annotated[int, Why("the oldest event still taken; demos replay history", "*.MAX_AGE_DAYS")] = 3650
    gather_s: Annotated[
        int,
        Why(
            "what comes in this time is written at once, which is paid for; on a laptop somebody waits",
            "*.MaximumBatchingWindowInSeconds",
            "*.Processors*.ParameterValue",
        ),
    ] = 10
    shadow_model: Annotated[
        bool, Why("scores a second model version beside the live one, compares, does not act", "*.SHADOW_MODEL_URI")
    ] = False
    models_image: Annotated[
        str | None,
        Why(
            "no Docker on a laptop: its SageMaker runs this image's code from the checkout; None builds the image",
            "*.ImageUri",
            "*.TrainingImage",
            "*.Image",
            "AWS::IAM::Role.*.Policies*",
        ),
    ] = None
    polls: Annotated[
        bool,
        Why(
            "a laptop asks the networks when somebody says so: cuatro poll", "AWS::Events::Rule:Poll*.Properties.State"
        ),
    ] = True
    private_hosts: Annotated[
        bool, Why("on a laptop the networks, and a hospital, are servers of its own", "*.ALLOW_PRIVATE_HOSTS")
    ] = False
    access_trail: Annotated[
        bool,
        Why(
            "CloudTrail tells of each object that is read; the laptop's emulator has none",
            "AWS::CloudTrail::Trail",
            "AWS::S3::Bucket:AccessTrail*",
            "AWS::S3::BucketPolicy:AccessTrail*",
            "CuatroImaging/AWS::CloudFormation::*",
        ),
    ] = True
    anchor_every: Annotated[
        int, Why("on a laptop somebody waits to see the ledger's head anchored", "*.ANCHOR_EVERY")
    ] = 100
    trusted_backends: Annotated[
        str,
        Why("a laptop's only caller speaks for every reviewer; elsewhere each signs as himself", "*.TRUSTED_BACKENDS"),
    ] = ""
    serving: Serving = "lambda"
    ranking: Ranking = "model"
    # "opensearch": a domain with the posts, which costs by the hour; the console needs none.
    search: str = ""
    # The local domain speaks plain HTTP on loopback.
    search_scheme: str = "https"
    # ARN of the QuickSight user who gets the data sets of the lake; "" makes none.
    quicksight: str = ""
    # Of the images and the results; the ledger's anchors are locked in any case. None locks no image.
    object_lock: ObjectLock | None = None
    # None: studies come by the API only.
    datasync: DataSync | None = None
    # <repository>:<tag> of this account's ECR, built from models/imaging/Dockerfile: a GPU reads images. "" takes none.
    gpu_image: str = ""
    # ARN of a flow definition of Amazon A2I, whose reviewers decide; "" is the suite's own queue.
    review_flow: str = ""
    # None: no drift report, no pipeline, no roll-out; the shipped model serves until the next deployment.
    retraining: FraudRetraining | None = field(default_factory=FraudRetraining)
    recommendations_retraining: RecommendationsRetraining | None = field(default_factory=RecommendationsRetraining)
    sentiment_retraining: SentimentRetraining | None = field(default_factory=SentimentRetraining)
    fraud_policy: Annotated[FraudPolicy, Why("thresholds and rules of the fraud decision")] = field(
        default_factory=FraudPolicy
    )
    recommendation_policy: Annotated[
        RecommendationPolicy, Why("on a laptop somebody waits for what is sold out to leave the lists", "*.POLICY")
    ] = field(default_factory=RecommendationPolicy)
    sentiment_policy: Annotated[
        SentimentPolicy, Why("a demo's crisis is found within two minutes, not ten", "CuatroSentiment/*.POLICY")
    ] = field(default_factory=SentimentPolicy)
    imaging_policy: Annotated[
        ImagingPolicy, Why("on a laptop somebody waits for the study to be complete", "CuatroImaging/*.POLICY")
    ] = field(default_factory=ImagingPolicy)


LOCAL = Target(
    "local",
    MINIMAL,
    cli_credentials=True,
    retain_data=False,
    layer_platform="host",
    max_record_age_hours=1,
    retry_attempts=3,
    models_image="cuatro-models:local",
    gather_s=1,
    retraining=FraudRetraining(
        # What fits the history of models/fraud/scenario.py, which demo and tests play.
        train_days=30,
        delay_days=2,
        evaluate_days=3,
        rounds=40,
        psi_limit=1.5,
        scheduled=False,
        plan=DecisionsPlan(shadow_s=5, min_rows=50, max_shadow_s=120, step_s=5, bake_s=5, max_alert_ratio=4),
    ),
    recommendations_retraining=RecommendationsRetraining(
        # What fits the world of models/recommendations/world.py, which demo and tests play.
        train_days=90,
        ease_items=0,
        scheduled=False,
        plan=ListsPlan(shadow_s=5, min_rows=30, max_shadow_s=120, step_s=5, bake_s=5, min_overlap=0.05),
    ),
    sentiment_retraining=SentimentRetraining(
        train_days=30,
        evaluate_days=3,
        fewest_labels=60,
        scheduled=False,
        plan=PostsPlan(shadow_s=5, min_rows=30, max_shadow_s=120, step_s=5, bake_s=5),
    ),
    recommendation_policy=RecommendationPolicy(catalogue_cache_s=2, shelf_cache_s=2),
    sentiment_policy=SentimentPolicy(alerts=AlertPolicy(window_min=1)),
    imaging_policy=ImagingPolicy(quiet_s=2),
    polls=False,
    private_hosts=True,
    access_trail=False,
    anchor_every=5,
    trusted_backends="*",
    search_scheme="http",
)
DEV = Target(
    "dev",
    MINIMAL,
    cli_credentials=False,
    retain_data=False,
    layer_platform="lambda",
    max_record_age_hours=12,
    retry_attempts=10,
)
PROD = replace(DEV, name="prod", profile=PRODUCTION, retain_data=True, max_age_days=30)

TARGETS = {target.name: target for target in (LOCAL, DEV, PROD)}
