"""What the classifiers for many classes share: softmax probabilities, and a low-rank head."""

from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.extmath import safe_sparse_dot

from linclf._estimator.base import BaseLinearClassifier
from linclf._estimator.declared import attribute, not_offered, parameter
from linclf.large._candidates import hard
from linclf.large._projection import supervised
from linclf.losses import Softmax
from linclf.optimizers import OPTIMIZERS


class BaseLargeClassifier(BaseLinearClassifier):
    """Softmax for many classes, with or without a low-rank head."""

    rank: int | None = parameter(
        default=None,
        constraint=[Interval(Integral, 1, None, closed="left"), None],
        type="int or None",
        description="""
        A low-rank head ``coef_ @ projection_``: the features are projected to at most `rank`
        directions in which the classes differ, found before training, and the rest works on those.
        For sparse rows, whose weights would be features x classes. 64 to 128 lose little; far fewer
        than classes lose much. Not for ``partial_fit``.
        """,
    )
    coef_: np.ndarray = attribute(
        description="Weights; one row for two classes. With `rank`, of the projected features."
    )
    projection_: np.ndarray = attribute(
        type="ndarray of shape (min(rank, n_classes, n_features), n_features)",
        description="Where `rank` is not None.",
    )

    _soft_as_copies = True  # rows of class probabilities are trained as a weighted copy for each class

    def _loss(self):
        return Softmax()

    def _adapted(self, data, held_out, n_classes):
        if self._soft_as_copies:
            data, held_out = hard(data), held_out if held_out is None else hard(held_out)
        if self.rank is None:
            return data, held_out, None
        d = data.X.shape[1]
        if self.warm_start and hasattr(self, "projection_"):
            projection, wanted = self.projection_, (min(self.rank, n_classes, d), d)
            if projection.shape != wanted:
                raise ValueError(
                    f"rank={self.rank!r} with warm_start=True: the last fit has a projection_ of shape "
                    f"{projection.shape}, and {wanted} is asked for; keep the rank and the features, or use "
                    "warm_start=False"
                )
        else:
            copies = hard(data)
            projection = supervised(copies.X, copies.y, copies.weights, n_classes, self.rank)
        if held_out is not None:
            held_out = held_out._replace(X=reduced(held_out.X, projection))
        return data._replace(X=reduced(data.X, projection)), held_out, projection

    def _fitted(self, W, b, classes, session):
        attributes = super()._fitted(W, b, classes, session)
        return attributes if session.projection is None else attributes | {"projection_": session.projection}

    def _features(self, rows):
        """What the scores are linear in."""
        return reduced(rows, self.projection_) if hasattr(self, "projection_") else rows

    def _scores(self, rows):
        return super()._scores(self._features(rows))


class BaseSparseUpdateClassifier(BaseLargeClassifier):
    """One whose steps read and change only some weights, so that no solver may need them all."""

    alpha: float = parameter(
        default=1e-8,
        description="""
        L2 penalty ``alpha/2 * |coef_|^2`` on the mean loss, of which each of K classes has about one
        Kth: what 1e-4 is to 10 classes is 1e-7 to 10,000. In a step it acts on the weights that are
        touched, in proportion.
        """,
    )
    solver: str | tuple[Any, ...] = parameter(
        default="sgd",
        constraint=[StrOptions(set(OPTIMIZERS)), *OPTIMIZERS.values()],
        description="""
        "sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", or an object of
        `linclf.optimizers`. What it keeps for a weight changes only in steps that touch the weight.
        """,
    )
    average: bool = not_offered()  # of weights that most steps do not touch


def reduced(X, projection):
    """The rows in few features."""
    return safe_sparse_dot(X, projection.T.astype(X.dtype, copy=False))
