r"""Binary trees over classes: their shapes, and the loss on the scores of their nodes.

Each inner node decides by one score between its two children, and the probability of a class is
the product along its path,

    p(y) = prod_{nodes t on the path to y} sigmoid(s_t f_t),     s_t = +1 left, -1 right.

Nodes are numbered from the root (0) level by level. ``children[t] = (left, right)`` are nodes, or
classes as ``n_nodes + class``.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from linclf._numba.simplex import exp_negative
from linclf._types import FloatArray, IntArray
from linclf.losses._registry import row_loss

AT_ONCE = 2**20  # scores of nodes that are turned into probabilities at once


class Tree(NamedTuple):
    """``nodes[starts[y]:starts[y + 1]]`` is the path from the root to class y; ``signs`` are its turns."""

    children: IntArray
    starts: IntArray
    nodes: IntArray
    signs: FloatArray

    attained = False

    def curvature(self, n_nodes: int) -> float:
        return 0.25

    def n_outputs(self, n_classes: int) -> int:
        return n_classes - 1

    @property
    def depths(self) -> IntArray:
        """The number of decisions on the way to each class."""
        return np.diff(self.starts)

    @property
    def codes(self) -> list[str]:
        """The path to each class as a string, "0" for left and "1" for right."""
        text = np.where(self.signs > 0, "0", "1")
        return ["".join(text[a:b]) for a, b in zip(self.starts[:-1], self.starts[1:], strict=True)]

    def class_scores(self, scores: FloatArray) -> FloatArray:
        """Logarithms of the probabilities of all classes, from the scores of all nodes."""
        n_nodes, size = len(self.children), max(1, AT_ONCE // len(self.children))
        result = np.empty((len(scores), n_nodes + 1), scores.dtype)
        for start in range(0, len(scores), size):
            left, right = log_sigmoids(np.ascontiguousarray(scores[start : start + size].T))
            found = np.zeros((2 * n_nodes + 1, left.shape[1]), scores.dtype)  # rows are copied whole
            for first, last in self.levels():
                found[self.children[first:last, 0]] = found[first:last] + left[first:last]
                found[self.children[first:last, 1]] = found[first:last] + right[first:last]
            result[start : start + size] = found[n_nodes:].T
        return result

    def levels(self) -> Iterator[tuple[int, int]]:
        """The first node of each level and the one after its last."""
        first, last = 0, 1
        while first < last:
            yield first, last
            inner = int(np.count_nonzero(self.children[first:last] < len(self.children)))
            first, last = last, last + inner


def log_sigmoids(scores: FloatArray) -> tuple[FloatArray, FloatArray]:
    """``log sigmoid(f)`` and ``log sigmoid(-f)``."""
    common = np.log(1 + np.exp(-np.abs(scores)))
    return np.minimum(scores, 0) - common, np.minimum(-scores, 0) - common


@row_loss.register(Tree)
def tree_row(loss, scores, y):
    value, first, last = 0.0, loss.starts[y], loss.starts[y + 1]
    path = scores[loss.nodes[first:last]]
    scores[:] = 0
    for i in range(last - first):
        margin = loss.signs[first + i] * path[i]
        tail = exp_negative(-abs(margin))
        value += max(-margin, 0.0) + math.log1p(tail)
        scores[loss.nodes[first + i]] = -loss.signs[first + i] * (
            1.0 / (1.0 + tail) if margin < 0.0 else tail / (1.0 + tail)
        )
    return value


# ---------------------------------------------------------------- shapes


def tree_of(children: IntArray) -> Tree:
    """A `Tree` from children in any order of the nodes, with the root last."""
    n_nodes, n_classes = len(children), len(children) + 1
    order, level = [np.array([n_nodes - 1])], np.array([n_nodes - 1])
    while level.size:
        level = children[level].ravel()
        level = level[level < n_nodes]
        order.append(level)
    order = np.concatenate(order)
    rank = np.append(np.empty(n_nodes, np.int64), n_nodes + np.arange(n_classes))
    rank[order] = np.arange(n_nodes)
    children = rank[children[order]]
    parent, sign = np.empty(2 * n_nodes + 1, np.int64), np.empty(2 * n_nodes + 1, np.float32)
    for side, value in ((0, 1), (1, -1)):
        parent[children[:, side]], sign[children[:, side]] = np.arange(n_nodes), value
    parent[0] = -1
    # from all leaves upwards at once; the last step comes first on a path
    owner, at, steps = np.arange(n_classes), n_nodes + np.arange(n_classes), []
    while owner.size:
        steps.append((owner, parent[at], sign[at]))
        owner, at = owner[parent[at] > 0], parent[at][parent[at] > 0]
    owners, nodes, signs = (np.concatenate([step[i] for step in reversed(steps)]) for i in range(3))
    by_class = np.argsort(owners, kind="stable")
    starts = np.append(0, np.cumsum(np.bincount(owners, minlength=n_classes)))
    return Tree(children, starts, nodes[by_class], signs[by_class])


def huffman(counts: FloatArray) -> IntArray:
    """Children by Huffman's algorithm: frequent classes near the root (two queues, van Leeuwen 1976)."""
    n = len(counts)
    leaves = np.argsort(counts, kind="stable").tolist()
    weights = np.concatenate([counts, np.zeros(n - 1)]).tolist()
    children, leaf, inner = np.empty((n - 1, 2), np.int64), 0, n
    for node in range(n, 2 * n - 1):
        pair = []
        for _ in range(2):
            from_leaves = leaf < n and (inner == node or weights[leaves[leaf]] <= weights[inner])
            pair.append(leaves[leaf] if from_leaves else inner)
            leaf, inner = leaf + from_leaves, inner + (not from_leaves)
        weights[node] = weights[pair[0]] + weights[pair[1]]
        children[node - n] = pair
    return _nodes_first(children, n)


