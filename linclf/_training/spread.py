"""Spreads of the columns of X: the units of their weights in the penalty with ``standardize=True``."""

import warnings
from typing import NamedTuple

import numpy as np
from scipy import sparse

from linclf._data.columns import Columns
from linclf._data.dataset import Dataset
from linclf._training.coordinates import Moments, add_squares, least_scale, moments
from linclf._types import FloatArray, Loss, Matrix

COPIED = 2**16  # values that are divided at once
ROUNDING = 64 * float(np.finfo(np.float64).eps)  # of a mean: the deviation that a constant column may show
UNEVEN = 100.0  # ratio of spreads above which the small columns do not matter to a cosine
# validation rows are apart if, for a tenth of the columns, the means differ by 3 times the larger deviation
# or the deviation is 5 times that of training. A rare value in a column causes neither: if k of n rows have
# it, the mean is k/n and the deviation sqrt(k/n), and it occurs at all in only a few of such columns
APART, AWAY, WIDER, FEWEST = 0.1, 3.0, 5.0, 10


class Spread(NamedTuple):
    """Mean and standard deviation of dense columns, 0 and root mean square of sparse ones.

    Without an intercept, which would make up for it, the mean is 0. A column that does not vary has the
    deviation 1, as in StandardScaler.
    """

    centre: FloatArray
    scale: FloatArray

    def narrowed(self, columns: Columns) -> "Spread":
        """The spread of some of the columns."""
        return Spread(self.centre[columns.at], self.scale[columns.at])

    def divided(self, X: Matrix) -> Matrix:
        """A copy of X with columns of deviation 1, or root mean square 1.

        Dense copies are float64: a quotient that is not centred yet would lose digits.
        """
        if not sparse.issparse(X):
            return X / self.scale
        scale = self.scale.astype(X.dtype)
        values = np.empty_like(X.data)
        for start in range(0, len(values), COPIED):
            part = slice(start, start + COPIED)
            np.divide(X.data[part], scale[X.indices[part]], out=values[part])
        return sparse.csr_array((values, X.indices, X.indptr), shape=X.shape)

    def of_sparse(self, data: Dataset) -> Dataset:
        """The data with sparse rows as training sees them; dense rows stay as they are."""
        return data._replace(X=self.divided(data.X)) if data.is_sparse else data

    def standardised(self, X: Matrix) -> Matrix:
        """The same, with dense columns centred, in the dtype of X."""
        if sparse.issparse(X):
            return self.divided(X)
        Z = np.empty_like(X, order="C")
        size = max(1, COPIED // X.shape[1])
        for start in range(0, len(X), size):  # the difference has the digits of X in float64
            part = slice(start, start + size)
            Z[part] = (X[part] - self.centre) / self.scale
        return Z


def spread_of(data: Dataset, centred: bool) -> Spread:
    """The spread of weighted rows; those of weight 0 do not count."""
    return _spread(*_measured(data.X, data.weights), centred)


def spread_from(found: Moments, dtype: np.dtype, centred: bool) -> Spread:
    """The same, from the moments of the rows."""
    return _spread(found.mean, _deviations(found, dtype), centred)


def _spread(centre: FloatArray, deviation: FloatArray, centred: bool) -> Spread:
    return Spread(centre if centred else np.zeros_like(centre), np.where(deviation > 0, deviation, 1.0))


def warn_if_uneven(data: Dataset, loss: Loss) -> None:
    """Warn that columns of large values alone decide the cosines."""
    _, deviation = _measured(data.X, data.weights)
    if _ratio(deviation) <= UNEVEN:
        return
    # a rare value gives a small deviation, even if it is large
    deviation = deviation / np.sqrt(_occupied(data.X, data.weights))
    if _ratio(deviation) <= UNEVEN:
        return
    least, most = np.where(deviation > 0, deviation, np.inf).argmin(), deviation.argmax()
    kind = "root mean squares" if data.is_sparse else "standard deviations"
    warnings.warn(
        f"the {kind} of the columns of X, in rows in which they are not 0, range from {deviation[least]:.3g} "
        f"(column {least}) to {deviation[most]:.3g} (column {most}), and {type(loss).__name__} is a loss on "
        "cosines, which the large columns decide alone; use standardize=True, or scale the columns",
        UserWarning,
        stacklevel=2,
    )


def warn_if_apart(known: tuple[FloatArray, FloatArray], rows: Dataset) -> None:
    """Warn that dense validation rows are not in the units of the training rows, which have these moments."""
    if rows.is_sparse or len(rows.ids) < FEWEST:
        return
    rows = rows.compact()
    centre, deviation = known
    mean, spread = _measured(rows.X, rows.weights)
    away = np.abs(mean - centre)
    varies = deviation > 0
    apart = varies & ((away > AWAY * np.maximum(deviation, spread)) | (spread > WIDER * deviation))
    if not apart.any() or apart.sum() < APART * varies.sum():
        return
    scale = np.where(apart, deviation, np.inf)
    column = int((np.maximum(away, spread) / scale).argmax())
    warnings.warn(
        f"{apart.sum()} of {varies.sum()} columns of X_val lie many standard deviations from those of X, as "
        f"column {column}: mean {mean[column]:.3g} and deviation {spread[column]:.3g} in X_val, "
        f"{centre[column]:.3g} and {deviation[column]:.3g} in X. Transform X_val as X; in a Pipeline, "
        'transform_input=["X_val"] does so',
        UserWarning,
        stacklevel=2,
    )


def measured(data: Dataset) -> tuple[FloatArray, FloatArray]:
    """Centre and deviation of each column of weighted rows."""
    return _measured(data.X, data.weights)


def measured_from(found: Moments, dtype: np.dtype) -> tuple[FloatArray, FloatArray]:
    """The same, from the moments of the rows."""
    return found.mean, _deviations(found, dtype)


def _ratio(deviation: FloatArray) -> float:
    """The largest deviation over the smallest of the columns that vary."""
    varying = deviation[deviation > 0]
    return float(varying.max() / varying.min()) if varying.size else 1.0


def _occupied(X: Matrix, weights: FloatArray) -> FloatArray:
    """The share of the rows in which a column is not 0; 1 if it never is."""
    if sparse.issparse(X):
        by_value = np.repeat(weights, np.diff(X.indptr)) * (X.data != 0)
        mass = np.bincount(X.indices, by_value, X.shape[1])
    else:
        mass, size = np.zeros(X.shape[1]), max(1, COPIED // X.shape[1])
        for start in range(0, len(X), size):
            part = slice(start, start + size)
            mass += weights[part] @ (X[part] != 0)
    return np.where(mass > 0, mass / weights.sum(), 1.0)


def _measured(X: Matrix, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Centre and deviation of each column; columns that do not vary have the deviation 0."""
    if sparse.issparse(X):
        squares = np.zeros(X.shape[1])
        add_squares(X, weights, squares)
        found = Moments(weights.sum(), np.zeros(X.shape[1]), squares)
    else:
        found = moments(X, weights)
    return found.mean, _deviations(found, X.dtype)


def _deviations(found: Moments, dtype: np.dtype) -> FloatArray:
    deviation = np.sqrt(found.squares / found.weight)
    varies = deviation > np.maximum(ROUNDING * np.abs(found.mean), least_scale(dtype))
    return np.where(varies, deviation, 0.0)
