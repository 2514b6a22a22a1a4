"""Four ways to serve the model: what each makes, what it may reach, and that the functions do not notice."""

import json
import shutil
import tarfile
from pathlib import Path

import aws_cdk
import pytest

from cdk.archive import ROOT
from cdk.artefact import Artefact, compiled
from cdk.constructs import model_endpoint
from cdk.options import OPTIONS, chosen
from cdk.suite import Suite
from tests.stacks.synthesis import DEFAULT, PIPELINES, Assembly, Resource, assembly, context, references

ENDPOINTS = ("serverless", "realtime", "inferentia")
# Functions that have a model, at least.
SCORING = {"fraud": 3, "recommendations": 1, "sentiment": 1, "imaging": 1}
OF_ENDPOINTS = ("AWS::SageMaker::", "AWS::ApplicationAutoScaling::", "AWS::ECR::")


@pytest.fixture(scope="module")
def inferentia(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    """As if the model had been compiled: what is in the artefact does not matter to a template."""
    artefact = tmp_path_factory.mktemp("neuron") / "model.tar.gz"
    artefact.write_bytes(b"compiled")
    app = aws_cdk.App(
        outdir=str(artefact.parent / "assembly"), context=context(), builtin_cloud_formation_validation=False
    )
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(model_endpoint, "compiled", lambda pipeline: Artefact(artefact, "v1", "features"))
        Suite(app, chosen(DEFAULT, serving="inferentia", retraining="off"))
    app.synth()
    return Assembly(artefact.parent / "assembly")


@pytest.fixture(scope="module", params=ENDPOINTS)
def served(request: pytest.FixtureRequest, inferentia: Assembly) -> Assembly:
    return inferentia if request.param == "inferentia" else assembly(DEFAULT, None, request.param, "off")


@pytest.fixture(params=PIPELINES)
def pipeline(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def only(suite: Assembly, kind: str, pipeline: str) -> Resource:
    (found,) = suite.resources(kind, within=[PIPELINES[pipeline]])
    return found


def scoring(suite: Assembly, pipeline: str) -> list[Resource]:
    return [
        function
        for function in suite.resources("AWS::Lambda::Function", within=[PIPELINES[pipeline]])
        if "MODEL_URI" in function.properties["Environment"]["Variables"]
    ]


def test_the_layer_needs_no_endpoint(pipeline: str) -> None:
    suite = assembly(DEFAULT, None, "lambda", "off")
    assert not [each.where for each in suite.resources() if each.type.startswith(OF_ENDPOINTS)]
    for function in scoring(suite, pipeline):
        variables = function.properties["Environment"]["Variables"]
        assert variables["MODEL_URI"] == f"/opt/models/{pipeline}/model.onnx"


def test_functions_get_the_endpoints_name_and_no_model(served: Assembly, pipeline: str) -> None:
    endpoint = only(served, "AWS::SageMaker::Endpoint", pipeline)
    assert len(scoring(served, pipeline)) >= SCORING[pipeline]
    for function in scoring(served, pipeline):
        uri = function.properties["Environment"]["Variables"]["MODEL_URI"]
        assert uri["Fn::Join"][1][0] == "sagemaker:"
        assert references(uri) == [endpoint.id]
    for function in served.functions():
        assert not [layer for layer in function.layers if "model" in layer.name]


def test_who_scores_may_invoke_this_endpoint_and_nobody_else(served: Assembly, pipeline: str) -> None:
    endpoint = only(served, "AWS::SageMaker::Endpoint", pipeline)
    may = [
        (policy.properties["Roles"], statement["Resource"])
        for policy in served.resources("AWS::IAM::Policy", within=[endpoint.stack])
        for statement in policy.properties["PolicyDocument"]["Statement"]
        if "sagemaker:InvokeEndpoint" in statement["Action"]
    ]
    assert {references(resource)[0] for _, resource in may} == {endpoint.id}
    roles = {function.properties["Role"]["Fn::GetAtt"][0] for function in scoring(served, pipeline)}
    assert {role["Ref"] for named, _ in may for role in named} == roles


def test_the_artefact_is_the_shipped_model(served: Assembly, pipeline: str) -> None:
    container = only(served, "AWS::SageMaker::Model", pipeline).properties["PrimaryContainer"]
    assert json.dumps(container["ModelDataUrl"]).rstrip('"}').endswith(".gz"), "SageMaker looks at the name"
    assert container["Environment"]["CUATRO_MODEL"] == pipeline


def test_serverless_has_memory_and_none_of_what_serverless_endpoints_lack(pipeline: str) -> None:
    suite = assembly(DEFAULT, None, "serverless", "off")
    config = only(suite, "AWS::SageMaker::EndpointConfig", pipeline).properties
    (variant,) = config["ProductionVariants"]
    assert variant["ServerlessConfig"] == {"MaxConcurrency": 20, "MemorySizeInMB": 2048}
    assert "InstanceType" not in variant
    assert "DataCaptureConfig" not in config
    assert only(suite, "AWS::SageMaker::Model", pipeline).properties["EnableNetworkIsolation"] is False
    assert not suite.resources("AWS::ApplicationAutoScaling::ScalableTarget")


@pytest.mark.parametrize(("serving", "instance"), [("realtime", "ml.c6i.large"), ("inferentia", "ml.inf2.xlarge")])
def test_instances_scale_capture_and_are_isolated(
    serving: str, instance: str, inferentia: Assembly, pipeline: str
) -> None:
    suite = inferentia if serving == "inferentia" else assembly(DEFAULT, None, serving, "off")
    config = only(suite, "AWS::SageMaker::EndpointConfig", pipeline).properties
    assert config["ProductionVariants"][0]["InstanceType"] == instance
    if pipeline == "imaging":
        assert "DataCaptureConfig" not in config, "images of patients stay in their own bucket"
    else:
        assert config["DataCaptureConfig"]["EnableCapture"] is True
    assert only(suite, "AWS::SageMaker::Model", pipeline).properties["EnableNetworkIsolation"] is True
    scalable = only(suite, "AWS::ApplicationAutoScaling::ScalableTarget", pipeline).properties
    assert scalable["MinCapacity"] < scalable["MaxCapacity"]
    policy = only(suite, "AWS::ApplicationAutoScaling::ScalingPolicy", pipeline)
    assert policy.properties["PolicyType"] == "TargetTrackingScaling"
    watched = {
        alarm.properties["MetricName"] for alarm in suite.resources("AWS::CloudWatch::Alarm", within=[policy.stack])
    }
    assert {"Invocation5XXErrors", "ModelLatency"} <= watched


def test_an_uncompiled_model_says_which_command_compiles_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"Neuron SDK: python -m models\.container\.neuron"):
        compiled("fraud", tmp_path)


def test_a_compiled_model_is_packed_with_the_one_that_it_was_made_from(tmp_path: Path) -> None:
    folder = tmp_path / "models" / "fraud" / "neuron"
    folder.mkdir(parents=True)
    (folder / "model.neuron-128.pt").write_bytes(b"compiled")
    shutil.copy(ROOT / "models" / "fraud" / "model.onnx", folder)
    artefact = compiled("fraud", tmp_path)
    with tarfile.open(artefact.path) as packed:
        assert set(packed.getnames()) == {"model.neuron-128.pt", "model.onnx"}
    assert artefact.version.startswith("fraud-")


@pytest.mark.parametrize("option", [*OPTIONS])
def test_an_unknown_choice_names_those_that_there_are(option: str) -> None:
    with pytest.raises(ValueError, match=f"-c {option}=nonsense: must be one of"):
        chosen(**{"target": None, option: "nonsense"})


def test_an_endpoint_and_personalize_exclude_each_other() -> None:
    with pytest.raises(ValueError, match="leave -c serving=serverless out"):
        chosen(DEFAULT, serving="serverless", retraining="off", ranking="personalize")


def test_an_endpoint_and_a_roll_out_exclude_each_other() -> None:
    with pytest.raises(ValueError, match="needs -c retraining=off"):
        chosen(DEFAULT, serving="serverless")