def balanced(n_classes: int) -> IntArray:
    """Children of a tree of least depth, with the classes in order."""
    children, ends, count = [], [(0, n_classes)], 0
    # level by level; a node is numbered when its range is cut
    while ends:
        following = []
        for start, stop in ends:
            middle = (start + stop + 1) // 2
            pair = []
            for a, b in ((start, middle), (middle, stop)):
                if b - a == 1:
                    pair.append(n_classes - 1 + a)
                else:
                    count += 1
                    pair.append(count)
                    following.append((a, b))
            children.append(pair)
        ends = following
    return _root_last(np.array(children))


def from_codes(codes: Sequence[Any] | np.ndarray, classes: IntArray) -> IntArray:
    """Children from a code for each class, in the order of ``classes``."""
    labels = classes.tolist()
    if len(codes) != len(labels):
        raise ValueError(
            f"tree has {len(codes)} codes, but there are {len(classes)} classes; give one code per class"
        )
    codes = [_code(code, label) for code, label in zip(codes, labels, strict=True)]
    ways, children = [""], [[-1, -1]]
    for index, code in enumerate(codes):
        node = 0
        for at, bit in enumerate(code):
            side = int(bit)
            taken, last = children[node][side], at == len(code) - 1
            if taken < -1 or (last and taken != -1):
                raise ValueError(_clash(code, labels[index]))
            if last:
                children[node][side] = -2 - index
            elif taken == -1:
                taken = children[node][side] = len(children)
                children.append([-1, -1])
                ways.append(code[: at + 1])
            node = taken
    children = np.array(children)
    if (children == -1).any():
        node, side = np.argwhere(children == -1)[0]
        raise ValueError(
            f"tree: no class has a code that begins with {ways[node] + str(side)!r}; every decision needs "
            "classes on both sides"
        )
    n_nodes = len(children)
    return _root_last(np.where(children < 0, n_nodes - 2 - children, children))


def _code(code: str | Sequence, label: int) -> str:
    text = code if isinstance(code, str) else "".join(f"{bit:g}" for bit in code if bit != -1)
    if not text or set(text) - {"0", "1"}:
        raise ValueError(
            f"tree: the code of classes_[{label}] is {code!r}; use a string of 0 and 1, or a row of 0 and 1 "
            "padded with -1"
        )
    return text


def _clash(code: str, label: int) -> str:
    return f"tree: the code {code!r} of classes_[{label}] begins with, or is the beginning of, another one"


def _nodes_first(children: IntArray, n: int) -> IntArray:
    """From "classes, then nodes" to "nodes, then classes"."""
    return np.where(children >= n, children - n, children + n - 1)


def _root_last(children: IntArray) -> IntArray:
    """Renumber nodes so that the root, which is 0, becomes the last node."""
    n_nodes = len(children)
    return np.where(children < n_nodes, n_nodes - 1 - children, children)[::-1]
