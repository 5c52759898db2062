"""A question: its text, its measurement, its result, and the marks that judge it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, NotRequired, TypedDict

from benchmarks.report.pictures import Picture

Row = dict[str, Any]  # one measurement: its name, then its figures, or "absent": why there are none


class Measurements(TypedDict):
    """What ``run`` of a question returns; it must fit into JSON."""

    data: list[dict[str, Any]]  # name, source and size of each data set
    settings: dict[str, Any]
    rows: list[Row]
    absent: NotRequired[dict[str, str]]  # package -> why it cannot be imported


class Result(Measurements):
    """A file in results/: the measurements, and the facts needed to judge them."""

    question: str
    date: str
    quick: bool
    seconds: float
    machine: dict[str, Any]
    versions: dict[str, str | None]


class NotMeasured(Exception):
    """The result lacks what a mark needs; the message says why."""


class Mark(NamedTuple):
    """A target, and how a result is judged by it."""

    work: str
    bar: str
    judge: Callable[
        [Result], tuple[str, bool]
    ]  # what was measured, and whether it meets the bar; NotMeasured


def no_pictures(result: Result) -> dict[str, Picture]:
    return {}


@dataclass(frozen=True)
class Question:
    """One section of docs/benchmarks.md; a module in questions/ defines it as ``QUESTION``."""

    title: str
    asks: str | None  # the docstring of its module
    run: Callable[[bool], Measurements]  # takes whether the run is quick
    table: Callable[[Result], str]  # Markdown, from the stored result alone
    marks: Sequence[Mark] = ()
    pictures: Callable[[Result], dict[str, Picture]] = no_pictures  # by the name of their file


def row_of(result: Result, **conditions: Any) -> Row:
    """The row of a result with these values.

    Raises
    ------
    NotMeasured
        If there is none, or if it has only the reason why it is absent.
    """
    named = [str(value) for value in conditions.values()]
    for row in result["rows"]:
        if all(row.get(key) == value for key, value in conditions.items()):
            if "absent" in row:
                raise NotMeasured(f"{'/'.join(named)} absent: {row['absent']}")
            return row
    raise NotMeasured(f"no measurement of {', '.join(named)}")


def require(value: float | None, what: str) -> float:
    """The value; raises NotMeasured if it is None."""
    if value is None:
        raise NotMeasured(f"no measurement of {what}")
    return value
