"""Scores of some nodes for some rows, and the search for likely leaves; costs grow with depth only."""

import numpy as np
from scipy import sparse

from linclf._types import FloatArray, IntArray, Matrix
from linclf.large._tree import Tree, log_sigmoids

VALUES = 2**22  # values of rows and weights that are gathered at once


def node_scores(rows: Matrix, W: FloatArray, b: FloatArray, index: IntArray, nodes: IntArray) -> FloatArray:
    """Scores of node ``nodes[i]`` for row ``index[i]``."""
    scores, size = np.empty(len(index), rows.dtype), max(1, VALUES // rows.shape[1])
    for start in range(0, len(index), size):
        part = slice(start, start + size)
        X, own = rows[index[part]], nodes[part]
        if sparse.issparse(X):
            place = np.repeat(np.arange(len(own)), np.diff(X.indptr))
            products = np.bincount(place, X.data * W[own[place], X.indices], len(own))
        else:
            products = np.einsum("ij,ij->i", X, W[own])
        scores[part] = products + b[own]
    return scores


def log_probability_of(tree: Tree, rows: Matrix, W: FloatArray, b: FloatArray, index: IntArray) -> FloatArray:
    """Logarithms of the probabilities of classes ``index`` (m, j) for the rows (m)."""
    m, j = index.shape
    length = tree.depths[index.ravel()]
    ends = np.cumsum(length)
    at = np.arange(ends[-1]) - np.repeat(ends - length - tree.starts[index.ravel()], length)
    owner = np.repeat(np.repeat(np.arange(m), j), length)
    scores = node_scores(rows, W, b, owner, tree.nodes[at]) * tree.signs[at]
    turns = log_sigmoids(scores)[0].astype(np.float64)
    return np.add.reduceat(turns, ends - length).reshape(m, j)


def beam(tree: Tree, rows: Matrix, W: FloatArray, b: FloatArray, width: int) -> tuple[IntArray, FloatArray]:
    """The ``width`` best classes found, best first, and the logarithms of their probabilities.

    Level by level, only the best ``width`` nodes and leaves of each row are kept; 1 is greedy.
    """
    n_nodes, m = len(tree.children), rows.shape[0]
    nodes, found = np.zeros((m, 1), np.int64), np.zeros((m, 1))
    while (nodes < n_nodes).any():
        inner = np.nonzero(nodes < n_nodes)
        own = nodes[inner]
        turns = np.stack(log_sigmoids(node_scores(rows, W, b, inner[0], own)), axis=1) + found[inner][:, None]
        after = np.stack([nodes, np.full_like(nodes, n_nodes)], axis=2)
        value = np.stack([found, np.full_like(found, -np.inf)], axis=2)
        after[inner], value[inner] = tree.children[own], turns
        after, value = after.reshape(m, -1), value.reshape(m, -1)
        best = np.argsort(-value, axis=1, kind="stable")[:, :width]
        nodes, found = np.take_along_axis(after, best, axis=1), np.take_along_axis(value, best, axis=1)
    return nodes - n_nodes, found
