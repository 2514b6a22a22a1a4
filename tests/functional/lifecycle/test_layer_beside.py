"""A roll-out's layer has what a model cannot be used without: its tokenizer, the same one for both models."""

import hashlib
import io
import tarfile

import pytest

from cuatro.errors import Rejected
from functions.lifecycle.rollout import layer
from tests.functional.lifecycle.deployment import Deployment

TOKENIZER = "tokenizer.model"


def archived(**files: bytes) -> bytes:
    """model.tar.gz; names with _ for their dot."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"./{name.replace('_', '.')}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


def put(deployment: Deployment, challenger: bytes, tokenizer: bytes) -> str:
    """Archives of the shipped model and of an approved version, with these tokenizers; the version's ARN."""
    shipped = archived(model_onnx=b"shipped", tokenizer_model=b"pieces", metrics_json=b"{}")
    deployment.s3.put_object(Bucket="lake", Key="shipped/model.tar.gz", Body=shipped)
    arn = deployment.challenger(content=challenger)
    body = archived(model_onnx=challenger, tokenizer_model=tokenizer, golden_json=b"[]")
    deployment.s3.put_object(Bucket="lake", Key="fraud/models/v-1/model.tar.gz", Body=body)
    return arn


def test_the_tokenizer_lies_beside_both_models(deployment: Deployment) -> None:
    arn = put(deployment, b"challenger", b"pieces")
    deployment.act("begin", model_package_arn=arn)
    deployment.act("shadow")
    files = deployment.files("score")
    assert (files[TOKENIZER], files["model.onnx"], files["shadow.onnx"]) == (b"pieces", b"shipped", b"challenger")
    assert files["model.onnx.sha256"].decode().strip() == hashlib.sha256(b"shipped").hexdigest()
    assert set(files) == {
        TOKENIZER,
        *(f"{name}{end}" for name in ("model.onnx", "shadow.onnx") for end in ("", ".sha256")),
    }


def test_a_model_with_another_tokenizer_changes_nothing(deployment: Deployment) -> None:
    arn = put(deployment, b"challenger", b"other pieces")
    deployment.act("begin", model_package_arn=arn)
    with pytest.raises(Rejected, match="and the challenger's differ"):
        deployment.act("shadow")
    assert deployment.alias("score") == ("1", {})


def test_models_without_anything_beside_them_are_as_they_were() -> None:
    found = layer.unpacked(archived(model_onnx=b"m", golden_json=b"[]"), "s3://lake/x")
    assert (found.model, dict(found.beside)) == (b"m", {})


def test_only_files_beside_the_model_itself_are_taken() -> None:
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w:gz") as tar:
        for name in ("model.onnx", "else/tokenizer.model", "else/model.onnx"):
            entry = tarfile.TarInfo(name)
            entry.size = 1
            tar.addfile(entry, io.BytesIO(name[:1].encode()))
    found = layer.unpacked(body.getvalue(), "s3://lake/x")
    assert (found.model, dict(found.beside)) == (b"m", {})


def test_model_and_tokenizer_together_must_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer, "LARGEST", 10)
    with pytest.raises(Rejected, match="more than 10 bytes"):
        layer.unpacked(archived(model_onnx=b"123456", tokenizer_model=b"12345"), "s3://lake/x")
