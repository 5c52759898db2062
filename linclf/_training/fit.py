"""A model to be fitted: what is minimised, in which coordinates, and where it starts."""

from dataclasses import dataclass, field, replace

import numpy as np

from linclf._data.columns import Columns
from linclf._data.dataset import Dataset
from linclf._data.targets import Indicators
from linclf._kernels.norms import Norm
from linclf._kernels.problem import Problem
from linclf._numba import ours
from linclf._storage import Storage, dense_storage, read_only, sparse_storage
from linclf._training.coordinates import AnyCoordinates
from linclf._training.model import LinearModel
from linclf._training.sampling import Sampling
from linclf._training.settings import Settings
from linclf._training.shape import Shape
from linclf._training.shards import Formulated, Shards
from linclf._types import FloatArray, IntArray, Loss
from linclf.heads import Head, Linear
from linclf.losses._registry import trait


@dataclass(frozen=True, eq=False)
class Fit:
    """The input of every solver. V are the weights to start from, laid out for the problem's storage."""

    data: Dataset  # in training coordinates
    loss: Loss
    settings: Settings
    coordinates: AnyCoordinates
    curvature: float
    problem: Problem
    V: FloatArray
    shape: Shape
    sampling: Sampling | None = None
    columns: Columns | None = None  # the features that the rows have, if not all
    shards: Shards | None = None  # all rows, if those of the data are a sample of them
    formulation: Formulated | None = None  # of shards
    limits: FloatArray = field(default_factory=lambda: np.zeros(0))  # factors of the norm for each feature

    @property
    def head(self) -> Head:
        return self.problem.head

    @property
    def norm(self) -> Norm | None:
        """The norm of the weights in the penalty."""
        return self.settings.norm

    @property
    def ids(self) -> IntArray:
        """The rows that are trained on."""
        return self.data.ids

    @property
    def mass(self) -> FloatArray:
        """The weight of each class in all rows."""
        return self.data.y.mass(self.data.weights) if self.shards is None else self.shards.mass

    @property
    def masses(self) -> tuple[FloatArray, FloatArray]:
        """The weight of all rows without each of several labels, and of those with it."""
        if self.shards is None:
            assert isinstance(self.data.y, Indicators)
            return self.data.y.masses(self.data.weights)
        assert self.shards.without is not None
        return self.shards.without, self.shards.mass

    def of_sample(self) -> "Fit":
        """The same problem for the rows in memory only."""
        return replace(self, shards=None, formulation=None, shape=self.shape._replace(n_rows=len(self.ids)))

    def for_batches(self, batch: int) -> "Fit":
        """The fit with the problem in the form that a sampling sweep trains."""
        if self.sampling is None:
            return self
        return replace(self, problem=self.sampling.prepared(self.problem, batch))

    def with_alpha(self, alpha: float) -> "Fit":
        """The same problem with another penalty, in the same coordinates."""
        ratio, problem = alpha / self.settings.alpha, self.problem
        penalty = (ratio * problem.penalty).astype(problem.penalty.dtype)
        problem = problem._replace(storage=problem.storage.with_penalty(ratio), penalty=penalty)
        settings = self.settings._replace(alpha=alpha)
        return replace(self, settings=settings, problem=problem, limits=ratio * self.limits)

    def model(self, V: FloatArray) -> LinearModel:
        """The model in the units of X, float64, from weights in training coordinates."""
        V = self.head.weights(self.problem.storage.by_classes(V), self.loss)
        return LinearModel(*self.coordinates.published(V, self.head.intercept), self.head.of_all_scores())


def penalty_factor(loss: Loss, n_outputs: int) -> float:
    """2 for two classes, which are trained with two scores, half of W each; their difference is published.

    Two labels that a row may both have are two problems.

    If one vector of weights gives both scores, the penalty still counts both.
    """
    classes = n_outputs == 2 and trait(loss, "class_scores") is None and trait(loss, "exclusive")
    return 2.0 if classes else 1.0


def norm_limits(
    settings: Settings, loss: Loss, n_outputs: int, copies: int, factor: FloatArray
) -> FloatArray:
    """The factor of the norm for the trained weights of each feature."""
    norm = settings.norm
    if norm is None:
        return np.zeros(0)
    strength = settings.alpha * norm.share
    if penalty_factor(loss, n_outputs) == 2:
        strength *= 2.0 if copies == 2 else norm.of_two()
    return strength * factor


def copies_of(loss: Loss, n_outputs: int) -> int:
    """Scores that are trained as one: those of two classes, if the loss depends on their difference only."""
    head, mapped = trait(loss, "head"), trait(loss, "class_scores") is not None
    return 2 if n_outputs == 2 and head is Linear and depends_on_differences(loss) and not mapped else 1


def depends_on_differences(loss: Loss) -> bool:
    """Whether adding a constant to all scores changes nothing.

    A custom loss has to say so in its class, as the default may be an oversight.
    """
    return getattr(loss, "shift_invariant", ours(type(loss)))


def shape_of(data: Dataset, n_features: int, n_trained: int, n_products: int, dtype: np.dtype) -> Shape:
    """The shape of data in any coordinates: ``n_features`` for those of X, ``n_trained`` in training."""
    stored = data.X.nnz / max(data.X.shape[0], 1) + 1 if data.is_sparse else None
    return Shape(len(data.ids), n_features, n_trained, n_products, dtype, stored)


def problem_for(
    data: Dataset,
    coordinates: AnyCoordinates,
    head: Head,
    loss: Loss,
    alpha: float,
    unit: float,
    n_outputs: int,
) -> Problem:
    """The objective as kernels see it; ``unit`` scales the weights of the rows to a mean of 1."""
    factor, weights = coordinates.factor, data.weights * unit
    if data.is_sparse:
        storage = sparse_storage(data.X, float(alpha), np.flatnonzero(factor != 1))
    else:
        storage = dense_storage(data.X, *coordinates.of_rows, n_outputs // head.copies)
    penalty = np.append(alpha * factor**2, 0).astype(data.X.dtype)
    offset = np.empty((0, 0)) if data.offset is None else head.trained_from(data.offset.T).T
    offset = np.ascontiguousarray(offset, data.X.dtype)
    y = read_only(data.y.array)
    return Problem(storage, head, loss, y, read_only(weights), penalty, read_only(offset))


def starting_weights(
    model: LinearModel,
    head: Head,
    coordinates: AnyCoordinates,
    storage: Storage | type[Storage],
    dtype: np.dtype,
) -> FloatArray:
    """Published weights in training coordinates, for the head that is trained, laid out for the storage."""
    V = head.trained_from(coordinates.weights_from(model.W, model.b, head.intercept))
    return np.ascontiguousarray(storage.by_classes(V), dtype=dtype)
