r"""Training coordinates, in which the defaults need no tuning, and the way back.

With ``learning_rate="auto"`` dense features are centred and scaled for the step,

    z_j = (x_j - m_j) / t_j,    t_j^2 = var(x_j) + alpha * K,

and the penalty stays on the published weights, ``alpha/2 * (V_j / t_j)^2``. At W = 0 the Hessian of
softmax is then 1/K in every diagonal entry, penalty included, whatever the units of the features.
If the data are small enough that a copy costs nothing, the features are rotated to their
principal axes first; the same formulas then make the whole Hessian a multiple of the identity, so
that correlated features are no obstacle either.

Sparse features are neither centred, which would make them dense, nor divided by a small spread,
which would give rare features enormous steps. Only columns that outweigh the others are levelled: no
column keeps more than 1/32 of the mean squared length of the rows. At most 32 columns are longer than that,
so only a few have a separate penalty. The constant is 1 if that is between such a share and the length of
a row.

If the user gives a step size, features are used as they are, and the step is in the units of X.
"""

from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.linalg.lapack import dgejsv  # pyright: ignore[reportAttributeAccessIssue]

from linclf._data.columns import Columns
from linclf._kernels.moments import column_squares, sums_around
from linclf._storage import read_only
from linclf._types import FloatArray, IntArray, Matrix

ROTATED_SIZE, ROTATED_VALUES = 640, 2**21  # largest number of rows or features, and of values, to rotate
COPIED = 2**16  # values that are multiplied at once
LARGEST_SHARE = 1 / 32  # of a sparse column in the mean squared length of the rows
WORST_RATIO = 1e6  # of feature spreads; beyond it, axes in float64 mix small features into large ones


class Coordinates(NamedTuple):
    """``z = ((X - centre) @ rotation) * factor``; None means no rotation."""

    centre: FloatArray
    factor: FloatArray
    rotation: FloatArray | sparse.csr_array | None

    def weights_from(self, W: FloatArray, b: FloatArray, intercept: float) -> FloatArray:
        """Training weights (K, n_training_features + 1) of published ones."""
        if not W.any() and not b.any():
            return np.zeros((len(W), len(self.factor) + 1))
        b = b + W @ self.centre
        V = W if self.rotation is None else W @ self.rotation
        return np.column_stack([V / self.factor, b / intercept if intercept else np.zeros_like(b)])

    def published(self, V: FloatArray, intercept: float) -> tuple[FloatArray, FloatArray]:
        """Weights W (K, d) and intercepts (K,) in the units of X, float64."""
        W = V[:, :-1].astype(np.float64, order="C")
        if (self.factor != 1).any():  # W may be larger than sparse X
            W *= self.factor
        if self.rotation is not None:
            W = W @ self.rotation.T
        return W, V[:, -1].astype(np.float64) * intercept - W @ self.centre

    @property
    def of_rows(self) -> tuple[FloatArray, FloatArray]:
        """Centre and factor of dense rows as a frame returns them; rotated rows are centred already."""
        return self.centre if self.rotation is None else np.zeros_like(self.factor), self.factor


class Levels(NamedTuple):
    """``z = X * factor``, where the factor is 1 except for a few features, and only these are stored."""

    n_features: int
    features: IntArray  # sorted
    factors: FloatArray  # theirs

    rotation = None

    @property
    def centre(self) -> FloatArray:
        return np.zeros(self.n_features)

    @property
    def factor(self) -> FloatArray:
        factor = np.ones(self.n_features)
        factor[self.features] = self.factors
        return factor

    def weights_from(self, W: FloatArray, b: FloatArray, intercept: float) -> FloatArray:
        """Training weights (K, n_features + 1) of published ones."""
        if not W.any() and not b.any():
            return np.zeros((len(W), self.n_features + 1))
        V = np.array(W, np.float64)
        V[:, self.features] /= self.factors
        return np.column_stack([V, b / intercept if intercept else np.zeros_like(b)])

    def published(self, V: FloatArray, intercept: float) -> tuple[FloatArray, FloatArray]:
        """Weights W (K, d) and intercepts (K,) in the units of X, float64."""
        W = V[:, :-1].astype(np.float64, order="C")
        W[:, self.features] *= self.factors
        return W, V[:, -1].astype(np.float64) * intercept

    @property
    def of_rows(self) -> tuple[FloatArray, FloatArray]:
        """Centre and factor of dense rows."""
        return self.centre, self.factor

    def of_sparse(self, X: sparse.csr_array) -> sparse.csr_array:
        """Sparse X in training coordinates."""
        if not len(self.features):
            return X
        values, factor = np.empty_like(X.data), self.factor
        for start in range(0, len(values), COPIED):
            part = slice(start, start + COPIED)
            np.multiply(X.data[part], factor[X.indices[part]], out=values[part], casting="unsafe")
        return sparse.csr_array((values, X.indices, X.indptr), shape=X.shape)

    def narrowed(self, columns: Columns) -> "Levels":
        """The levels for rows with some of the features, including all that have a factor."""
        return Levels(len(columns.at), np.searchsorted(columns.at, self.features), self.factors)


