"""Message -> the terminal: one way for every command to speak, fail and show that it works."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from local.platform.deployment import Tell
from local.platform.errors import PlatformError

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def show_error(error: PlatformError) -> None:
    """What went wrong, the end of the log if there is one, and the next step."""
    if error.log:
        err.print(Panel(escape(error.log), title="end of the log", border_style="dim"))
    err.print(f"[bold red]{escape(str(error))}[/]")
    err.print(f"[bold]Next:[/] {escape(error.advice)}")


@contextmanager
def steps() -> Iterator[Tell]:
    """A line for each step: spinner, bar where the share is known, seconds."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=30), TimeElapsedColumn())
    with Progress(*columns, console=out, transient=not out.is_terminal) as progress:
        tasks: dict[str, int] = {}

        def tell(doing: str, share: float | None) -> None:
            if doing not in tasks:
                tasks[doing] = progress.add_task(doing, total=None)
                if not out.is_terminal:
                    out.print(f"{doing} ...")
            if share is not None:
                progress.update(tasks[doing], total=1.0, completed=share)  # type: ignore[arg-type]

        yield tell
        for task in tasks.values():
            progress.update(task, total=1.0, completed=1.0)  # type: ignore[arg-type]
