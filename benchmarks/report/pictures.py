"""What the pictures show; `drawing` draws them, which needs matplotlib."""

from typing import NamedTuple

Points = dict[str, list[tuple[float, float]]]  # the points of each line, by its label


class Paths(NamedTuple):
    """Distance to the optimum against seconds, both logarithmic, one line for each method."""

    title: str
    points: Points


class Scatter(NamedTuple):
    """Test accuracy against seconds, one labelled point for each model."""

    title: str
    points: dict[str, tuple[float, float, bool]]  # seconds, accuracy, whether the model is linclf's


class Dots(NamedTuple):
    """Distances left, one row for each data set, and a line at the bar."""

    title: str
    groups: dict[str, dict[str, float]]  # series -> data set -> distance
    bar: float


class Lines(NamedTuple):
    """One line for each method, both axes logarithmic."""

    title: str
    across: str
    up: str
    points: Points


Picture = Paths | Scatter | Dots | Lines