class Divided(NamedTuple):
    """Coordinates of ``X / scale``, in which the penalty is the same for all features.

    Dense rows that are not rotated are still those of X.
    """

    inner: Coordinates | Levels
    scale: FloatArray

    @property
    def factor(self) -> FloatArray:
        return self.inner.factor

    @property
    def of_rows(self) -> tuple[FloatArray, FloatArray]:
        """Centre and factor of dense rows."""
        centre, factor = self.inner.of_rows
        return (centre * self.scale, factor / self.scale) if self.inner.rotation is None else (centre, factor)

    def weights_from(self, W: FloatArray, b: FloatArray, intercept: float) -> FloatArray:
        """Training weights (K, n_training_features + 1) of published ones."""
        # zeros that were never written take no memory
        return self.inner.weights_from(W * self.scale if W.any() else W, b, intercept)

    def published(self, V: FloatArray, intercept: float) -> tuple[FloatArray, FloatArray]:
        """Weights W (K, d) and intercepts (K,) in the units of X, float64."""
        W, b = self.inner.published(V, intercept)
        W /= self.scale
        return W, b


AnyCoordinates = Coordinates | Levels | Divided


def identity(n_features: int) -> Levels:
    return Levels(n_features, np.zeros(0, np.int64), np.zeros(0))


class Moments(NamedTuple):
    """Weighted count, mean and sum of squared deviations of each feature, of all rows so far."""

    weight: float
    mean: FloatArray
    squares: FloatArray
    least: float = 0.0  # spread below which a feature is left as it is

    def merged(self, other: "Moments") -> "Moments":
        """Moments of both parts together (Chan, Golub & LeVeque 1983)."""
        weight = self.weight + other.weight
        delta = other.mean - self.mean
        return Moments(
            weight,
            self.mean + delta * (other.weight / weight),
            self.squares + other.squares + delta**2 * (self.weight * other.weight / weight),
            max(self.least, other.least),
        )

    def divided(self, scale: FloatArray) -> "Moments":
        """Moments of ``X / scale``."""
        return Moments(self.weight, self.mean / scale, self.squares / scale**2)

    def coordinates(self, shift: float, centred: bool) -> Coordinates:
        variance = self.squares / self.weight
        if not centred:
            variance = variance + self.mean**2
        scale = np.sqrt(variance + shift)
        mean = self.mean if centred else np.zeros_like(self.mean)
        return Coordinates(mean, 1 / np.where(scale > self.least, scale, 1), None)


