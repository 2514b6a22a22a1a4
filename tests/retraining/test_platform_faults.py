"""What happens to the place where it all runs: deployed anew, restarted. The live model stays the live one."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local.platform.process import Platform, start, stop
from tests.retraining.packages import Packages
from tests.retraining.story import Story

TRAIN_S, SHADOW_S = 180, 60
LONG = "1000"  # the most rounds of boosting: a training that is at work whenever somebody looks
RESTARTED = "The platform was restarted while {} ran. Start it again."
INTERNAL = "InternalServerError: "
STACK = "CuatroFraud"


def test_a_deployment_in_the_middle_of_a_roll_out_ends_it_and_keeps_the_live_model(
    story: Story, live: str, packages: Packages, clients: Any, tmp_path: Path
) -> None:
    arn = packages.register("cut-1", packages.tiny(tmp_path, "cut-1", -6.0))
    story.control.until(lambda: phase(story, clients) == ("cut-1", "shadow") or None, "the shadow phase", SHADOW_S)

    deploy(clients, changed)

    score = clients("lambda").get_function_configuration(
        FunctionName=story.control.outputs["ScoreFunction"], Qualifier="live"
    )
    assert score["Environment"]["Variables"]["DEPLOYED"] == "again"
    assert story.deciders(20) == {live}
    cut = story.version(arn)
    assert (cut.stage, cut.note) == (
        "RolledBack",
        "a deployment came in between; approve the version again to roll it out",
    )
    assert story.live().name == live


def phase(story: Story, clients: Any) -> tuple[str, str]:
    """Version and phase of the latest roll-out."""
    table = story.control.outputs["ModelsTable"]
    item = clients("dynamodb").get_item(TableName=table, Key={"name": {"S": "rollout"}})["Item"]
    return item["version"]["S"], item["phase"]["S"]


def deploy(clients: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """The stack with its own template, changed."""
    cloudformation, s3 = clients("cloudformation"), clients("s3")
    template = cloudformation.get_template(StackName=STACK)["TemplateBody"]
    again = change(template if isinstance(template, dict) else json.loads(template))
    s3.create_bucket(Bucket="templates")
    s3.put_object(Bucket="templates", Key="again.json", Body=json.dumps(again).encode())
    cloudformation.update_stack(
        StackName=STACK,
        TemplateURL="https://s3.amazonaws.com/templates/again.json",
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
    )
    done = cloudformation.get_waiter("stack_update_complete")
    done.wait(StackName=STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 120})


def changed(template: dict[str, Any]) -> dict[str, Any]:
    """As the CDK has it after a change of every function that has versions: a new version has a new logical id."""
    resources = template["Resources"]
    versions = {name: each for name, each in resources.items() if each["Type"] == "AWS::Lambda::Version"}
    for each in versions.values():
        function = resources[each["Properties"]["FunctionName"]["Ref"]]
        function["Properties"]["Environment"]["Variables"]["DEPLOYED"] = "again"
    text = json.dumps(template)
    for name in versions:
        text = text.replace(name, f"{name}2")
    found: dict[str, Any] = json.loads(text)
    return found


def test_a_restart_in_the_middle_of_a_training_is_told_and_the_live_model_decides_on(
    story: Story, live: str, platform: Platform, clients: Any
) -> None:
    arn = story.begin("will be cut", Rounds=LONG)
    story.control.until(lambda: trains(platform, story, arn) or None, "a training at work", TRAIN_S)
    processes = descendants(platform.pid)

    assert stop(platform.state)
    assert not processes.keys() & {pid for pid, _, _ in all_processes()}
    start(platform.state, platform.port)

    ended = story.control.execution(arn)
    assert (ended.status, ended.failure) == ("Failed", RESTARTED.format("step Train"))
    train = story.control.steps(arn)[-1]
    assert (train.name, train.status, train.failure) == ("Train", "Failed", RESTARTED.format("step Train"))
    newest = story.control.sagemaker.list_training_jobs(SortBy="CreationTime", SortOrder="Descending", MaxResults=1)
    job = story.control.sagemaker.describe_training_job(
        TrainingJobName=newest["TrainingJobSummaries"][0]["TrainingJobName"]
    )
    assert (job["TrainingJobStatus"], job["FailureReason"]) == (
        "Failed",
        INTERNAL + RESTARTED.format("the job"),
    )

    assert story.live().name == live
    assert story.deciders(20) == {live}

    again = story.begin("again")
    story.control.sagemaker.stop_pipeline_execution(PipelineExecutionArn=again)
    assert story.ended(again).status == "Stopped"


def trains(platform: Platform, story: Story, arn: str) -> bool:
    execution = story.control.execution(arn)
    assert not execution.ended, story.control.why(execution)
    return any("models.container.main train" in command for command in descendants(platform.pid).values())


def descendants(pid: int) -> dict[int, str]:
    """Process id -> command of everything that the process started, and what those did."""
    everything, found, parents = all_processes(), dict[int, str](), {pid}
    while parents:
        children = {each: command for each, parent, command in everything if parent in parents}
        found |= children
        parents = set(children)
    return found


def all_processes() -> list[tuple[int, int, str]]:
    """(id, parent, whole command: -ww, or COLUMNS cuts it off); without those that ended and were not yet asked for."""
    columns = ["-axo", "pid=,ppid=,stat=,command="]
    listed = subprocess.run(["ps", "-ww", *columns], capture_output=True, text=True, check=True)
    lines = (line.split(None, 3) for line in listed.stdout.splitlines())
    return [(int(pid), int(parent), command) for pid, parent, status, command in lines if not status.startswith("Z")]
