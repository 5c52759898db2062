"""Classes by decreasing frequency in a head and tails: the targets of each part, and the joint scores."""

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, svds

from linclf._data.targets import Labels, Probabilities, Targets
from linclf._training.model import LinearModel, columns
from linclf._types import FloatArray, IntArray, Matrix
from linclf.losses import Softmax

linear_operator: Any = LinearOperator  # its type hints do not allow it to be made of functions


class Clusters(NamedTuple):
    """Classes by decreasing frequency, and the ranks at which the tails begin."""

    order: IntArray
    cutoffs: IntArray

    @property
    def edges(self) -> list[tuple[int, int]]:
        """Ranks (first, end) of each tail."""
        ends = np.append(self.cutoffs[1:], len(self.order))
        return list(zip(self.cutoffs.tolist(), ends.tolist(), strict=True))

    @property
    def ranks(self) -> IntArray:
        ranks = np.empty(len(self.order), np.int64)
        ranks[self.order] = np.arange(len(self.order))
        return ranks

    @property
    def sizes(self) -> list[int]:
        """Outputs of the head, then of each tail."""
        edges = self.edges
        return [int(self.cutoffs[0]) + len(edges), *(end - start for start, end in edges)]

    def head_targets(self, y: Targets) -> Targets:
        """Targets of the head: a frequent class, or a tail, in the form of ``y``."""
        first = self.cutoffs[0]
        if y.soft:
            p = y.array[:, self.order]
            return Probabilities(np.hstack([p[:, :first], np.add.reduceat(p, self.cutoffs, axis=1)]))
        ranks = self.ranks[y.array]
        tail = np.searchsorted(self.cutoffs, ranks, side="right")
        return Labels(np.where(tail > 0, first + tail - 1, ranks), self.sizes[0])

    def tail_targets(self, y: Targets, tail: int) -> tuple[IntArray, Targets, FloatArray]:
        """The rows of tail 0, 1, ..., their targets in it, and their probabilities of being in it."""
        start, end = self.edges[tail]
        if y.soft:
            p = y.array[:, self.order[start:end]]
            mass = p.sum(axis=1, dtype=np.float64)
            rows = np.flatnonzero(mass)
            return rows, Probabilities((p[rows] / mass[rows, None]).astype(p.dtype)), mass[rows]
        ranks = self.ranks[y.array]
        rows = np.flatnonzero((ranks >= start) & (ranks < end))
        return rows, Labels(ranks[rows] - start, end - start), np.ones(len(rows))


class ClusteredModel(NamedTuple):
    """Head and tails; their scores are the logarithms of probabilities."""

    clusters: Clusters
    parts: list[LinearModel]  # the head, then the tails
    projections: list[FloatArray | None]  # of the features, for each tail

    def scores(self, X: Matrix) -> FloatArray:
        """Scores of all classes (m, K)."""
        order, first = self.clusters.order, self.clusters.cutoffs[0]
        head = log_probabilities(self.parts[0], X)
        log_p = np.empty((head.shape[0], len(order)), head.dtype)
        log_p[:, order[:first]] = head[:, :first]
        for c, (start, end) in enumerate(self.clusters.edges):
            tail = log_probabilities(self.parts[1 + c], projected(X, self.projections[c]))
            tail += head[:, first + c, None]
            log_p[:, order[start:end]] = tail
        return log_p

    def scores_of(self, X: Matrix, index: IntArray) -> FloatArray:
        """Scores of the classes ``index`` (m, j); a tail is scored only for rows with one of its classes."""
        ranks, first = self.clusters.ranks[index], self.clusters.cutoffs[0]
        head = log_probabilities(self.parts[0], X)
        log_p = np.take_along_axis(head, np.minimum(ranks, first - 1), axis=1)
        for c, (start, end) in enumerate(self.clusters.edges):
            here = (ranks >= start) & (ranks < end)
            asked = np.flatnonzero(here.any(axis=1))
            if not asked.size:
                continue
            tail = log_probabilities(self.parts[1 + c], projected(X[asked], self.projections[c]))
            tail += head[asked, first + c, None]
            own = np.take_along_axis(tail, np.clip(ranks[asked] - start, 0, end - start - 1), axis=1)
            log_p[asked] = np.where(here[asked], own, log_p[asked])
        return log_p

    def laid_out_for(self, X: Matrix) -> Self:
        if not sparse.issparse(X):
            return self
        seen = [None, *self.projections]
        parts = [
            part.laid_out_for(X) if P is None else part for part, P in zip(self.parts, seen, strict=True)
        ]
        return self._replace(parts=parts)


def projected(X: Matrix, projection: FloatArray | None) -> Matrix:
    return X if projection is None else np.ascontiguousarray(X @ projection.astype(X.dtype, copy=False))


def log_probabilities(part: LinearModel, X: Matrix) -> NDArray[np.floating]:
    """Log probabilities of the outputs of one part."""
    scores = part.scores(X)
    return Softmax().log_probabilities(columns(scores.ravel()) if scores.shape[1] == 1 else scores)


def class_directions(X: Matrix, y: Targets, weights: FloatArray, size: int) -> FloatArray:
    """Orthonormal directions (n_features, size) in which the weighted means of the classes differ most.

    These are the first right singular vectors of ``sqrt(w_k) (m_k - m)``; there are at most
    ``n_classes - 1``.
    """
    n_classes, d = y.n_classes, X.shape[1]
    member = y.indicator(weights)
    mass = np.asarray(member.sum(axis=0), np.float64)
    scale = np.divide(1, np.sqrt(mass), out=np.zeros(n_classes), where=mass > 0)
    sums = sparse.csr_array(member.T @ X) if sparse.issparse(X) else member.T @ X
    means = sparse.diags_array(scale) @ sums
    centre, root = np.asarray(sums.sum(axis=0)) / mass.sum(), np.sqrt(mass)
    differences = linear_operator(
        (n_classes, d),
        matvec=lambda v: means @ v.ravel() - root * (centre @ v.ravel()),
        rmatvec=lambda u: means.T @ u.ravel() - centre * (root @ u.ravel()),
        dtype=np.float64,
    )
    start = np.random.default_rng(0).standard_normal(min(n_classes, d))
    size = min(size, min(n_classes, d) - 1)
    probe = differences.rmatvec(np.random.default_rng(1).standard_normal(n_classes))
    if np.linalg.norm(probe) <= 1e-12 * np.linalg.norm(centre) * np.linalg.norm(root):
        return np.eye(d, size, dtype=X.dtype)  # all means are the same
    directions = np.asarray(svds(differences, k=size, v0=start)[2])
    return np.ascontiguousarray(directions[::-1].T, X.dtype)
