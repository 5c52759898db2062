"""What the classifiers for many classes share: softmax probabilities, and a low-rank head."""

from numbers import Integral
from typing import NamedTuple, Self

from sklearn.utils._param_validation import Interval
from sklearn.utils.extmath import safe_sparse_dot

from linclf._data.dataset import Dataset
from linclf._data.types import FloatArray, Loss, Matrix
from linclf._estimator.base import BaseLinearClassifier
from linclf._estimator.fitting import Fitting
from linclf._estimator.predicting import Model
from linclf._training.model import LinearModel
from linclf.large._projection import supervised
from linclf.losses import Softmax


class BaseLargeClassifier(BaseLinearClassifier):
    _parameter_constraints: dict = {
        **BaseLinearClassifier._parameter_constraints,
        "rank": [Interval(Integral, 1, None, closed="left"), None],
    }

    _soft_as_copies = True  # rows of class probabilities are trained as a weighted copy for each class
    _not_always = ("constant_", "calibrator_", "projection_")

    def _loss(self) -> Softmax:
        return Softmax()

    def _needs_all_rows(self) -> dict[str, bool]:
        return super()._needs_all_rows() | {"rank": self.rank is not None}

    def _adapted(self, fitting: Fitting) -> Fitting:
        data, held_out = fitting.data, fitting.held_out
        if self._soft_as_copies:
            data, held_out = data.with_labels(), None if held_out is None else held_out.with_labels()
        if self.rank is None:
            return fitting.with_data(data, held_out)
        projection = self._projection(data)
        if held_out is not None:
            held_out = held_out._replace(X=reduced(held_out.X, projection))
        data = data._replace(X=reduced(data.X, projection))
        return fitting.with_data(data, held_out, {"projection_": projection})

    def _projection(self, data: Dataset) -> FloatArray:
        """The directions in which the classes differ, or those of the last fit."""
        n_classes, d = data.y.n_classes, data.X.shape[1]
        if not (self.warm_start and hasattr(self, "projection_")):
            copies = data.with_labels()
            return supervised(copies.X, copies.y, copies.weights, self.rank)
        projection, wanted = self.projection_, (min(self.rank, n_classes, d), d)
        if projection.shape != wanted:
            raise ValueError(
                f"rank={self.rank!r} with warm_start=True: the last fit has a projection_ of shape "
                f"{projection.shape}, and {wanted} is asked for; keep the rank and the features, or use "
                "warm_start=False"
            )
        return projection

    def _reached(self, fitting: Fitting, loss: Loss) -> LinearModel | None:
        model = super()._reached(fitting, loss)
        if model is not None and hasattr(self, "projection_") != ("projection_" in fitting.published):
            raise ValueError(
                f"rank={self.rank!r} is not that of the last fit, whose weights are of other features; "
                "keep rank, or start anew with warm_start=False"
            )
        return model

    def _seen(self, X: Matrix) -> Matrix:
        """What the scores of the nodes are linear in."""
        return reduced(X, self.projection_) if hasattr(self, "projection_") else X

    def _model(self, attributes: dict) -> Model:
        return seen_through(super()._model(attributes), attributes.get("projection_"))


class ProjectedModel(NamedTuple):
    """A model of few features, which are a projection of those of X."""

    model: Model
    projection: FloatArray

    def scores(self, X: Matrix) -> FloatArray:
        return self.model.scores(reduced(X, self.projection))

    def laid_out_for(self, X: Matrix) -> Self:
        return self  # its rows are dense, and few


def seen_through(model: Model, projection: FloatArray | None) -> Model:
    """The model as one of the features that are projected, if there is a projection."""
    return model if projection is None else ProjectedModel(model, projection)


def reduced(X: Matrix, projection: FloatArray) -> FloatArray:
    """The rows in few features."""
    return safe_sparse_dot(X, projection.T.astype(X.dtype, copy=False))
