"""`cuatro COMMAND` -> the command's function; what goes wrong ends with the reason and the next step."""

import sys
from typing import Any

import typer
from typer.core import TyperGroup

from local.cli import audit, brand, catalog, compare, erase, posts, review, search, send, senders, study
from local.cli.backfill import backfill
from local.cli.console import show_error
from local.cli.demo import demo
from local.cli.drop import drop
from local.cli.experiment import experiment
from local.cli.logs import logs
from local.cli.models import drift, models, retrain, rollback
from local.cli.personalize import personalize
from local.cli.platform import down, status, up
from local.cli.poll import poll
from local.cli.relay import relay
from local.cli.replay import replay
from local.platform.errors import PlatformError


class Commands(TyperGroup):
    """The commands, with one place where their errors end."""

    def invoke(self, ctx: Any) -> Any:
        """Runs the command; PlatformError and AWS errors become a message and exit status 1."""
        try:
            return super().invoke(ctx)
        except PlatformError as error:
            show_error(error)
        except Exception as error:
            if not _is_aws(error):
                raise
            show_error(
                PlatformError(str(error), "`cuatro status` shows whether the platform answers and what is deployed.")
            )
        raise typer.Exit(1)


def _is_aws(error: Exception) -> bool:
    """Whether botocore raised it; botocore is not imported for the question."""
    exceptions = sys.modules.get("botocore.exceptions")
    return exceptions is not None and isinstance(error, (exceptions.BotoCoreError, exceptions.ClientError))


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    help="Four AI pipelines on AWS, and on your laptop. Begin with `cuatro demo`.",
)
app.command()(demo)
app.command()(up)
app.command()(down)
app.command()(status)
app.command()(logs)
app.add_typer(send.app, name="send")
send.app.command()(study.study)
app.command()(study.studies)
app.command()(drop)
app.command()(relay)
app.add_typer(senders.app, name="sender")
app.add_typer(review.app, name="review")
app.add_typer(audit.app, name="audit")
app.add_typer(erase.app, name="erase")
app.add_typer(catalog.app, name="catalog")
app.add_typer(brand.app, name="brand")
app.command()(poll)
app.command()(posts.label)
app.add_typer(compare.app, name="compare")
app.add_typer(search.app, name="search")
app.command()(replay)
app.command()(backfill)
app.command()(models)
app.command()(retrain)
app.command()(rollback)
app.command()(drift)
app.command()(experiment)
app.command()(personalize)

if __name__ == "__main__":
    app()
