"""Lines of a person's file -> the terminal: how many were read, which are bad and why."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from local.cli.console import err
from local.platform.errors import PlatformError

PROBLEMS_SHOWN = 20


@contextmanager
def readable() -> Iterator[None]:
    """A file that cannot be read ends the command with the next step."""
    from local.feed.rows import UnreadableError  # noqa: PLC0415

    try:
        yield
    except UnreadableError as error:
        raise PlatformError(str(error), "Give a JSON Lines, CSV or Parquet file, or - for standard input.") from error


@contextmanager
def counted(what: str) -> Iterator[Callable[[int], None]]:
    """A line that counts up while a file is read; nothing in a log, where the result is enough."""
    columns = (SpinnerColumn(), TextColumn("{task.completed:,.0f} {task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task(what, total=None)
        yield lambda more: progress.advance(task, more)


def tell_problems(bad: list[tuple[int, str]]) -> None:
    """The first bad lines, each with why."""
    for number, problem in bad[:PROBLEMS_SHOWN]:
        err.print(f"[yellow]line {number}:[/] {escape(problem)}", soft_wrap=True)
    if len(bad) > PROBLEMS_SHOWN:
        err.print(f"... and {len(bad) - PROBLEMS_SHOWN:,} more.")