def moments(X: FloatArray, weights: FloatArray) -> Moments:
    """Weighted moments in one pass over X.

    The sums are taken around the mean of a sample of rows, so that an offset far larger than the
    spread cancels before anything is squared. The sample has no rows of weight 0: in a column in which only
    these differ, rounding would look like a spread.
    """
    ids = np.flatnonzero(weights)
    sample = X[ids[:: max(1, len(ids) // 256)]].astype(np.float64)
    reference = sample.mean(axis=0)
    sums, squares = np.zeros(X.shape[1]), np.zeros(X.shape[1])
    sums_around(read_only(X), weights, reference, sums, squares)
    total = weights.sum()
    shift = sums / total
    return Moments(total, reference + shift, np.maximum(squares - total * shift**2, 0), least_scale(X.dtype))


def least_scale(dtype: np.dtype) -> float:
    """The least scale with an inverse that fits float32, with room for weights; 0 for float64."""
    return 1e-36 if dtype == np.float32 else 0.0


def add_squares(X: sparse.csr_array, weights: FloatArray, squares: FloatArray) -> None:
    """Add the weighted sum of squares of each column of sparse X."""
    column_squares(read_only(X.data), read_only(X.indices), read_only(X.indptr), weights, squares)


def levelling(squares: FloatArray, shift: float) -> Levels:
    """Coordinates in which no sparse column has more than `LARGEST_SHARE` of the sum of all squares.

    ``squares`` are means over the rows. If there are too few columns for that, all get the square 1.
    """
    most, used = round(1 / LARGEST_SHARE), np.count_nonzero(squares)
    if used <= most:
        scale = np.sqrt(np.where(squares > 0, squares + shift, 1))
    else:
        largest = np.sort(squares)[::-1]
        rest = np.cumsum(largest[::-1])[::-1][:most]  # sums without the first k
        level = rest / (most - np.arange(most))
        k = np.argmax(largest[:most] <= level)
        scale = np.sqrt(np.maximum(squares, level[k]) / level[k])
    factor = 1 / scale
    features = np.flatnonzero(factor != 1).copy()  # so that further copies have the same strides
    return Levels(len(squares), features, factor[features])


def rotated(
    X: FloatArray, weights: FloatArray, shift: float, centred: bool
) -> tuple[Coordinates, FloatArray] | None:
    """Coordinates on principal axes and X in them (before the factor); None if that is not possible.

    The variances are measured along the computed axes, as small eigenvalues are inaccurate. Axes along
    which nothing but rounding is left are dropped.
    """
    mean = np.average(X, axis=0, weights=weights) if centred else np.zeros(X.shape[1])
    Xc = X - mean
    variance = np.average(Xc**2, axis=0, weights=weights)
    # the spread of a constant column is only the rounding error of the mean
    used = np.flatnonzero(variance > (64 * np.finfo(np.float64).eps * mean) ** 2)
    if not used.size or not np.isfinite(variance).all():
        return None
    inner = _principal_axes(Xc[:, used] * np.sqrt(weights)[:, None], variance[used])
    if inner is None:
        return None
    axes = np.zeros((X.shape[1], inner.shape[1]))
    axes[used] = inner
    rounding = 1e-26 * (np.square(axes).T @ variance)
    Xc = Xc @ axes
    variance = np.average(Xc**2, axis=0, weights=weights)
    keep = (variance > rounding) & (variance + shift > least_scale(X.dtype) ** 2)
    return Coordinates(mean, 1 / np.sqrt(variance[keep] + shift), axes[:, keep]), Xc[:, keep]


def _principal_axes(X: FloatArray, variance: FloatArray) -> FloatArray | None:
    """Orthonormal axes, in columns, on which the columns of X are uncorrelated; None if too expensive."""
    if variance.max() > WORST_RATIO**2 * variance.min():
        if X.shape[1] > ROTATED_SIZE:
            return None
        # the small features would drown in the large ones: equal scales first, and then Jacobi's
        # method, which is accurate in each column whatever its size (Demmel & Veselic 1992)
        scale = np.sqrt(variance)
        values, vectors = np.linalg.eigh((X / scale).T @ (X / scale))
        root = np.sqrt(np.maximum(values, 0))[:, None] * vectors.T
        any_size, no_left, right = 2, 3, 0
        _, _, axes, _, _, fault = dgejsv(root * scale, joba=any_size, jobu=no_left, jobv=right)
        return axes if fault == 0 else None
    if len(X) >= X.shape[1]:
        return np.linalg.eigh(X.T @ X)[1]
    values, vectors = np.linalg.eigh(X @ X.T)
    keep = values > 1e-12 * values.max()
    return np.linalg.qr(X.T @ (vectors[:, keep] / np.sqrt(values[keep])))[0]


def folded(X: Matrix) -> Matrix | None:
    """Orthonormal axes, in columns, that span the rows of sparse X; None if these are not fewer columns.

    Columns without values are left out. Columns that occur in only one row are merged into one of the same
    length: only their joint product with the row matters, and of all weights with the same product, the
    penalty prefers those along the axis.
    """
    n_rows, n_features = X.shape
    counts, size = np.zeros(n_features, np.intp), max(COPIED, n_features)
    for start in range(0, len(X.indices), size):
        part = slice(start, start + size)
        counts += np.bincount(X.indices[part][X.data[part] != 0], minlength=n_features)
    if counts.min(initial=2) > 1:
        return None
    at = np.flatnonzero((counts == 1)[X.indices])
    rows, values = np.searchsorted(X.indptr, at, side="right") - 1, X.data[at].astype(np.float64)
    lengths = np.sqrt(np.bincount(rows, values**2, n_rows))
    some = (values != 0) & (lengths[rows] > 0)  # the squares of tiny values are 0
    rows, values, features = rows[some], values[some], X.indices[at[some]]
    shared = np.flatnonzero(counts > 1)
    alone, new = np.unique(rows, return_inverse=True)
    entries = np.append(np.ones(len(shared)), values / lengths[rows])
    places = np.append(shared, features), np.append(np.arange(len(shared)), len(shared) + new)
    return sparse.csr_array((entries, places), shape=(n_features, len(shared) + len(alone)))
