"""State of an execution that reads a study (JSON) -> what is known so far, checked: every step gets it and adds to it.

Ids are pseudonyms; nothing here could name a patient.
"""

from typing import Annotated, Any, Literal

import msgspec

from cuatro.errors import Rejected

Pseudonym = Annotated[str, msgspec.Meta(pattern=r"^[a-z2-7]{26}\Z")]
Code = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.:-]{1,64}\Z")]
Finding = Literal["normal", "pneumonia", "not_readable"]
Choice = Literal["pneumonia", "other_finding", "not_readable", "normal"]
CHOICES: tuple[Choice, ...] = ("pneumonia", "other_finding", "not_readable", "normal")
"""What a reader may decide, the most cautious first."""


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an instance: read by the model, or rejected with a code.

    probability: of a pneumonia, calibrated. distance: in feature space, from what the model was made for. why: codes.
    """

    instance: Pseudonym
    state: Literal["read", "rejected"]
    code: Code = "unknown"
    finding: Finding = "not_readable"
    probability: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    unsure: bool = True
    why: tuple[Code, ...] = ()
    model_version: str = ""
    distance: float | None = None


class Routing(msgspec.Struct, frozen=True, kw_only=True):
    """Where the study goes from its readings, and why."""

    route: Literal["report", "review", "nothing"]
    priority: Literal["routine", "urgent"] = "routine"
    why: tuple[Code, ...] = ()


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """One reader's decision, without the reader."""

    choice: Choice
    role: str = "read"
    reasons: tuple[Code, ...] = ()


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """What the queue answers. decided_at: RFC 3339."""

    outcome: Choice
    reasons: tuple[Code, ...] = ()
    reads: tuple[Read, ...] = ()
    agreed: bool = True


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """made_at: RFC 3339; the report itself has the study's own, shifted time. secondary: instances that have one."""

    made_at: str
    secondary: tuple[Pseudonym, ...] = ()


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """A re-identified object under results/. series, instance: UIDs of ours, not the sender's."""

    kind: Literal["sr", "sc"]
    key: str
    series: str
    instance: str
    sop_class: str = msgspec.field(name="class")


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """none: the sender wants nothing pushed. refused: objects that its server did not take, by its codes."""

    state: Literal["delivered", "refused", "none"]
    status: int = 0
    refused: int = 0


class Error(msgspec.Struct, frozen=True, kw_only=True):
    """The name of what was raised; the cause stays in the state machine."""

    error: Annotated[str, msgspec.Meta(max_length=100)] = "unknown"


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """expired: nobody reviewed it in time. undelivered: the sender's server did not answer."""

    study: Pseudonym
    revision: Annotated[int, msgspec.Meta(ge=1)]
    items: tuple[Item, ...] = ()
    routing: Routing | None = None
    review: Review | None = None
    report: Report | None = None
    results: tuple[Result, ...] = ()
    delivery: Delivery | None = None
    undelivered: dict[str, Any] | None = None
    expired: dict[str, Any] | None = None
    failed: Error | None = None

    @property
    def correlation(self) -> str:
        """The execution's name."""
        return f"{self.study}-{self.revision}"

    @property
    def read(self) -> tuple[Item, ...]:
        return tuple(each for each in self.items if each.state == "read")

    @property
    def rejected(self) -> tuple[Item, ...]:
        return tuple(each for each in self.items if each.state == "rejected")


def progress_of(event: dict[str, Any]) -> Progress:
    """Raises Rejected, which names the field and quotes no value."""
    try:
        return msgspec.convert(event, Progress)
    except msgspec.ValidationError as error:
        place = str(error).rpartition(" - at ")[2].strip("`$.")
        raise Rejected(f"the state of the reading is damaged at {place:.80}", place[:80], "invalid_value") from None


def more(event: dict[str, Any], **added: Any) -> dict[str, Any]:
    """What a step answers: all that it got, and what it adds."""
    return {**event, **{name: msgspec.to_builtins(value) for name, value in added.items()}}
