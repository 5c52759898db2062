"""The first step of stochastic training: the user's, or one over the curvature along the data."""

from functools import lru_cache

import numpy as np
from scipy import sparse
from sklearn.utils.extmath import row_norms

from linclf._data.columns import Columns
from linclf._data.dataset import Dataset
from linclf._kernels.problem import Problem
from linclf._training.fit import Fit
from linclf._training.step_rule import StepRule
from linclf._types import FloatArray, IntArray, Matrix
from linclf.optimizers import Optimizer, trait

SPREAD_VALUES, SPREAD_ROWS = 2**20, (500, 2000)  # of the sample for the second moments
COPIED = 64  # rows of it at once
# e-folds by which the penalty alone must shrink the distance from the start to the optimum; steps are no
# longer than that needs, as longer ones add noise
FORGOTTEN, FORGOTTEN_SPARSE = 40.0, 10.0


class StepSize:
    """Measurements of all rows so far, for automatic steps: plain values, so that a stream can be saved."""

    def __init__(self) -> None:
        self.unit = 1.0  # typical size of a feature that is not zero
        self.spread = np.zeros(2)  # largest eigenvalue of the second moments, and their noise
        self.measured = 0.0  # weight of the rows that the spread was measured on

    def set_unit(self, fit: Fit) -> None:
        """Set the typical size of a feature, as steps of Adam and similar optimizers are per weight."""
        data, unit = fit.data, fit.head.unit(fit.shape.n_features)
        if unit is not None:
            self.unit = unit
        elif data.is_sparse and data.X.nnz:
            squares = data.weights @ row_norms(data.X, squared=True)
            self.unit = float(np.sqrt(squares / (data.weights @ np.diff(data.X.indptr)))) or 1.0

    def measure(self, fit: Fit, batch: int) -> None:
        """Update the measurements with the rows of a fit."""
        here = spread(fit.problem, fit.data, fit.ids, batch, fit.columns)
        weight = fit.data.weights.sum()
        self.measured += weight
        self.spread = self.spread + (here - self.spread) * (weight / self.measured)

    def first(self, rule: StepRule, fit: Fit, optimizer: Optimizer, full: bool, n_steps: int | None) -> float:
        """The first step; ``full`` says whether a batch holds all rows.

        ``n_steps`` is the number of steps if they fall to zero at the end, else None.
        """
        if rule.learning_rate != "auto":
            return rule.learning_rate
        normalised = trait(optimizer, "normalised")
        if normalised is not None:
            return normalised / self.unit * (10 if full else 1)  # an exact gradient allows more
        largest, noise = fit.curvature * self.spread
        if full:
            return 1 / largest
        # momentum multiplies the noise that it averages, and is stable up to 4/3 of this
        gain = trait(optimizer, "gain")
        step = 2 / (largest * min(gain, 2) + noise * gain)
        weakest = fit.problem.storage.weakest(fit.problem.penalty)
        if n_steps is None or not weakest:
            return step
        folds = FORGOTTEN_SPARSE if fit.shape.is_sparse else FORGOTTEN
        return min(step, folds / (float(weakest) * n_steps * gain))


def spread(
    problem: Problem, data: Dataset, order: IntArray, batch: int, columns: Columns | None = None
) -> FloatArray:
    """Largest eigenvalue of the second moments of the rows that the head sees, and their noise.

    The curvature of the loss along the data is at most (curvature of the loss) times the first;
    the second is what the single rows of a batch add to it. Taken from at most 2,000 rows of ``order``.
    """
    X, weights = data.X, problem.weights
    if columns is not None and len(columns.at) != X.shape[1]:
        columns = None  # features were folded, and no longer match the columns
    width = X.shape[1] if columns is None else columns.n_features
    n, size = len(order), int(np.clip(SPREAD_VALUES / width, *SPREAD_ROWS))
    ids = order if n <= size else order[np.linspace(0, n - 1, size).astype(np.int64)]
    w = weights[ids] / weights[ids].sum()
    Z = problem.storage.scaled(_doubles(X, ids))
    Z, constant, centre = problem.head.rows_seen(Z, w)
    ZT = Z.T  # for few sparse rows this takes as long as a product
    direction, largest = _direction(Z.shape[1] if columns is None else width), 0.0
    if columns is not None:
        direction = direction[np.append(columns.at, width)]
    for _ in range(30):
        direction = direction / np.linalg.norm(direction)
        along = w * (Z @ direction[:-1] + constant * direction[-1] - centre @ direction)
        direction = np.append(ZT @ along, constant @ along) - centre * along.sum()
        size = np.abs(direction).max() or 1.0  # its square may overflow
        direction /= size
        largest = size * np.linalg.norm(direction)
        if largest == 0:
            break
    squares = row_norms(Z, squared=True) + constant**2 - centre @ centre
    noise = 0.0 if batch >= n else (w * w) @ squares / w.sum() * len(ids) / batch
    return np.array([largest or 1.0, noise])  # if there is nothing to learn, any step will do


def _doubles(X: Matrix, ids: IntArray) -> Matrix:
    """Rows in float64; dense ones without an intermediate copy."""
    if sparse.issparse(X):
        return X[ids].astype(np.float64)
    Z = np.empty((len(ids), X.shape[1]))
    for start in range(0, len(ids), COPIED):
        part = slice(start, start + COPIED)
        Z[part] = X[ids[part]]
    return Z


@lru_cache(maxsize=1)
def _direction(n_features: int) -> FloatArray:
    """Where the search starts; cached, as a stream of small parts would spend more on it than on its rows.

    It is not all ones, as columns that add up to a constant, such as one-hot pairs, would cancel in it.
    """
    direction = np.random.default_rng(0).uniform(size=n_features + 1)
    direction.flags.writeable = False
    return direction
