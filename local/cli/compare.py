"""`cuatro compare sentiment`: backends side by side on a file of labelled posts."""

import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cuatro.prices import AS_OF
from local.cli.console import out, steps
from local.cli.options import StateDir, TargetName
from local.platform.account import ACCESS_KEY, SECRET_KEY
from local.platform.errors import PlatformError
from local.platform.process import STATE

if TYPE_CHECKING:
    from local.comparison.candidates import Prices
    from local.comparison.measured import Measured
    from local.comparison.posts import Labelled
    from local.platform.client import Connection, Target

Tell = Callable[[float], None]

app = typer.Typer(no_args_is_help=True, help="What a pipeline could be answered by, side by side.")


@app.callback()
def compare() -> None:
    """Keeps `sentiment` a command of its own."""


@app.command()
def sentiment(  # noqa: PLR0913, PLR0917 - a parameter is an option of the command
    file: Annotated[Path, typer.Argument(help='JSON Lines of {"text", "label", "language"?}.')],
    backends: Annotated[
        str,
        typer.Option(help="With commas between them: onnx, comprehend, sagemaker:<endpoint>, huggingface:<endpoint>, "
                          "blazingtext:<endpoint>; each may go on with +bedrock:<model id> for its unsure posts."),
    ] = "onnx,comprehend",
    limit: Annotated[int | None, typer.Option(min=1, help="So many posts, evenly over the file.")] = None,
    budget: Annotated[float, typer.Option(min=0, help="USD that second opinions may cost here.")] = 1.0,
    instance: Annotated[str, typer.Option(help="Of an endpoint, for its price.")] = "ml.m5.large",
    posts_an_hour: Annotated[float, typer.Option(min=1, help="That an endpoint would get.")] = 10_000,
    save: Annotated[Path | None, typer.Option("--out", help="JSON with everything that was measured.")] = None,
    target: TargetName = None,
    state: StateDir = STATE,
) -> None:  # fmt: skip
    """Quality, latency and list price of classifiers of sentiment.

    Quality: macro recall, macro F1, accuracy, calibration, by class and by
    language. Latency: of calls with one post. Price: of 1,000 posts like these.
    On AWS the services that are named are paid for.
    """
    from local.comparison.candidates import Prices  # noqa: PLC0415 - these take long to import
    from local.comparison.table import show  # noqa: PLC0415

    names = list(dict.fromkeys(name.strip() for name in backends.split(",") if name.strip()))
    if not names:
        raise PlatformError("No backend is named.", "Give --backends, such as onnx,comprehend.")
    posts = _posts(file, limit)
    services = [name for name in names if _remote(name)]
    local = _reached(state, target) if services else False
    prices = Prices(budget, instance, posts_an_hour)
    found = []
    with steps() as tell:
        for name in names:
            doing = f"Classifying {len(posts):,} posts: {name}"
            tell(doing, None)
            found.append(_measured(name, prices, posts, partial(tell, doing)))
    show(out, found, local)
    if save:
        told = {"services": "local platform" if local else "AWS" if services else "none",
                "prices_as_of": AS_OF, "backends": [each.told() for each in found]}  # fmt: skip
        save.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


def _remote(name: str) -> bool:
    from cuatro.config import Misconfigured  # noqa: PLC0415
    from local.comparison.candidates import known, remote  # noqa: PLC0415

    try:
        return remote(name)
    except Misconfigured as error:
        raise PlatformError(str(error), f"There are: {', '.join(known())}.") from error


def _posts(file: Path, limit: int | None) -> "list[Labelled]":
    from functions.sentiment.language import detect  # noqa: PLC0415 - takes long to import
    from local.comparison.posts import UnreadableError, read  # noqa: PLC0415

    try:
        return read(file, detect, limit)
    except (OSError, UnreadableError) as error:
        raise PlatformError(str(error), 'Give a file of JSON Lines: {"text": ..., "label": "negative"}.') from error


def _measured(name: str, prices: "Prices", posts: "list[Labelled]", tell: Tell) -> "Measured":
    from cuatro.config import Misconfigured  # noqa: PLC0415
    from cuatro.errors import ModelMismatch, Refused, Unavailable  # noqa: PLC0415
    from local.comparison.candidates import candidate, known  # noqa: PLC0415
    from local.comparison.measured import measured  # noqa: PLC0415

    try:
        return measured(candidate(name, prices), posts, tell)
    except Misconfigured as error:
        raise PlatformError(f"{name}: {error}", f"There are: {', '.join(known())}.") from error
    except (ModelMismatch, OSError, Refused, Unavailable) as error:
        advice = "`cuatro status` shows what answers here; --backends chooses who is asked."
        raise PlatformError(f"{name}: {error}", advice) from error


def _reached(state: Path, target: "Target | None") -> bool:
    """The adapters of this process reach the target, as a function does by its environment. Is it the platform?"""
    from local.platform.client import connect  # noqa: PLC0415 - takes long to import

    found: Connection = connect(target, state)
    if found.endpoint:
        own = {"ENDPOINT_URL": found.endpoint, "ACCESS_KEY_ID": ACCESS_KEY, "SECRET_ACCESS_KEY": SECRET_KEY,
               "REGION": found.region, "DEFAULT_REGION": found.region}  # fmt: skip
        os.environ |= {f"AWS_{name}": value for name, value in own.items()}
        os.environ.pop("AWS_SESSION_TOKEN", None)
    else:
        os.environ.setdefault("AWS_DEFAULT_REGION", found.region)
    return found.endpoint is not None
