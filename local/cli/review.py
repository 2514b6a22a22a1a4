"""`cuatro review`: what waits for people, taken, looked at and decided on the command line -> the queue's API."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from local.cli.console import out
from local.cli.options import StateDir, TargetName
from local.platform.client import Target
from local.platform.process import STATE

if TYPE_CHECKING:
    from local.feed.reviews import Reviews

app = typer.Typer(no_args_is_help=True, help="Review what a model was unsure of, or found.")
Task = Annotated[str, typer.Argument(help="The task's id; the first letters do while it waits.")]
Who = Annotated[str, typer.Option("--as", help="The reviewer. Default: whoever the AWS credentials are.")]
Queue = Annotated[str, typer.Option(help="Whose tasks.")]
Kind = Annotated[str, typer.Option(help="Of one kind only.")]
_COLOURS = {"open": "green", "second_read": "cyan", "adjudication": "magenta", "leased": "yellow"}


@app.command("list")
def list_(
    queue: Queue = "imaging",
    state: Annotated[
        str,
        typer.Option(
            "--in", help="open, second_read, adjudication, leased, done, expired or cancelled. Default: waiting."
        ),
    ] = "",
    who: Who = "",
    target: TargetName = None,
    directory: StateDir = STATE,
) -> None:
    """Show tasks, the most urgent first."""
    tasks = list(_reviews(who, target, directory).tasks(queue, state))
    if not tasks:
        out.print(f"Nothing {state or 'waits'} in {escape(queue)}.")
        return
    table = Table("task", "kind", "subject", "priority", "state", "due", "yours?")
    for each in tasks:
        lease = each["lease"]
        yours = "you have it" if lease and lease["yours"] else "may take it" if each["open_to_you"] else "-"
        due = f"[red]{_time(each['due'])}[/]" if each["overdue"] else _time(each["due"])
        colour = _COLOURS.get(each["state"], "dim")
        table.add_row(
            each["task"][:8], each["kind"], each["subject"][:8], each["priority"], f"[{colour}]{each['state']}[/]", due,
            yours,
        )  # fmt: skip
    out.print(table)
    out.print("[bold]Next:[/] `cuatro review lease TASK` takes one, `cuatro review show TASK` looks at it.")


@app.command()
def show(
    task: Task,
    pictures: Annotated[Path | None, typer.Option(help="Save the pictures of a task that you hold there.")] = None,
    who: Who = "",
    target: TargetName = None,
    directory: StateDir = STATE,
) -> None:
    """Show a task: what the model made of it, what may be decided, and why."""
    reviews = _reviews(who, target, directory)
    found = reviews.show(_named(reviews, task))
    _tell(found)
    if pictures:
        from local.feed.reviews import saved  # noqa: PLC0415 - boto3 takes long to import

        for path in saved(found, pictures):
            out.print(f"Saved {path}", soft_wrap=True)
    elif any(each["url"] for each in found["attachments"]):
        out.print("[bold]Next:[/] `cuatro review show TASK --pictures FOLDER` saves the pictures.")


@app.command()
def lease(task: Task, who: Who = "", target: TargetName = None, directory: StateDir = STATE) -> None:
    """Take a task: nobody else can, for a quarter of an hour. Taking it again begins anew."""
    reviews = _reviews(who, target, directory)
    taken = reviews.lease(_named(reviews, task))
    out.print(f"[green]Yours[/] until {_time(taken['lease']['until'])} UTC.")
    _tell(reviews.show(taken["task"]))
    out.print("[bold]Next:[/] `cuatro review decide TASK CHOICE --reason CODE`")


@app.command()
def release(task: Task, who: Who = "", target: TargetName = None, directory: StateDir = STATE) -> None:
    """Give a task back undecided."""
    reviews = _reviews(who, target, directory)
    reviews.release(_named(reviews, task))
    out.print("Given back.")


@app.command()
def decide(  # noqa: PLR0913, PLR0917 - a parameter is an option of the command
    task: Task,
    choice: Annotated[str, typer.Argument(help="One of the task's choices.")],
    reason: Annotated[list[str] | None, typer.Option(help="A code of the task's; several may be given.")] = None,
    note: Annotated[str, typer.Option(help="For other reviewers; it leaves the queue nowhere.")] = "",
    who: Who = "",
    target: TargetName = None,
    directory: StateDir = STATE,
) -> None:
    """Decide a task that you hold. Whatever waits for it goes on at once, or when everybody asked has read it."""
    reviews = _reviews(who, target, directory)
    answer = reviews.decide(_named(reviews, task), choice, reason or [], note)
    said = {"done": "It is decided.", "second_read": "Another reader is asked.",
            "adjudication": "The readers differ: somebody else adjudicates."}  # fmt: skip
    what = "[green]Taken.[/]" if answer["changed"] else "You had said so already."
    out.print(f"{what} {said.get(answer['state'], '')}")


@app.command()
def agreement(
    queue: Queue = "imaging",
    kind: Kind = "",
    as_json: Annotated[bool, typer.Option("--json", help="As the API tells it.")] = False,
    target: TargetName = None,
    directory: StateDir = STATE,
) -> None:
    """Show how far readers agree, with each other and with the model, beyond chance (kappa)."""
    told = _reviews("", target, directory).agreement(queue, kind)
    if as_json:
        out.print_json(json.dumps(told))
        return
    outcomes = ", ".join(f"{number} {choice}" for choice, number in told["outcomes"].items()) or "nothing yet"
    out.print(f"{told['tasks']:,} decided: {outcomes}; readers differed in {told['disagreements']:,}.")
    table = Table("between", "tasks", "alike", "kappa", "95 % interval")
    for number, each in told["readers"].items():
        table.add_row(f"{number} readers (Fleiss)", *_kappa(each))
    for each in told["pairs"]:
        table.add_row(f"{escape(' and '.join(each['readers']))} (Cohen)", *_kappa(each))
    table.add_row("model and people (Cohen)", *_kappa(told["model"]))
    out.print(table)
    if told["overruled"] is not None:
        out.print(f"People overruled the model in {told['overruled']:.0%}; median time {told['median_s'] or 0:.0f} s.")
    for code, number in told["reasons"].items():
        out.print(f"  {number:>6,}  {code}")


@app.command()
def export(  # noqa: PLR0913, PLR0917 - as above
    file: Annotated[Path, typer.Argument(help="JSON Lines to write; with --images a zip file.")],
    images: Annotated[
        bool,
        typer.Option("--images", help="The pictures too, in a folder for each label: what training reads."),
    ] = False,
    queue: Queue = "imaging",
    kind: Kind = "",
    target: TargetName = None,
    directory: StateDir = STATE,
) -> None:
    """Write what people decided, to train with: the label, what the model had said, and where the pictures lie."""
    labels = list(_reviews("", target, directory).labels(queue, kind))
    if images:
        from local.feed.labels_zip import written  # noqa: PLC0415 - boto3 takes long to import
        from local.platform.client import connect  # noqa: PLC0415

        number = written(connect(target, directory), labels, file)
        out.print(f"[green]Pictures: {number:,}[/], of {len(labels):,} labels, in {file}", soft_wrap=True)
        return
    file.write_text("".join(json.dumps(each, ensure_ascii=False) + "\n" for each in labels), encoding="utf-8")
    out.print(f"[green]{len(labels):,} labels[/] in {file}", soft_wrap=True)


def _tell(task: dict[str, Any]) -> None:
    out.print(
        f"[bold]{task['task']}[/]  {task['kind']} of {task['subject']}: {task['state']}, due {_time(task['due'])}"
    )
    if task["suggested"]:
        out.print(f"The model says [bold]{task['suggested']}[/].")
    out.print_json(json.dumps(task["payload"]))
    out.print(f"choices: {', '.join(task['choices'])}")
    out.print(f"reasons: {', '.join(task['reasons']) or '-'}")
    for vote in task["votes"]:
        who = vote["reviewer"] or f"reader {vote['reader']}"
        why = f" ({', '.join(vote['reasons'])})" if vote["reasons"] else ""
        out.print(f"{escape(who)}: [bold]{vote['choice']}[/]{why} {escape(vote['note'])}")
    if task["outcome"]:
        out.print(f"Outcome: [bold]{task['outcome']['choice']}[/]")
    pictures = task["attachments"]
    if pictures:
        links = "" if any(each["url"] for each in pictures) else ", for whoever holds the task"
        out.print(f"{len(pictures)} picture{'s' if len(pictures) > 1 else ''}{links}")


def _named(reviews: "Reviews", task: str) -> str:
    """The whole id of a task of which the first letters are given."""
    if len(task) >= 26:
        return task
    found = [each["task"] for each in reviews.tasks() if each["task"].startswith(task)]
    return found[0] if len(found) == 1 else task


def _kappa(each: dict[str, Any]) -> tuple[str, str, str, str]:
    interval = "-" if each["interval"] is None else "{:.2f} to {:.2f}".format(*each["interval"])
    kappa = "-" if each["kappa"] is None else f"{each['kappa']:.2f}"
    return str(each["tasks"]), "-" if each["agree"] is None else f"{each['agree']:.0%}", kappa, interval


def _time(text: str) -> str:
    return text[:16].replace("T", " ")


def _reviews(who: str, target: Target | None, directory: Path) -> "Reviews":
    from local.feed.reviews import Reviews  # noqa: PLC0415 - boto3 takes long to import
    from local.platform.client import connect  # noqa: PLC0415

    return Reviews(connect(target, directory), who)
