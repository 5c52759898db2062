"""Nodes from scores to the probabilities of a loss."""

from functools import singledispatch
from typing import Any

import numpy as np

from linclf._onnx.graph import Graph, log_sigmoid, row_max, row_sum
from linclf.losses import Entmax, Focal, OneVsRestLogistic, Softmax, Sparsemax
from linclf.losses.labels import LogisticOfLabels
from linclf.losses.margin import ArcFace, CosFace, NormFace, SphereFace


@singledispatch
def probabilities_of(loss: Any, graph: Graph, scores: str, n_classes: int) -> str:
    """Probabilities (n, n_classes) from scores (n, n_classes)."""
    raise TypeError(f"{type(loss).__name__} is a custom loss, and to_onnx supports only the losses of linclf")


@probabilities_of.register
def _(loss: Softmax, graph: Graph, scores: str, n_classes: int) -> str:
    if loss.temperature != 1:
        scores = graph("Div", scores, graph.number(loss.temperature))
    return graph("Softmax", scores, axis=1)


@probabilities_of.register(Focal)
@probabilities_of.register(NormFace)
@probabilities_of.register(CosFace)
@probabilities_of.register(ArcFace)
@probabilities_of.register(SphereFace)
def _(loss: Any, graph: Graph, scores: str, n_classes: int) -> str:
    return graph("Softmax", scores, axis=1)


@probabilities_of.register
def _(loss: OneVsRestLogistic, graph: Graph, scores: str, n_classes: int) -> str:
    return graph("Softmax", log_sigmoid(graph, scores), axis=1)


@probabilities_of.register
def _(loss: LogisticOfLabels, graph: Graph, scores: str, n_classes: int) -> str:
    return graph("Sigmoid", scores)


@probabilities_of.register
def _(loss: Sparsemax, graph: Graph, scores: str, n_classes: int) -> str:
    return _sparsemax(graph, scores, n_classes)


@probabilities_of.register
def _(loss: Entmax, graph: Graph, scores: str, n_classes: int) -> str:
    if loss.alpha == 2:
        return _sparsemax(graph, scores, n_classes)
    if loss.alpha != 1.5:
        raise ValueError(
            f"entmax with alpha={loss.alpha} has no finite graph; to_onnx takes alpha=1.5 and 2 (sparsemax)"
        )
    return _entmax_of_halves(graph, scores, n_classes)


def _sorted(graph: Graph, scores: str, n_classes: int, factor: float) -> tuple[str, str, str]:
    """Scaled gaps to the largest score, the same sorted, and their running sums; in float64."""
    gaps = graph.cast(scores, np.float64)
    gaps = graph("Mul", graph("Sub", gaps, row_max(graph, gaps)), np.array(factor))
    z, _ = graph.two("TopK", gaps, np.array([n_classes]), axis=1)
    return gaps, z, graph("CumSum", z, np.array(1))


def _at_last(graph: Graph, values: str, is_in: str) -> str:
    """The values (n, K) at the last column of the support, which is a prefix of the columns."""
    count = row_sum(graph, graph.cast(is_in, np.int64))
    return graph("GatherElements", values, graph("Sub", count, np.array(1)), axis=1)


def _sparsemax(graph: Graph, scores: str, n_classes: int) -> str:
    gaps, z, sums = _sorted(graph, scores, n_classes, 1.0)
    counts = np.arange(1.0, n_classes + 1)
    is_in = graph("Greater", graph("Add", graph("Mul", z, counts), np.array(1.0)), sums)
    thresholds = graph("Div", graph("Sub", sums, np.array(1.0)), counts)
    p = graph("Relu", graph("Sub", gaps, _at_last(graph, thresholds, is_in)))
    return graph.cast(p, graph.dtype)


def _entmax_of_halves(graph: Graph, scores: str, n_classes: int) -> str:
    """1.5-entmax: ``max(0, f / 2 - tau)^2``, with tau from the mean and variance of the largest scores."""
    gaps, z, sums = _sorted(graph, scores, n_classes, 0.5)
    counts = np.arange(1.0, n_classes + 1)
    mean = graph("Div", sums, counts)
    of_squares = graph("Div", graph("CumSum", graph("Mul", z, z), np.array(1)), counts)
    variance = graph("Sub", of_squares, graph("Mul", mean, mean))
    left = graph("Relu", graph("Sub", 1 / counts, variance))
    thresholds = graph("Sub", mean, graph("Sqrt", left))
    is_in = graph("LessOrEqual", thresholds, z)
    root = graph("Relu", graph("Sub", gaps, _at_last(graph, thresholds, is_in)))
    return graph.cast(graph("Mul", root, root), graph.dtype)
