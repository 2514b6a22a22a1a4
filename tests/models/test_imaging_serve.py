"""The reader as SageMaker serves and trains it: golden images, what is wrong with a body, parameters, the GPU job."""

import io
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from botocore.session import get_session
from botocore.validate import ParamValidator

from functions.imaging.features import SIDE, VERSION, prepared
from models.imaging.fitting import Parameters, parameters, train
from models.imaging.golden import golden_images
from models.imaging.job import HYPERPARAMETERS, training_job
from tests.models.container_process import ROOT, Server, free_port, run, serving

SHIPPED = ROOT / "models" / "imaging"
GOLDEN = json.loads((SHIPPED / "golden.json").read_text())


def placed(base: Path) -> Path:
    (base / "model").mkdir()
    shutil.copyfile(SHIPPED / "model.onnx", base / "model" / "model.onnx")
    return base


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(placed(tmp_path_factory.mktemp("serve")), CUATRO_MODEL="imaging") as started:
        yield started


def npy(images: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, images)
    return stream.getvalue()


def test_golden_images_get_their_readings_and_the_limits_stand_beside(server: Server) -> None:
    some = np.concatenate([prepared(image) for image in golden_images()[:5]])
    answer = server.invoke(npy(some), "application/x-npy")
    assert (answer.status, answer.kind) == (200, "application/json")
    told, metrics = json.loads(answer.body), json.loads((SHIPPED / "metrics.json").read_text())
    for name in ("version", "threshold", "unsure", "distance_limit"):
        assert told[name] == metrics[name]
    assert told["features"] == VERSION
    for row, probability, distance, cam in zip(
        GOLDEN, told["probability"], told["distance"], told["cam"], strict=False
    ):
        assert probability == pytest.approx(row["probability"], abs=0.01)
        assert distance == pytest.approx(row["distance"], rel=0.01)
        np.testing.assert_allclose(np.ravel(cam)[::8], row["cam"], atol=0.2)


def test_no_image_asks_what_the_model_is(server: Server) -> None:
    told = json.loads(server.invoke(npy(np.zeros((0, 1, SIDE, SIDE), np.uint8)), "application/x-npy").body)
    assert told["version"]
    assert told["probability"] == told["distance"] == told["cam"] == []


@pytest.mark.parametrize(
    ("body", "kind", "status", "why"),
    [
        (b"{}", "application/json", 415, "application/x-npy"),
        (b"nonsense", "application/x-npy", 400, "not a .npy file"),
        (npy(np.zeros((2, SIDE, SIDE), np.uint8)), "application/x-npy", 400, "uint8 [n, 1, 224, 224]"),
        (npy(np.array([None])), "application/x-npy", 400, "object"),
        (npy(np.zeros((1, 1, SIDE, SIDE), np.uint8))[:-1], "application/x-npy", 400, "bytes follow"),
    ],
)  # fmt: skip
def test_a_bad_body_is_refused_with_the_reason(server: Server, body: bytes, kind: str, status: int, why: str) -> None:
    answer = server.invoke(body, kind)
    assert answer.status == status
    assert why in json.loads(answer.body)["error"]


@pytest.mark.parametrize(
    ("model", "why"), [("models/fraud/model.onnx", "reads no radiographs"), (None, "there is no model.onnx")]
)
def test_what_is_no_reader_is_not_served(tmp_path: Path, model: str | None, why: str) -> None:
    (tmp_path / "model").mkdir()
    if model:
        shutil.copyfile(ROOT / model, tmp_path / "model" / "model.onnx")
    ended = run("serve", tmp_path, SAGEMAKER_BIND_TO_PORT=str(free_port()), CUATRO_MODEL="imaging")
    assert (ended.returncode, why in ended.stdout) == (1, True), ended.stdout


def test_serving_needs_no_package_of_training_nor_of_pictures() -> None:
    code = (
        "import sys, models.imaging.serving\n"
        "print(*({'torch', 'PIL', 'sklearn', 'scipy', 'pydicom', 'onnx'} & set(sys.modules)))"
    )
    environment = {"PYTHONPATH": f"{ROOT}:{ROOT / 'layers' / 'core' / 'python'}"}
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert ran.stdout.split() == []


def test_hyperparameters_are_checked() -> None:
    assert parameters({}) == Parameters()
    given = parameters({"seconds": '"60"', "runs": "3", "rate": "1e-3", "data_hash": "abc"})
    assert given == Parameters(seconds=60, runs=3, rate=1e-3, data_hash="abc")
    for wrong, why in (
        ({"layers": "3"}, "unknown hyperparameters layers"),
        ({"runs": "many"}, "runs='many' is no int"),
        ({"runs": "0"}, "from 1 to 16"),
        ({"rate": "nan"}, "rate='nan'"),
    ):
        with pytest.raises(ValueError, match=why):
            parameters(wrong)
    assert parameters({key: str(value) for key, value in HYPERPARAMETERS.items()}).runs == HYPERPARAMETERS["runs"]


def test_a_training_without_data_says_so(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="channel 'train' is missing, there is backbone"):
        train({"backbone": tmp_path}, {}, tmp_path)
    (tmp_path / "weights.pth").write_bytes(b"")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="one file is expected"):
        train({"train": tmp_path / "empty", "backbone": tmp_path / "weights.pth"}, {}, tmp_path)


@pytest.mark.parametrize("spot", [True, False])
def test_the_gpu_job_is_one_that_sagemaker_takes(spot: bool) -> None:
    image, role = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/cuatro:1", "arn:aws:iam::123456789012:role/training"
    job = training_job("cuatro-imaging", image, "bucket", role, spot=spot)
    shape = get_session().get_service_model("sagemaker").operation_model("CreateTrainingJob").input_shape
    assert not ParamValidator().validate(job, shape).has_errors()
    assert ("MaxWaitTimeInSeconds" in job["StoppingCondition"]) == spot
    assert job["EnableNetworkIsolation"]
    assert {each["ChannelName"] for each in job["InputDataConfig"]} == {"train", "backbone"}
    parameters(job["HyperParameters"])


def test_the_training_image_builds_on_the_models_image() -> None:
    lines = (SHIPPED / "Dockerfile").read_text()
    assert "ENV CUATRO_MODEL=imaging" in lines
    for source in ("models/imaging/requirements.txt",):
        assert f"COPY {source} " in lines
        assert (ROOT / source).exists()
    found = subprocess.run(
        [Path(sys.executable).parent / "hadolint", SHIPPED / "Dockerfile"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (found.returncode, found.stdout) == (0, "")
