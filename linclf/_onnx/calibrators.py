"""Nodes from scores to calibrated scores, whose softmax is calibrated; in float64."""

from functools import singledispatch
from typing import Any

import numpy as np

from linclf._onnx.graph import Graph, log_sigmoid, row_max, row_sum, two_columns
from linclf._types import LabelArray
from linclf.calibration import (
    AutomaticCalibration,
    DirichletCalibration,
    PerLabelCalibration,
    PlattScaling,
    TemperatureScaling,
    VectorScaling,
)

NEVER = -1e30  # the logarithm of a probability of 0 in decisions, as in `decisions_of`


@singledispatch
def mapped(calibrator: Any, graph: Graph, scores: str, n_classes: int) -> str:
    """Calibrated scores (n, K) from scores (n, K)."""
    raise TypeError(f"{calibrator!r} is a custom calibrator, and to_onnx supports only those of linclf")


@mapped.register
def _(calibrator: TemperatureScaling, graph: Graph, scores: str, n_classes: int) -> str:
    gaps = graph("Sub", scores, row_max(graph, scores))
    return graph("Div", gaps, np.array(float(calibrator.temperature_)))


@mapped.register
def _(calibrator: PlattScaling, graph: Graph, scores: str, n_classes: int) -> str:
    if n_classes == 2:
        gap = graph("Sub", graph.columns(scores, np.array([1])), graph.columns(scores, np.array([0])))
        return two_columns(graph, _affine(graph, calibrator, gap), np.float64)
    each = scores if calibrator.input == "scores" else _log_odds(graph, scores, n_classes)
    return log_sigmoid(graph, _affine(graph, calibrator, each), np.float64)


@mapped.register
def _(calibrator: VectorScaling, graph: Graph, scores: str, n_classes: int) -> str:
    return _affine(graph, calibrator, _coordinates(graph, calibrator, scores))


@mapped.register
def _(calibrator: DirichletCalibration, graph: Graph, scores: str, n_classes: int) -> str:
    seen = _coordinates(graph, calibrator, scores)
    return graph("Gemm", seen, calibrator.coef_, calibrator.intercept_, transB=1)


@mapped.register
def _(calibrator: AutomaticCalibration, graph: Graph, scores: str, n_classes: int) -> str:
    parts = []
    for weight, each in zip(calibrator.weights_, calibrator.calibrators_, strict=True):
        log_p = graph("LogSoftmax", mapped(each, graph, scores, n_classes), axis=1)
        parts.append(graph("Mul", log_p, np.array(float(weight))))
    return graph("Sum", *parts)


def log_odds_of_labels(calibrator: PerLabelCalibration, graph: Graph, scores: str, n_labels: int) -> str:
    """Calibrated log odds (n, n_labels) of several labels."""
    values, columns = graph.cast(scores, np.float64), []
    for label, each in enumerate(calibrator.calibrators_):
        pair = two_columns(graph, graph.columns(values, np.array([label])), np.float64)
        logs = graph("LogSoftmax", mapped(each, graph, pair, 2), axis=1)
        logs = graph("Max", logs, np.array(NEVER))
        yes, no = (graph.columns(logs, np.array([at])) for at in (1, 0))
        columns.append(graph("Sub", yes, no))
    return graph("Concat", *columns, axis=1)


def _affine(graph: Graph, calibrator: PlattScaling | VectorScaling, values: str) -> str:
    return graph("Add", graph("Mul", values, calibrator.coef_), calibrator.intercept_)


def _coordinates(graph: Graph, calibrator: VectorScaling | DirichletCalibration, scores: str) -> str:
    """Scores centred in each row, or unchanged logarithms of probabilities."""
    if calibrator.input != "scores":
        return scores
    gaps = graph("Sub", scores, row_max(graph, scores))
    return graph("Sub", gaps, graph("ReduceMean", gaps, np.array([1]), keepdims=1))


def _log_odds(graph: Graph, scores: str, n_classes: int) -> str:
    """``f_k - logsumexp_{j != k} f_j``."""
    f = graph("Sub", scores, row_max(graph, scores))
    is_first = graph("Equal", graph("ArgMax", f, axis=1, keepdims=1), np.arange(n_classes)[None])
    rest = graph("Where", is_first, np.array(0.0), graph("Exp", f))
    others = graph("Relu", graph("Sub", row_sum(graph, rest), rest))
    odds = graph("Sub", f, graph("Log", graph("Add", others, np.array(1.0))))
    without = graph("Where", is_first, np.array(-np.inf), f)
    second = row_max(graph, without)
    total = graph("Log", row_sum(graph, graph("Exp", graph("Sub", without, second))))
    return graph("Where", is_first, graph("Neg", graph("Add", total, second)), odds)


def log_probabilities_of(
    calibrator: Any, graph: Graph, scores: str, n_scored: int, classes: LabelArray
) -> tuple[str, str]:
    """Logarithms of calibrated probabilities of all classes, and the probabilities.

    Scores have one column for each class, or one for each class that the calibrator knows.
    """
    known = getattr(calibrator, "classes_", classes)
    at = np.searchsorted(classes, known)
    if len(known) == 1:  # one class has all the weight
        log_p, p = (graph.filled(scores, np.array(each)) for each in (0.0, 1.0))
    else:
        values = graph.cast(scores, np.float64)
        values = values if len(known) == n_scored else graph.columns(values, at)
        values = mapped(calibrator, graph, values, len(known))
        log_p, p = graph("LogSoftmax", values, axis=1), graph("Softmax", values, axis=1)
    if len(known) == len(classes):
        return log_p, p
    place = np.full(len(classes), len(known))
    place[at] = np.arange(len(known))

    def whole(found: str, absent: float) -> str:
        return graph.columns(graph("Concat", found, graph.filled(scores, np.array(absent)), axis=1), place)

    return whole(log_p, NEVER), whole(p, 0.0)
