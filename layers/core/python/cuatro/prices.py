"""What classifying costs by AWS's list prices, in USD, in one place: us-east-1, on demand, as of AS_OF.

Prices change; a budget holds by these figures, and the month's bill is AWS's. Comprehend's and Nova's were looked up at
AS_OF; Lambda's, SageMaker's and Claude's are those that their price pages had before, not looked up again.
"""

import re
from math import ceil
from typing import NamedTuple

AS_OF = "2026-05"

COMPREHEND_UNIT = 0.0001
"""Of 100 characters, the first 10 million units of a month."""
COMPREHEND_CHARACTERS, COMPREHEND_LEAST_UNITS = 100, 3
"""A unit's characters, and how many units each text costs at least."""

LAMBDA_GB_S, LAMBDA_REQUEST = 0.0000166667, 0.0000002
"""x86_64, the first tier."""

ENDPOINT_HOUR = {"ml.t2.medium": 0.056, "ml.m5.large": 0.115, "ml.c5.large": 0.102, "ml.g4dn.xlarge": 0.736}
"""Of a real-time endpoint with one instance: paid while it is there, asked or not."""


class Tokens(NamedTuple):
    """USD of a million tokens, read and written."""

    read: float
    written: float

    def cost(self, read: int, written: int) -> float:
        """USD of so many tokens."""
        return (read * self.read + written * self.written) / 1_000_000


BEDROCK = {
    "amazon.nova-micro-v1:0": Tokens(0.035, 0.14),
    "amazon.nova-lite-v1:0": Tokens(0.06, 0.24),
    "amazon.nova-pro-v1:0": Tokens(0.8, 3.2),
    "anthropic.claude-3-haiku-20240307-v1:0": Tokens(0.25, 1.25),
}
"""By model id, without the region of an inference profile (us., eu., ...)."""
_REGION = re.compile(r"^(us|us-gov|eu|apac|jp|au|ca|sa|global)\.")


def bedrock(model_id: str) -> Tokens | None:
    """Prices of a model, also by its inference profile; None where they are not known here."""
    return BEDROCK.get(_REGION.sub("", model_id.rpartition("/")[2]))


def comprehend(characters: int) -> float:
    """USD of one text's sentiment."""
    return COMPREHEND_UNIT * max(COMPREHEND_LEAST_UNITS, ceil(characters / COMPREHEND_CHARACTERS))


def compute(seconds: float, memory_mb: int) -> float:
    """USD of so much of a Lambda function's time, without its requests."""
    return seconds * memory_mb / 1024 * LAMBDA_GB_S


def endpoint(instance: str, posts_an_hour: float) -> float:
    """USD a post of an endpoint that is asked so often. Raises KeyError for an instance without a price here."""
    return ENDPOINT_HOUR[instance] / posts_an_hour
