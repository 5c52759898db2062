"""Common base of the classifiers for many classes: softmax probabilities, and a low-rank head."""

from dataclasses import replace
from numbers import Integral
from typing import NamedTuple, Self

from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.extmath import safe_sparse_dot

from linclf._data.dataset import Dataset
from linclf._estimator.base import BaseLinearClassifier
from linclf._estimator.declared import attribute, not_offered, parameter
from linclf._estimator.fitting import Fitting
from linclf._estimator.predicting import Model
from linclf._training.model import LinearModel
from linclf._training.spread import Spread
from linclf._types import FloatArray, Loss, Matrix
from linclf.large._projection import supervised
from linclf.losses import Softmax
from linclf.optimizers import OPTIMIZERS, Optimizer


class BaseLargeClassifier(BaseLinearClassifier):
    """Softmax for many classes, with or without a low-rank head."""

    rank: int | None = parameter(
        default=None,
        constraint=[Interval(Integral, 1, None, closed="left"), None],
        type="int or None",
        description="""
        Rank of a low-rank head ``coef_ @ projection_``: before training, the features are projected onto
        at most `rank` directions in which the classes differ, and training uses the projections. This is
        for sparse rows, whose weights would otherwise be features x classes. A rank of 64 loses no
        accuracy on 150 classes of CLINC150, except in a tree; a rank far below the number of classes loses
        much. With ``standardize=True`` the
        directions are those of standardised features, and the penalty is on `coef_`. Not available in
        ``partial_fit``.
        """,
    )
    penalty: str = not_offered()
    l1_ratio: float | None = not_offered()
    coef_: FloatArray = attribute(
        description="Weights; one row for two classes. With `rank`, of the projected features."
    )
    projection_: FloatArray = attribute(
        type="ndarray of shape (min(rank, n_classes, n_features), n_features)",
        description="The projection. Only if `rank` is not None.",
    )

    _soft_as_copies = True  # a row of class probabilities is trained as one weighted copy per class
    _not_always = (*BaseLinearClassifier._not_always, "projection_")

    def _loss(self) -> Softmax:
        return Softmax()

    def _takes_batches(self) -> bool:
        return False

    def _scores_are_linear(self) -> bool:
        return False

    def _needs_all_rows(self) -> dict[str, bool]:
        return super()._needs_all_rows() | {"rank": self.rank is not None}

    def _adapted(self, fitting: Fitting) -> Fitting:
        data, held_out = fitting.data, fitting.held_out
        if self._soft_as_copies:
            data, held_out = data.with_labels(), None if held_out is None else held_out.with_labels()
        if self.rank is None:
            return fitting.with_data(data, held_out)
        held_out = None if held_out is None else held_out.compact()
        projection = self._projection(data, self.rank, fitting.spread)
        if held_out is not None:
            held_out = held_out._replace(X=reduced(held_out.X, projection))
        data = data._replace(X=reduced(data.X, projection))
        fitting = fitting.with_data(data, held_out, {"projection_": projection})
        return replace(fitting, spread=None)  # the penalty is on the weights of the projected features

    def _projection(self, data: Dataset, rank: int, spread: Spread | None) -> FloatArray:
        """The directions in which the classes differ, or those of the last fit."""
        n_classes, d = data.y.n_classes, data.X.shape[1]
        if not (self.warm_start and self._has("projection_")):
            copies = data.with_labels()
            if spread is None:
                return supervised(copies.X, copies.y, copies.weights, rank)
            Z = spread.standardised(copies.X)
            return supervised(Z, copies.y, copies.weights, rank) / spread.scale.astype(Z.dtype)
        projection, wanted = self.projection_, (min(rank, n_classes, d), d)
        if projection.shape != wanted:
            raise ValueError(
                f"rank={rank!r} with warm_start=True: the last fit has a projection_ of shape "
                f"{projection.shape}, but {wanted} is needed; keep the rank and the features, or use "
                "warm_start=False"
            )
        return projection

    def _reached(self, fitting: Fitting, loss: Loss) -> LinearModel | None:
        model = super()._reached(fitting, loss)
        if model is not None and self._has("projection_") != ("projection_" in fitting.published):
            raise ValueError(
                f"rank={self.rank!r} is not that of the last fit, whose weights are for other features; "
                "keep rank, or start again with warm_start=False"
            )
        return model

    def _seen(self, X: Matrix) -> Matrix:
        """Rows as seen by the weights: projected, if there is a projection."""
        return reduced(X, self.projection_) if self._has("projection_") else X

    def _model(self, attributes: dict) -> Model:
        return seen_through(super()._model(attributes), attributes.get("projection_"))


class BaseSparseUpdateClassifier(BaseLargeClassifier):
    """Base of classifiers whose steps read and change only some weights; no solver may need all of them."""

    alpha: float = parameter(
        default=1e-8,
        description="""
        L2 penalty ``alpha/2 * |coef_|^2`` added to the mean loss. Each of K classes accounts for about 1/K
        of that loss, so 1e-4 for 10 classes corresponds to 1e-7 for 10,000. In each step it acts only on the
        weights that the step touches, the more strongly the more rarely they are touched.
        """,
    )
    solver: str | Optimizer = parameter(
        default="sgd",
        constraint=[StrOptions(set(OPTIMIZERS)), *OPTIMIZERS.values()],
        description="""
        "sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", or an object of
        `linclf.optimizers`. Its state for a weight changes only in steps that touch the weight.
        """,
    )
    average: bool = not_offered()  # most steps do not touch most weights


class ProjectedModel(NamedTuple):
    """A model of a few features, projected from those of X."""

    model: Model
    projection: FloatArray

    def scores(self, X: Matrix) -> FloatArray:
        return self.model.scores(reduced(X, self.projection))

    def laid_out_for(self, X: Matrix) -> Self:
        return self  # its rows are dense, with few features


def seen_through(model: Model, projection: FloatArray | None) -> Model:
    """The model of features before the projection, if there is a projection."""
    return model if projection is None else ProjectedModel(model, projection)


def reduced(X: Matrix, projection: FloatArray) -> FloatArray:
    """The projected rows."""
    return safe_sparse_dot(X, projection.T.astype(X.dtype, copy=False))
