"""Parameters, prediction, and the hooks that a final class may override; `base` adds fitting."""

from typing import TYPE_CHECKING, Any, Self

from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin

from linclf._data.dataset import Dataset
from linclf._data.labels import Accuracy, accuracy
from linclf._data.targets import Targets
from linclf._estimator.predicting import Predicting
from linclf._estimator.suggestions import suggested_parameters
from linclf._training.sampling import Sampling
from linclf._training.solvers import exact_solver
from linclf._types import Loss, MatrixLike
from linclf.losses._names import loss_for

if TYPE_CHECKING:
    from sklearn.callback import CallbackSupportMixin
else:
    try:
        from sklearn.callback import CallbackSupportMixin
    except ModuleNotFoundError:  # scikit-learn 1.7 and 1.8 have no callbacks
        CallbackSupportMixin = object


class Described(Predicting, Accuracy, ClassifierMixin, BaseEstimator, CallbackSupportMixin):
    """Parameters, prediction, and the hooks that a final class may override."""

    def set_params(self, **params: Any) -> Self:
        """Set parameters, also of nested objects as ``<object>__<parameter>``.

        Parameters
        ----------
        **params : dict
            Parameters and their values.

        Returns
        -------
        self
        """
        suggested_parameters(self, params)
        return super().set_params(**params)

    def score(
        self,
        X: MatrixLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        offset: ArrayLike | None = None,
    ) -> float:
        """Accuracy of the predicted labels.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,), or an indicator
            Their true labels, in the form of `predict`.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.
        offset : array-like of shape (n_samples,) or (n_samples, n_classes), default=None
            Known scores to add, as in `fit`; None adds nothing.

        Returns
        -------
        float
            The share of rows, or of their weight, whose labels are all correct.
        """
        predicted = self.predict(X) if offset is None else self.predict(X, offset=offset)
        return accuracy(predicted, y, sample_weight)

    @property
    def has_callbacks(self) -> bool:
        """Whether callbacks watch the epochs."""
        return "_skl_callbacks" in vars(self)

    def _adjustment(self) -> float:
        """Factor of the log class shares that are added to the scores in training."""
        return 0.0

    def _loss_for(self, y: Targets, n_classes: int) -> Loss:
        """The loss of rows with such targets."""
        return loss_for(self._loss(), n_classes)

    def _trained_loss(self, data: Dataset, goes_on: bool) -> Loss:
        """The loss whose scores are trained."""
        return self._loss_for(data.y, data.y.n_classes)

    def _several_labels_loss(self) -> Loss:
        """The loss to train if y has several labels a row; an error if there is none."""
        raise ValueError(
            f"y has a column of 0 and 1 for each of several labels, and {type(self).__name__} has one label "
            "a row; use LinearClassifier(loss='one-vs-rest-logistic'), or pass y.argmax(axis=1) if each row "
            "has one label"
        )

    def _sampling(self, loss: Loss, n_classes: int) -> Sampling | None:
        """The sampling, if each step sees only a part of the outputs."""
        return None

    def _takes_batches(self) -> bool:
        """Whether it can train on rows that are not in memory."""
        return True

    def _stream_key(self) -> tuple:
        """Further parameters that must not change if a stream is to continue."""
        return ()

    def _published(self, loss: Loss) -> dict:
        """Further attributes to publish for the trained loss."""
        return {}

    def _needs_all_rows(self) -> dict[str, bool]:
        """Parameters, and whether their values rule out a stream."""
        exact = exact_solver(self.solver)
        return {
            "solver": exact is not None and not exact.streams,
            "calibration": self.calibration is not None,
            "early_stopping": self.early_stopping is True,
            "standardize": self.standardize,
            "penalty": self.penalty != "l2",
        }
