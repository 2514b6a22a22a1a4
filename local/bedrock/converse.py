"""Converse: a prompt that asks for a post's sentiment -> one word of the project's own model, told as Bedrock does.

A double: no language model runs here. It understands the one prompt of cuatro.adapters.bedrock (a last message that is
JSON with `text`; any other message is taken for the post itself), counts tokens by length, and throttles as an
account's quota does. `additionalModelResponseFields` says what it is.
"""

import json
import os
import threading
import time
from math import ceil
from typing import Any

from local.aws.errors import AwsError
from local.aws.service import Input, Operation, Output, Service
from local.comprehend import reading

FAMILIES = ("amazon.nova-", "anthropic.claude-", "meta.llama", "mistral.")
"""Of models that answer Converse; with or without a region before them."""
LABELS = ("negative", "neutral", "positive")
TOKEN_CHARACTERS = 4
DOUBLE = "This is the local platform's double of Amazon Bedrock: the project's own classifier chose the word."
REQUESTS_A_MINUTE = 2_000
"""Amazon Nova Micro's default quota. CUATRO_BEDROCK_REQUESTS_A_MINUTE changes it."""


class Quotas:
    """Calls that an account may make, of each model: buckets that fill evenly and hold a minute's."""

    def __init__(self, _service: Service) -> None:
        self._most = float(os.environ.get("CUATRO_BEDROCK_REQUESTS_A_MINUTE", REQUESTS_A_MINUTE))
        self._buckets: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def take(self, model: str) -> None:
        """Raises ThrottlingException."""
        with self._lock:
            now = time.monotonic()
            left, at = self._buckets.get(model, (self._most, now))
            left = min(self._most, left + (now - at) * self._most / 60)
            if left < 1:
                text = "Too many requests, please wait before trying again."
                raise AwsError("ThrottlingException", text, 429)
            self._buckets[model] = left - 1, now


def converse(service: Service, given: Input) -> Output:
    """Converse."""
    began = time.monotonic()
    model = given["modelId"].rpartition("/")[2]
    if not any(family in model for family in FAMILIES):
        raise AwsError("ValidationException", "The provided model identifier is invalid.")
    service.part(Quotas).take(model)
    question = _question(given)
    text, language = _post(question)
    word = LABELS[1]
    if text.strip():
        (row,) = reading.asked(service, "sentiment", [text], language)
        word = LABELS[row.index(max(row))]
    most = given.get("inferenceConfig", {}).get("maxTokens", len(word))
    written = _tokens(word)
    prompts = "".join(each.get("text", "") for each in given.get("system", ())) + question
    read = _tokens(prompts)
    return {
        "output": {"message": {"role": "assistant", "content": [{"text": word[: most * TOKEN_CHARACTERS]}]}},
        "stopReason": "max_tokens" if written > most else "end_turn",
        "usage": {"inputTokens": read, "outputTokens": min(written, most), "totalTokens": read + min(written, most)},
        "metrics": {"latencyMs": int((time.monotonic() - began) * 1000)},
        "additionalModelResponseFields": {"double": DOUBLE},
    }


def _question(given: Input) -> str:
    """Text of the last message. Raises ValidationException for a conversation that is none."""
    messages = given.get("messages") or [{}]
    if messages[0].get("role") != "user":
        raise AwsError("ValidationException", "A conversation must start with a user message.")
    if messages[-1].get("role") != "user":
        raise AwsError("ValidationException", "The conversation must end with a user message.")
    text = "".join(each.get("text", "") for each in messages[-1]["content"])
    if not text.strip():
        raise AwsError("ValidationException", "The text field in the ContentBlock object is blank.")
    return text


def _post(question: str) -> tuple[str, str]:
    """(post, its language) of a question."""
    try:
        asked: Any = json.loads(question)
    except ValueError:
        return question, ""
    if not isinstance(asked, dict) or "text" not in asked:
        return question, ""
    return str(asked["text"]), str(asked.get("language", ""))


def _tokens(text: str) -> int:
    return ceil(len(text) / TOKEN_CHARACTERS)


OPERATIONS: dict[str, Operation] = {"Converse": converse}
