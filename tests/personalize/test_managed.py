"""The suite's own way to Personalize: the construct's template, `cuatro personalize`, the ranker and the events."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, CfnOutput, DefaultStackSynthesizer, Stack
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns

from cdk.config import TARGETS
from cdk.constructs.lake import Lake
from cdk.constructs.managed_recommender import ManagedRecommender
from cuatro.adapters import personalize as adapter
from cuatro.adapters.ranker import ranker
from cuatro.errors import Refused
from cuatro.events import InteractionRecorded
from cuatro.ranking import Taken
from local.managed.recommender import STACK, Managed
from local.platform.account import REGION
from local.platform.client import Connection, _local_session
from local.platform.errors import PlatformError
from local.platform.process import Platform
from tests.checked import Aws
from tests.personalize.shop import LONG, items, rows_of
from tests.waiting import eventually

FOLLOWING = "s3-4"


def template() -> dict[str, Any]:
    """A stack with a lake, and Personalize beside it, as the suite's own has them."""
    app = App(analytics_reporting=False)
    stack = Stack(app, STACK, synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=False))
    logs, tell = s3.Bucket(stack, "Logs"), sns.Topic(stack, "Tell")
    lake = Lake(
        stack, "Lake", pipeline="recommendations", keeps=[], target=TARGETS["local"], access_logs=logs, tell=tell
    )
    managed = ManagedRecommender(stack, "Managed", lake=lake)
    for name, value in {**managed.outputs(), "LakeBucket": lake.bucket.bucket_name, "Uri": managed.uri}.items():
        CfnOutput(stack, name, value=value)
    found: dict[str, Any] = app.synth().get_stack_by_name(STACK).template
    return found


@pytest.fixture(scope="module")
def deployed(aws: Aws) -> dict[str, str]:
    """Outputs of the stack."""
    client = aws.client("cloudformation")
    client.create_stack(StackName=STACK, TemplateBody=json.dumps(template()), Capabilities=["CAPABILITY_IAM"])

    def stack() -> dict[str, Any] | None:
        found: dict[str, Any] = client.describe_stacks(StackName=STACK)["Stacks"][0]
        return found if found["StackStatus"].endswith(("_COMPLETE", "_FAILED")) else None

    made = eventually(stack, "the stack")
    events = client.describe_stack_events(StackName=STACK)["StackEvents"]
    reasons = [each.get("ResourceStatusReason") for each in events if "FAILED" in each["ResourceStatus"]]
    assert made["StackStatus"] == "CREATE_COMPLETE", reasons
    return {output["OutputKey"]: output["OutputValue"] for output in made["Outputs"]}


@pytest.fixture(scope="module")
def connection(platform: Platform) -> Connection:
    return Connection("local", platform.endpoint, _local_session(platform.endpoint), REGION)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Interactions in the suite's own schema, and a catalogue, as JSON Lines."""
    folder = tmp_path_factory.mktemp("files")
    lines = [{"version": 1, "event_id": f"e{number}", "user_id": row["USER_ID"], "item_id": row["ITEM_ID"],
              "kind": row["EVENT_TYPE"], "time": f"{_time(int(row['TIMESTAMP']))}", "value": None}
             for number, row in enumerate(rows_of())]  # fmt: skip
    catalogue = [{"item_id": row["ITEM_ID"], "title": row["ITEM_ID"], "category": row["CATEGORY"],
                  "tags": ["a", "b"], "price": float(row["PRICE"])} for row in items()]  # fmt: skip
    paths = folder / "interactions.jsonl", folder / "catalogue.jsonl"
    for path, content in zip(paths, (lines, catalogue), strict=True):
        path.write_text("".join(json.dumps(line) + "\n" for line in content), encoding="utf-8")
    return paths


@pytest.fixture(scope="module")
def made(deployed: dict[str, str], connection: Connection, files: tuple[Path, Path]) -> Any:
    """What the command makes."""
    return Managed(connection, lambda doing, share: None).make(*files)


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def recorded(number: int, user: str, item: str) -> InteractionRecorded:
    time = _time(1_800_000_000 + number)
    return InteractionRecorded(
        event_id=f"r{number}", user_id=user, item_id=item, kind="view", value=None, list_id=None, context={}, time=time,
        recorded_at=time, correlation_id="c",
    )  # fmt: skip


