"""Versions that somebody registers by hand: what a retraining would never make, or not so fast."""

from pathlib import Path
from typing import Any

from tests import registration
from tests.functional import tiny_model
from tests.retraining.story import Story


class Packages:
    """The model package group of the deployment. Models of `tiny` give every transaction the same score."""

    def __init__(self, story: Story) -> None:
        self._story = story

    def tiny(self, directory: Path, name: str, margin: float) -> bytes:
        """An ONNX file of this version; the score is the sigmoid of the margin."""
        return tiny_model.save(directory / f"{name}.onnx", {}, margin, version=name).read_bytes()

    def register(self, name: str, model: bytes, **given: Any) -> str:
        """ARN of a version with this file; given: sha256, approval."""
        return registration.register(self._story.control, self._story.live().arn, name, model, **given)
