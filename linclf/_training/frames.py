"""How features are brought to training coordinates: one type each, learnt from all rows or part by part."""

from typing import NamedTuple

import numpy as np

from linclf._training import coordinates as _coordinates
from linclf._training.coordinates import Moments
from linclf._training.solver import Solver
from linclf._types import FloatArray, Matrix
from linclf.heads import Head


class Seen(NamedTuple):
    """The weight and the number of all rows so far."""

    weight: float = 0.0
    rows: int = 0


class Frame:
    """The coordinates, and the statistics of the features that they come from."""

    forgets_spread = False  # whether the spread of the rows changes with the coordinates

    def __init__(self, n_features: int, shift: float, centred: bool) -> None:
        self.coordinates = _coordinates.identity(n_features)
        self.shift, self.centred = shift, centred

    def learn(self, X: Matrix, weights: FloatArray, seen: Seen) -> Matrix:
        """Take coordinates from all rows; returns the rows in them (dense ones before centre and factor)."""
        self.learn_part(X, weights, seen)
        return self.of_part(X)

    def learn_part(self, X: Matrix, weights: FloatArray, seen: Seen) -> bool:
        """Take in the next part of a stream; returns whether the coordinates have changed."""
        raise NotImplementedError

    def of_part(self, X: Matrix) -> Matrix:
        """Rows of a part as `learn` returns them."""
        return X

    def head(self, head: Head) -> Head:
        """With the constant feature that suits the coordinates."""
        return head


class Given(Frame):
    """The features as they are."""

    def learn_part(self, X: Matrix, weights: FloatArray, seen: Seen) -> bool:
        return False


class Standardised(Frame):
    """Dense features centred and scaled; small data rotated to their principal axes first."""

    def __init__(self, n_features: int, shift: float, centred: bool) -> None:
        super().__init__(n_features, shift, centred)
        self.moments: Moments | None = None

    def learn(self, X: FloatArray, weights: FloatArray, seen: Seen) -> FloatArray:
        weights = weights * (seen.rows / seen.weight)
        if min(X.shape) <= _coordinates.ROTATED_SIZE and X.size <= _coordinates.ROTATED_VALUES:
            turned = _coordinates.rotated(X, weights, self.shift, self.centred)
            if turned is not None:
                self.coordinates, rotated = turned
                return np.ascontiguousarray(rotated, dtype=X.dtype)
        self.learn_part(X, weights, seen)
        return X

    def learn_part(self, X: FloatArray, weights: FloatArray, seen: Seen) -> bool:
        part = _coordinates.moments(X, weights)
        self.moments = part if self.moments is None else self.moments.merged(part)
        self.coordinates = self.moments.coordinates(self.shift, self.centred)
        return True


class Levelled(Frame):
    """Sparse features of which none outweighs all others."""

    forgets_spread = True

    def __init__(self, n_features: int, shift: float, centred: bool) -> None:
        super().__init__(n_features, shift, centred)
        self.squares, self.rows_levelled = np.zeros(n_features), 0
        self.constant: float | None = None

    def learn_part(self, X: Matrix, weights: FloatArray, seen: Seen) -> bool:
        """They are levelled anew when the number of rows has doubled."""
        _coordinates.add_squares(X, weights, self.squares)
        if seen.rows < 2 * self.rows_levelled:
            return False
        squares, self.rows_levelled = self.squares / seen.weight, seen.rows
        self.coordinates = _coordinates.levelling(squares, self.shift)
        if self.centred:
            longest = float(np.sqrt(squares @ self.coordinates.factor**2)) or 1.0
            self.constant = float(np.clip(1.0, longest * _coordinates.LARGEST_SHARE**0.5, longest))
        return True

    def of_part(self, X: Matrix) -> Matrix:
        return self.coordinates.of_sparse(X)

    def head(self, head: Head) -> Head:
        return head if self.constant is None else head._replace(intercept=self.constant)


class Folded(Frame):
    """Sparse features without the columns that say nothing to anybody: empty ones, and those of one row."""

    def learn(self, X: Matrix, weights: FloatArray, seen: Seen) -> Matrix:
        axes = _coordinates.folded(X)
        if axes is None:
            return X
        n_features, n_axes = axes.shape
        self.coordinates = _coordinates.Coordinates(np.zeros(n_features), np.ones(n_axes), axes)
        return self.coordinates.of_sparse(X)


def frame_for(solver: Solver, head: Head, is_sparse: bool) -> type[Frame]:
    """Features are used as they are if a step is in their units, or if the head would not follow."""
    if not solver.automatic or not head.equivariant:
        return Given
    if not is_sparse:
        return Standardised
    return Folded if solver.levels else Levelled
