"""Ways to bring features to training coordinates: one type each, learnt from all rows or part by part."""

from typing import NamedTuple

import numpy as np
from scipy import sparse

from linclf._data.columns import Columns
from linclf._training import coordinates as _coordinates
from linclf._training.coordinates import Coordinates, Divided, Levels, Moments
from linclf._training.model import LinearModel
from linclf._training.solver import Solver
from linclf._training.spread import Spread
from linclf._types import FloatArray, IntArray, Matrix
from linclf.heads import Head


class Seen(NamedTuple):
    """The weight and the number of all rows so far."""

    weight: float = 0.0
    rows: int = 0


class Frame:
    """The coordinates, and the statistics of the features that they come from."""

    forgets_spread = False  # whether the spread of the rows changes with the coordinates
    due: tuple[IntArray, FloatArray] | None = None  # some features, and what `write` will store for them

    def __init__(self, n_features: int, shift: float, centred: bool) -> None:
        self.coordinates: Coordinates | Levels = _coordinates.identity(n_features)
        self.shift, self.centred = shift, centred

    def learn(self, X: Matrix, weights: FloatArray, seen: Seen) -> Matrix:
        """Learn coordinates from all rows; returns the rows in them (dense ones before centre and factor)."""
        self.learn_part(X, weights, seen)
        return self.of_part(X)

    def learn_part(self, X: Matrix, weights: FloatArray, seen: Seen) -> bool:
        """Learn from the next part of a stream; returns whether the coordinates have changed."""
        raise NotImplementedError

    def learn_columns(self, X: Matrix, columns: Columns, weights: FloatArray, seen: Seen) -> bool:
        """Like `learn_part`, for sparse rows narrowed to some features; `write` changes large arrays."""
        return False

    def write(self) -> None:
        """Store the last results of `learn_columns` in arrays that copies of the frame share."""

    def own(self) -> None:
        """Stop sharing arrays with copies."""

    def learn_moments(self, moments: Moments) -> None:
        """Learn coordinates from the moments of dense features."""
        raise NotImplementedError

    def learn_shards(self, moments: Moments, seen: Seen, is_sparse: bool) -> None:
        """Learn coordinates from the moments of all rows, which are not in memory."""

    def turns(self, X: Matrix) -> bool:
        """Whether `learn` rotates dense features, and so copies them."""
        return False

    def of_part(self, X: Matrix) -> Matrix:
        """Rows of a part as `learn` returns them."""
        return X

    def head(self, head: Head) -> Head:
        """The head with the constant feature that suits the coordinates."""
        return head


class Given(Frame):
    """The features as they are."""

    def learn_part(self, X: Matrix, weights: FloatArray, seen: Seen) -> bool:
        return False

    def learn_moments(self, moments: Moments) -> None:
        """Learn only the centre, if there is an intercept to make up for it."""
        mean = moments.mean if self.centred else np.zeros_like(moments.mean)
        self.coordinates = _coordinates.Coordinates(mean, np.ones_like(mean), None)


class Standardised(Frame):
    """Dense features centred and scaled; small data rotated to their principal axes first."""

    def __init__(self, n_features: int, shift: float, centred: bool) -> None:
        super().__init__(n_features, shift, centred)
        self.moments: Moments | None = None

    def learn(self, X: FloatArray, weights: FloatArray, seen: Seen) -> FloatArray:
        weights = weights * (seen.rows / seen.weight)
        if self.turns(X):
            turned = _coordinates.rotated(X, weights, self.shift, self.centred)
            if turned is not None:
                self.coordinates, rotated = turned
                return np.ascontiguousarray(rotated, dtype=X.dtype)
        self.learn_part(X, weights, seen)
        return X

    def turns(self, X: FloatArray) -> bool:
        return min(X.shape) <= _coordinates.ROTATED_SIZE and X.size <= _coordinates.ROTATED_VALUES

    def learn_part(self, X: FloatArray, weights: FloatArray, seen: Seen) -> bool:
        part = _coordinates.moments(X, weights)
        self.learn_moments(part if self.moments is None else self.moments.merged(part))
        return True

    def learn_moments(self, moments: Moments) -> None:
        self.moments = moments
        self.coordinates = moments.coordinates(self.shift, self.centred)

    def learn_shards(self, moments: Moments, seen: Seen, is_sparse: bool) -> None:
        self.learn_moments(moments)


class Spanned(Standardised):
    """The same for solvers that a rotation does not help: it only limits features to the number of rows."""

    def turns(self, X: FloatArray) -> bool:
        return X.shape[0] < X.shape[1] and super().turns(X)


class Scaled(Standardised):
    """The same for penalties that would not follow a rotation."""

    def turns(self, X: FloatArray) -> bool:
        return False


