"""What holds for every operation: unknown ones, bad bodies, missing and wrong parameters, who may call."""

from typing import Any

import pytest
from botocore.exceptions import ClientError


def code(call: Any, **arguments: Any) -> str:
    """Error code that a call ends with."""
    with pytest.raises(ClientError) as failed:
        call(**arguments)
    return str(failed.value.response["Error"]["Code"])


def test_an_operation_that_only_aws_serves_says_so(sagemaker: Any) -> None:
    with pytest.raises(ClientError, match="not served by the local platform") as failed:
        sagemaker.list_domains()
    assert failed.value.response["Error"]["Code"] == "UnknownOperationException"


def test_a_broken_constraint_is_told_in_aws_words(sagemaker: Any) -> None:
    with pytest.raises(ClientError, match="1 validation error detected: Value 'a b' at 'trainingJobName' failed"):
        sagemaker.describe_training_job(TrainingJobName="a b")
