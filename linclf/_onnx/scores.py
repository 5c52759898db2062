"""Nodes from rows to scores, for each kind of model and head."""

from functools import singledispatch
from typing import Any

import numpy as np

from linclf._onnx.graph import Graph, floats, intercepts, log_sigmoid, row_sum, two_columns
from linclf._training.model import LinearModel
from linclf.heads import Cosine, Linear, StandardisedCosine
from linclf.large._base import ProjectedModel
from linclf.large._clusters import ClusteredModel
from linclf.large.hierarchical import TreeModel


@singledispatch
def scores_of(model: Any, graph: Graph, rows: str) -> str:
    """Scores (n, n_classes), or (n, 1) for two classes."""
    raise TypeError(f"{model!r} has no ONNX graph")


@scores_of.register
def _(model: LinearModel, graph: Graph, rows: str) -> str:
    W, b = floats(model.W, graph.dtype), intercepts(model.b, graph.dtype)
    return divided(model.head, graph, graph("Gemm", rows, W, b, transB=1), rows)


@scores_of.register
def _(model: ProjectedModel, graph: Graph, rows: str) -> str:
    return scores_of(model.model, graph, graph("MatMul", rows, floats(model.projection.T, graph.dtype)))


@scores_of.register
def _(model: TreeModel, graph: Graph, rows: str) -> str:
    """Level by level, like `Tree.class_scores`."""
    nodes, children = scores_of(model.nodes, graph, rows), model.tree.children
    sides = log_sigmoid(graph, nodes), log_sigmoid(graph, graph("Neg", nodes))
    reached, leaves, owners = "", [], []
    for first, last in model.tree.levels():
        own = [graph.columns(side, np.arange(first, last)) for side in sides]
        if reached:
            own = [graph("Add", reached, side) for side in own]
        both, ids = graph("Concat", *own, axis=1), children[first:last].T.ravel()
        is_leaf = ids >= len(children)
        if is_leaf.any():
            leaves.append(graph.columns(both, np.flatnonzero(is_leaf)))
            owners.append(ids[is_leaf] - len(children))
        inner = np.flatnonzero(~is_leaf)
        reached = graph.columns(both, inner[np.argsort(ids[inner])]) if inner.size else ""
    log_p = graph.columns(graph("Concat", *leaves, axis=1), np.argsort(np.concatenate(owners)))
    if len(children) > 1:
        return log_p
    return graph("Sub", graph.columns(log_p, np.array([1])), graph.columns(log_p, np.array([0])))


@scores_of.register
def _(model: ClusteredModel, graph: Graph, rows: str) -> str:
    clusters, first = model.clusters, int(model.clusters.cutoffs[0])
    head = _log_probabilities(model.parts[0], graph, rows)
    found = [graph.columns(head, np.arange(first))]
    for c, (part, projection) in enumerate(zip(model.parts[1:], model.projections, strict=True)):
        seen = rows if projection is None else graph("MatMul", rows, floats(projection, graph.dtype))
        of_tail = graph.columns(head, np.array([first + c]))
        found.append(graph("Add", _log_probabilities(part, graph, seen), of_tail))
    return graph.columns(graph("Concat", *found, axis=1), clusters.ranks)


def _log_probabilities(part: LinearModel, graph: Graph, rows: str) -> str:
    scores = scores_of(part, graph, rows)
    return graph("LogSoftmax", two_columns(graph, scores) if len(part.W) == 1 else scores, axis=1)


@singledispatch
def divided(head: Any, graph: Graph, products: str, rows: str) -> str:
    """Scores of rows from their products with the weights."""
    raise TypeError(f"{head!r} has no ONNX graph")


@divided.register
def _(head: Linear, graph: Graph, products: str, rows: str) -> str:
    return products


@divided.register
def _(head: Cosine, graph: Graph, products: str, rows: str) -> str:
    squares = row_sum(graph, graph("Mul", rows, rows))
    return _by_length(graph, products, graph("Add", squares, graph.number(head.intercept**2)))


@divided.register
def _(head: StandardisedCosine, graph: Graph, products: str, rows: str) -> str:
    seen = graph("Sub", graph.cast(rows, np.float64), floats(head.centre, np.float64))
    seen = graph("Div", seen, floats(head.scale, np.float64))
    squares = row_sum(graph, graph("Mul", seen, seen))
    squares = graph("Add", squares, np.array(head.intercept**2, np.float64))
    return _by_length(graph, products, graph.cast(squares, graph.dtype))


def _by_length(graph: Graph, products: str, squares: str) -> str:
    lengths = graph("Sqrt", squares)
    is_zero = graph("Equal", lengths, graph.number(0))
    return graph("Div", products, graph("Where", is_zero, graph.number(1), lengths))
