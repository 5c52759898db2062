"""Intercepts: the best if all other weights are 0, the reference of exact solvers, and their curvature."""

from typing import Any

import numpy as np

from linclf._data.targets import Indicators
from linclf._storage import read_only
from linclf._training.fit import Fit
from linclf._training.objective import Rows
from linclf._training.pairs import Point
from linclf._training.quasi_newton import descend
from linclf._training.row_hessians import row_hessians
from linclf._types import FloatArray, Loss
from linclf.heads import with_copies
from linclf.losses._hessian import covariance, covariances, diagonal, diagonals, row_curvatures
from linclf.losses._registry import row_losses, trait

LARGEST = 512  # classes up to which the best intercepts are searched for
ALONE = 2**14  # rows with an offset that they are searched in
FLAT, ITERATIONS = 1e-6, 100
PRECISION = 1e-15
ROWS = 4096  # to estimate the curvature from
FEWEST, HELD = 64, 2**18  # rows at once, and values of them or of their second derivatives
FEW, MANY = 64, 512  # classes for which all second derivatives are computed, without and with a formula


def intercepts_alone(fit: Fit) -> FloatArray:
    """The best weights that are 0 except for the constant, float64 and laid out for the storage."""
    V = np.zeros(fit.problem.storage.by_classes(fit.V).shape)
    head = fit.head
    if not head.equivariant:
        return head.reference(fit.V).astype(np.float64)
    if head.intercept and trait(fit.loss, "n_outputs") is None:
        if fit.problem.offset.size:
            V[:, -1] = _best_besides_offset(fit) / head.intercept
        else:
            V[:, -1] = head.trained_from(_best_alone(fit)[:, None] / head.intercept).ravel()
    return np.ascontiguousarray(fit.problem.storage.by_classes(V))


def _best_alone(fit: Fit) -> FloatArray:
    """The best scores that all rows can share."""
    if isinstance(fit.data.y, Indicators):
        of_labels: Any = fit.loss
        negative, positive = fit.masses
        return of_labels.best_constants(positive, negative)
    return _best(fit.loss, fit.mass)


def _best(loss: Loss, mass: FloatArray) -> FloatArray:
    """The best scores that all rows can share, for classes with these weights."""
    own = getattr(loss, "best_scores", None)
    if own is not None:
        return own(mass / mass.sum())
    if len(mass) > LARGEST:
        return np.zeros(len(mass))
    shares, classes = mass / mass.sum(), read_only(np.arange(len(mass)))
    return _lowest(loss, np.zeros((len(mass), len(mass))), classes, shares, 1)


def _best_besides_offset(fit: Fit) -> FloatArray:
    """The best products that all rows can share besides their offset; from a part of the rows if many."""
    problem, n = fit.problem, len(fit.ids)
    n_products = problem.offset.shape[1]
    if n_products > LARGEST:
        return np.zeros(n_products)
    ids = fit.ids if n <= ALONE else fit.ids[np.linspace(0, n - 1, ALONE).astype(np.int64)]
    offset, weights = problem.offset[ids].astype(np.float64), problem.weights[ids]
    return _lowest(fit.loss, offset, read_only(problem.y[ids]), weights / weights.sum(), fit.head.copies)


def _lowest(loss: Loss, offset: FloatArray, y: np.ndarray, shares: FloatArray, copies: int) -> FloatArray:
    """The products that all rows share, with the lowest mean loss besides the offset of each."""
    n, values = offset.shape[1], np.empty(len(offset))

    def evaluate(point: Point) -> None:
        scores = np.array(with_copies(offset + point.u, copies), order="C")
        row_losses(loss, scores, y, values)
        point.value = float(shares @ values)
        slopes = shares @ scores
        point.gradient[:] = slopes if copies == 1 else slopes[1:] - slopes[:1]

    start, without = (Point(u, np.empty(n)) for u in (np.zeros(n), -(shares @ offset)))
    evaluate(start)
    evaluate(without)  # far from 0, a loss with kinks shows no way
    if without.value < start.value:
        start = without
    steep = np.abs(start.gradient).max()
    best = descend(
        evaluate, start, ITERATIONS, lambda point, _: np.abs(point.gradient).max() <= FLAT * steep, PRECISION
    )
    return best.u


def intercept_hessian(objective: Rows, V: FloatArray) -> FloatArray:
    """Second derivatives (K, K) for the weights of the constant; from a sample, unless all are known."""
    fit, H = objective.fit, objective.hessian(V)
    if H is not None:
        return H[V.shape[1] - 1 :: V.shape[1], V.shape[1] - 1 :: V.shape[1]].copy()
    total, mass = np.zeros(()), 0.0
    across = fit.problem.storage.by_classes(V).T
    size = max(FEWEST, HELD // max(across.shape[1] ** 2, len(across)))
    for block in objective.sample(ROWS, np.random.RandomState(0)).blocks(size):
        products = np.array(block.Z @ across, np.float64, order="C") + block.offset
        total = total + _sum_of_hessians(fit, products, block.y, block.weights)
        mass += block.weights.sum()
    return np.atleast_2d(total) * (fit.head.intercept**2 / mass)


def _sum_of_hessians(fit: Fit, products: FloatArray, y: np.ndarray, weights: FloatArray) -> FloatArray:
    n, n_classes = products.shape
    loss, y = fit.loss, read_only(y)
    formula = covariance.find(type(loss)) is not None and n_classes > 1
    if n_classes <= FEW and not formula:
        return np.tensordot(weights, row_hessians(loss, fit.head.copies, products, y), 1)
    if diagonal.find(type(loss)) is not None:
        diagonals(loss, products, y)
        return np.diag(weights @ products)
    if formula:
        covariances(loss, products)
        sums = weights @ products
        if n_classes > MANY:
            return np.diag(sums)
        totals = products.sum(axis=1)
        scaled = products * (weights / np.where(totals > 0, totals, 1))[:, None]
        return np.diag(sums) - scaled.T @ products
    bend = np.empty(n)
    signs = np.random.default_rng(0).choice([-1.0, 1.0], n_classes)
    row_curvatures(loss, products, y, signs, np.empty(n_classes), np.empty((2, n_classes)), bend)
    return (bend @ weights) * np.eye(n_classes)
