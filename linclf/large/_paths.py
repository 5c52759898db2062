"""Training along paths of a tree: row by row, the nodes on the path to the label are changed.

Up to `FULL_BATCH` rows are trained with the full gradient, as for other losses. The penalty of a node acts
when a row passes it, divided by the share of rows that do (and by that of its feature, if X is sparse).
"""

import math
from typing import NamedTuple

import numpy as np

from linclf._data.dataset import Dataset
from linclf._kernels.problem import Problem
from linclf._numba import kernel
from linclf._storage import verbs
from linclf._training.descent import Descent
from linclf._training.model import LinearModel
from linclf._training.plan import CALL, FULL_BATCH
from linclf._training.present import GAP, Present
from linclf._training.sampling import Pass
from linclf._training.shape import Shape
from linclf._types import FloatArray, IntArray
from linclf.large._tree import Tree


class Work(NamedTuple):
    """Buffers for the weights that one row touches in one class, and the factors of their penalty.

    The penalty of feature j in class k is ``classes[k] * features[j]``.
    """

    weights: FloatArray
    gradient: FloatArray
    penalty: FloatArray
    slots: FloatArray
    classes: FloatArray
    features: FloatArray


@kernel
def walk(problem, state, optimizer, block, work, ids, steps, row_limit):
    """Row by row: the loss and the step of the nodes on the path to its label; returns the loss sum."""
    storage, tree, constant, total = problem.storage, problem.loss, problem.head.intercept, 0.0
    size = block.square_norms.size
    for start in range(0, ids.size, size):
        part = ids[start : start + size]
        verbs.gather(storage, constant, part, block)
        for r in range(part.size):
            row = verbs.Row(part[r], block.Z[r], constant)
            y, weight, step = problem.y[part[r]], problem.weights[part[r]], steps[start + r]
            state.n_steps[0] += 1
            value, share = 0.0, min(weight, row_limit / (step * block.square_norms[r] + 1e-300))
            for at in range(tree.starts[y], tree.starts[y + 1]):
                node, sign = tree.nodes[at], np.float64(tree.signs[at])
                margin = sign * verbs.product_of(storage, row, state.V, node)
                tail = math.exp(-abs(margin))
                value += max(-margin, 0.0) + math.log1p(tail)
                wrong = 1.0 / (1.0 + tail) if margin < 0.0 else tail / (1.0 + tail)
                slope = -sign * wrong * share
                verbs.update_class(storage, row, slope, state, node, optimizer, step, work)
            total += weight * value
    return total


class Paths:
    """A sweep over the nodes of a tree, row by row."""

    noisy = bounded = False

    def __init__(self, tree: Tree) -> None:
        self.tree, self.counts = tree, np.zeros(len(tree.starts) - 1)

    def replaces(self, full: bool) -> bool:
        return not full

    def batch_for(self, planned: int, automatic: bool, shape: Shape, stream: bool) -> int:
        return 1 if stream or shape.n_rows > FULL_BATCH else planned

    def curvature(self, of_loss: float) -> float:
        return of_loss

    def meet(self, data: Dataset) -> None:
        self.counts += data.y.mass(data.weights)

    def widen(self, kept: IntArray, n_classes: int) -> None:
        raise TypeError("a tree is for a given set of classes")

    def start(self, b: FloatArray, fit_intercept: bool) -> FloatArray:
        return b

    def prepared(self, problem: Problem, batch: int) -> Problem:
        return problem._replace(storage=problem.storage.copied())

    def settled(self, model: LinearModel, classes: Present, dtype: np.dtype) -> LinearModel:
        """Nodes that have classes of positive weight on one side only always turn to that side."""
        tree, W, b = self.tree, model.W.copy(), model.b.copy()
        weighted = np.zeros(2 * len(tree.children) + 1, bool)  # of nodes, then of classes
        weighted[len(tree.children) + classes.at] = True
        for node in range(len(tree.children) - 1, -1, -1):  # children come after their parent
            weighted[node] = weighted[tree.children[node]].any()
        left, right = weighted[tree.children].T
        one_way = ~(left & right)
        W[one_way], b[one_way] = 0, GAP * (left.astype(float) - right)[one_way]
        return model._replace(W=W, b=b)

    def run(self, descent: Descent, order: IntArray, steps: FloatArray) -> Pass:
        problem, tree, state, dtype = descent.problem, self.tree, descent.state, descent.state.V.dtype
        share = self.counts / self.counts.sum()
        passing = np.bincount(tree.nodes, np.repeat(self.counts, tree.depths), len(tree.children))
        passing = np.maximum(passing / self.counts.sum(), 1e-12)
        width = problem.storage.longest_row(len(problem.penalty))
        met = np.append(problem.storage.feature_shares(len(problem.penalty) - 1), 1)
        features = np.divide(problem.penalty, met, out=np.zeros_like(met), where=met > 0)
        weights, gradient, penalty = np.zeros((3, width), dtype)
        work = Work(
            weights,
            gradient,
            penalty,
            np.zeros((descent.plan.optimizer.n_slots, width), dtype),
            (1 / passing).astype(dtype),
            features.astype(dtype),
        )
        block = problem.storage.block(verbs.BLOCK, len(problem.penalty) - 1, 0, dtype)
        size, total = max(1, int(CALL / (width * (tree.depths @ share)))), 0.0
        for start in range(0, len(order), size):
            some = slice(start, start + size)
            total += walk(
                problem,
                state,
                descent.plan.optimizer,
                block,
                work,
                order[some],
                steps[some],
                descent.row_limit,
            )
        # the loss of the first row depends on the length of its path, so use the mean over all rows
        return Pass(total, float(passing.sum()) * math.log(2))
