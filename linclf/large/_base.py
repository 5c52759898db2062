"""What the classifiers for many classes share: softmax probabilities, and a low-rank head."""

from numbers import Integral

from sklearn.utils._param_validation import Interval
from sklearn.utils.extmath import safe_sparse_dot

from linclf._estimator.base import BaseLinearClassifier
from linclf.large._candidates import hard
from linclf.large._projection import supervised
from linclf.losses import Softmax


class BaseLargeClassifier(BaseLinearClassifier):
    _parameter_constraints: dict = {
        **BaseLinearClassifier._parameter_constraints,
        "rank": [Interval(Integral, 1, None, closed="left"), None],
    }

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


def reduced(X, projection):
    """The rows in few features."""
    return safe_sparse_dot(X, projection.T.astype(X.dtype, copy=False))