class Levelled(Frame):
    """Sparse features, scaled so that no feature outweighs all others."""

    forgets_spread = True

    def __init__(self, n_features: int, shift: float, centred: bool) -> None:
        super().__init__(n_features, shift, centred)
        self.squares, self.rows_levelled = np.zeros(n_features), 0
        self.constant: float | None = None

    def learn_part(self, X: Matrix, weights: FloatArray, seen: Seen) -> bool:
        _coordinates.add_squares(X, weights, self.squares)
        return self._levelled(self.squares, seen)

    def learn_columns(self, X: Matrix, columns: Columns, weights: FloatArray, seen: Seen) -> bool:
        squares = self.squares[columns.at]
        _coordinates.add_squares(X, weights, squares)
        self.due = columns.at, squares
        if seen.rows < 2 * self.rows_levelled:
            return False
        everything = self.squares.copy()
        everything[columns.at] = squares
        return self._levelled(everything, seen)

    def write(self) -> None:
        due = self.due
        if due is not None:
            at, squares = due
            self.squares[at] = squares
            vars(self).pop("due", None)

    def own(self) -> None:
        self.squares = np.array(self.squares)

    def learn_shards(self, moments: Moments, seen: Seen, is_sparse: bool) -> None:
        self.squares = moments.squares
        self._levelled(moments.squares, seen)

    def _levelled(self, squares: FloatArray, seen: Seen) -> bool:
        """Level the features again if the number of rows has doubled; returns whether it has."""
        if seen.rows < 2 * self.rows_levelled:
            return False
        squares, self.rows_levelled = squares / seen.weight, seen.rows
        self.coordinates = _coordinates.levelling(squares, self.shift)
        if self.centred:
            longest = float(np.sqrt(squares @ self.coordinates.factor**2)) or 1.0
            self.constant = float(np.clip(1.0, longest * _coordinates.LARGEST_SHARE**0.5, longest))
        return True

    def of_part(self, X: Matrix) -> Matrix:
        return self.coordinates.of_sparse(X) if isinstance(self.coordinates, Levels) else X

    def head(self, head: Head) -> Head:
        return head if self.constant is None else head._replace(intercept=self.constant)


class Folded(Frame):
    """Sparse features without empty columns; columns that occur in only one row become one column."""

    def learn(self, X: Matrix, weights: FloatArray, seen: Seen) -> Matrix:
        axes = _coordinates.folded(X)
        if axes is None:
            return X
        n_features, n_axes = axes.shape
        self.coordinates = _coordinates.Coordinates(np.zeros(n_features), np.ones(n_axes), axes)
        return sparse.csr_array(X @ axes, dtype=X.dtype)


class InSpreads:
    """Features divided by their spreads, and brought to the coordinates of another frame."""

    def __init__(self, inner: Frame, spread: Spread) -> None:
        self.inner, self.spread = inner, spread

    @property
    def coordinates(self) -> Divided:
        return Divided(self.inner.coordinates, self.spread.scale)

    def learn(self, X: Matrix, weights: FloatArray, seen: Seen) -> Matrix:
        """Like `Frame.learn`; dense rows are copied only if they are rotated."""
        inner = self.inner
        if sparse.issparse(X):
            return inner.learn(self.spread.divided(X), weights, seen)
        if inner.turns(X):
            rotated = inner.learn(self.spread.divided(X), weights, seen)
            if inner.coordinates.rotation is not None:
                return rotated.astype(X.dtype, copy=False)
        inner.learn_moments(_coordinates.moments(X, weights).divided(self.spread.scale))
        return X

    def learn_shards(self, moments: Moments, seen: Seen, is_sparse: bool) -> None:
        """Dense rows stay as they are; sparse ones are divided in `of_part`."""
        inner, divided = self.inner, moments.divided(self.spread.scale)
        if is_sparse:
            inner.learn_shards(divided, seen, is_sparse)
        else:
            inner.learn_moments(divided)

    def of_part(self, X: Matrix) -> Matrix:
        return self.inner.of_part(self.spread.divided(X)) if sparse.issparse(X) else X

    def head(self, head: Head) -> Head:
        return self.inner.head(head)


AnyFrame = Frame | InSpreads


def frame_for(
    solver: Solver,
    head: Head,
    is_sparse: bool,
    start: LinearModel | None = None,
    in_memory: bool = True,
    mixes: bool = True,
) -> type[Frame]:
    """The frame: features are used as they are if a step is in their units, or the head would not follow.

    They are not folded if that would change the weights to start from, or if not all rows are in memory, and
    nothing is mixed if ``mixes`` is false.
    """
    if not solver.automatic or not head.equivariant:
        return Given
    if not is_sparse:
        return (Spanned if solver.levels else Standardised) if mixes else Scaled
    if not solver.levels:
        return Levelled
    return Folded if mixes and in_memory and (start is None or not start.W.any()) else Given