def test_the_command_imports_trains_and_lets_the_campaign_answer(deployed: dict[str, str], made: Any) -> None:
    assert made.campaign == deployed["PersonalizeCampaign"]
    assert made.version.startswith(deployed["PersonalizeSolution"])
    assert made.rows == {"INTERACTIONS": len(rows_of()), "ITEMS": len(items())}
    assert made.metrics["normalized_discounted_cumulative_gain_at_10"] > 0.5


def test_lists_follow_what_was_told(deployed: dict[str, str], made: Any, reached: None) -> None:
    ranking = ranker(deployed["Uri"])
    assert isinstance(ranking, adapter.PersonalizeRanker)
    users = ["walker", *[f"other {number}" for number in range(3)]]
    events = [recorded(number, user, f"s3-{step}") for number, (step, user) in
              enumerate((step, user) for step in range(1, 4) for user in users)]  # fmt: skip
    many = [recorded(100 + number, "busy", f"s{number % 6}-{number % LONG}") for number in range(25)]
    assert adapter.put_events(deployed["PersonalizeDatasetGroup"], [*events, *many]) == set()
    for user in users:
        assert ranking.rank(user, [], [], 3).items[0] == FOLLOWING
    without = ranking.rank("walker", [Taken("s3-3", 0.0)], {FOLLOWING, "s3-5"}, 60)
    assert FOLLOWING not in without.items
    assert len(without.items) == len(without.scores) == len(without.because) == 58
    assert without.scores == sorted(without.scores, reverse=True)
    assert ranking.version == f"personalize-{'-'.join(made.version.split('/')[1:])}"
    assert ranking.knows("s0-0")


def test_what_is_not_there_is_refused(deployed: dict[str, str], made: Any, reached: None) -> None:
    with pytest.raises(Refused, match="ResourceNotFoundException"):
        ranker(f"{deployed['Uri']}-other").rank("u1", [], [], 3)
    nowhere = f"{deployed['PersonalizeDatasetGroup']}-other"
    assert adapter.put_events(nowhere, [recorded(1, "u", "i")]) == set(), "a group without a tracker is told nothing"


def test_run_again_it_updates(made: Any, connection: Connection, files: tuple[Path, Path]) -> None:
    again = Managed(connection, lambda doing, share: None).make(files[0], None)
    assert again.version != made.version
    assert again.tracker == made.tracker
    campaign = connection.client("personalize").describe_campaign(campaignArn=made.campaign)["campaign"]
    assert campaign["solutionVersionArn"] == again.version


def test_a_broken_line_is_told_before_anything_is_imported(
    deployed: dict[str, str], connection: Connection, tmp_path: Path
) -> None:
    file = tmp_path / "broken.jsonl"
    file.write_text('{"user_id": "u", "item_id": "i", "time": "2026-01-01T00:00:00Z"}\n{"user_id": "u"}\n')
    with pytest.raises(PlatformError, match=r"broken\.jsonl, line 2: KeyError\('item_id'\)"):
        Managed(connection, lambda doing, share: None).make(file, None)


def test_tables_are_taken_too(deployed: dict[str, str], connection: Connection, tmp_path: Path) -> None:
    """RecBole's header; and too little of it fails the training with Personalize's reason."""
    file = tmp_path / "shop.inter"
    lines = [f"u{number % 9}\ti{number}\t{1_700_000_000 + number}" for number in range(99)]
    file.write_text("\n".join(["user_id:token\titem_id:token\ttimestamp:float", *lines]) + "\n")
    with pytest.raises(PlatformError, match="There are 1"):
        Managed(connection, lambda doing, share: None).make(file, None)


def test_it_removes_what_the_stack_cannot(made: Any, aws: Aws, connection: Connection) -> None:
    Managed(connection, lambda doing, share: None).remove()
    Managed(connection, lambda doing, share: None).remove()  # what is gone is no error
    client = aws.client("cloudformation")
    client.delete_stack(StackName=STACK)

    def gone() -> bool:
        solutions = aws.client("personalize").list_solutions()["solutions"]
        return not any(made.version.startswith(each["solutionArn"]) for each in solutions)

    eventually(gone, "the solution's end with its stack")
