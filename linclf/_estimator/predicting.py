"""Prediction from the published attributes, in NumPy and SciPy only, so that nothing waits for a compiler.

`Predicting` goes through the rows in blocks and never holds the scores of all classes for all rows,
unless it returns them. A fitted model comes in through `_model`, which scores checked rows,
``_probabilities``, which converts scores, and ``_probability_of`` for some of the classes.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from linclf._data import scale
from linclf._data.labels import positions_by_row
from linclf._data.limits import is_integer
from linclf._data.rows import check_X
from linclf._estimator.available import available, has_probabilities
from linclf._estimator.batched import check_columns
from linclf._estimator.calibrated import decisions_of
from linclf._estimator.known import known_scores
from linclf._estimator.learnt import FROM_STREAM, FromStream
from linclf._estimator.parameters import CommonParameters
from linclf._estimator.row_parts import all_finite, part_of_rows
from linclf._estimator.top_k import largest
from linclf._sources.batches import Batches
from linclf._training.model import LinearModel, columns, row_blocks
from linclf._types import FloatArray, IntArray, LabelArray, Loss, Matrix, MatrixLike, typed
from linclf.calibration._base import calibrated
from linclf.heads import published_head
from linclf.losses._names import loss_for
from linclf.losses._registry import trait

# bytes of scores at once: with fewer rows, BLAS spends its time on packing the weights
BLOCK = 2**26
PROBABILITIES = 2**22  # scores that become probabilities at once, in several arrays of float64


class Model(Protocol):
    """A fitted model, as prediction sees it."""

    def scores(self, X: Matrix) -> FloatArray:
        """Scores (n, n_classes), or (n, 1) or (n,) for two classes."""
        ...

    def laid_out_for(self, X: Matrix) -> Self:
        """The model in the form that suits many blocks of rows like X."""
        ...


class Predicting(CommonParameters, BaseEstimator, ABC):
    """decision_function, predict, predict_proba and their relatives."""

    if not TYPE_CHECKING:  # type checkers see the declared arrays
        coef_ = FromStream()
        intercept_ = FromStream()

    @abstractmethod
    def _loss(self) -> str | Loss:
        """The loss object or its name, from the parameters."""

    def _scores_are_linear(self) -> bool:
        """Whether each class has a row of weights, so that scores may be added to theirs."""
        return True

    def _has(self, name: str) -> bool:
        """Whether the last fit has published this attribute."""
        return name in vars(self)

    def _learnt(self, lend: bool = False) -> dict[str, Any]:
        """All attributes, including those that a stream computes only on access."""
        while True:
            attributes = dict(vars(self))
            stream = attributes.get("_stream")
            if stream is None:
                return attributes
            with stream.lock:  # no part begins in the meantime
                if vars(self).get("_stream") is not stream:
                    continue
                if lend:
                    stream.lend()
                missing = [name for name in FROM_STREAM if name not in attributes]
                made = stream.published() if missing else {}
                return attributes | {name: made[name] for name in missing}

    @property
    def _is_calibrated(self) -> bool:
        return self._has("calibrator_")

    def _checked(self, X: MatrixLike | Batches, reset: bool, finite: bool = True) -> Matrix:
        """X in the form to train on or to score; ``finite=False`` accepts NaN and numbers of any size."""
        if isinstance(X, Batches):
            raise TypeError(
                f"{type(self).__name__} needs these rows in memory: Batches are for fit, decision_function, "
                "predict, predict_topk, predict_proba and predict_log_proba of classifiers that need no array"
            )
        X = check_X(self, X, reset=reset, finite=finite)
        if finite and not scale.is_ordinary(X):
            head = trait(loss_for(self._loss(), 2), "head")
            scale.check_scale(X, type(self).__name__, as_it_is=not head.equivariant)
        return X

    # ------------------------------------------------------------ the model

    def _model(self, attributes: dict) -> Model:
        """The model that scores rows, from the published attributes."""
        return LinearModel(attributes["coef_"], attributes["intercept_"], published_head(attributes))

    def _scores(self, model: Model, X: Matrix) -> FloatArray:
        """Scores of checked rows, as `decision_function` returns them.

        A row with NaN or infinity must have a score that is NaN or infinite.
        """
        return scores.ravel() if (scores := model.scores(X)).shape[-1] == 1 else scores

    def _probabilities(self, scores: FloatArray) -> FloatArray:
        """Probabilities (m, n_classes) for scores of `_scores`."""
        if self._is_calibrated:
            return calibrated(self.calibrator_, scores, self.classes_)
        loss, scores = self._loss_and_columns(scores)
        return loss.probabilities(scores)

    def _log_probabilities(self, scores: FloatArray) -> FloatArray:
        """Their logarithms, exact even if the probabilities underflow."""
        if self._is_calibrated:
            return calibrated(self.calibrator_, scores, self.classes_, logarithm=True)
        loss, scores = self._loss_and_columns(scores)
        if trait(loss, "log_probabilities"):
            return loss.log_probabilities(scores)
        with np.errstate(divide="ignore"):  # a probability of 0 has the logarithm -inf
            return np.log(loss.probabilities(scores))

    def _probability_of(
        self, model: Model, X: Matrix, index: IntArray, known: FloatArray | None = None
    ) -> FloatArray:
        """Probabilities (m, j) of the classes ``index`` (m, j), for a block of checked rows."""
        scores = self._scores(model, X)
        if known is not None:
            scores = scores + known.astype(scores.dtype)
        return np.take_along_axis(self._probabilities(scores), index, axis=1)

    def _loss_and_columns(self, scores: FloatArray) -> tuple[Any, FloatArray]:
        """The loss, and one score per class, even for two classes."""
        if self.calibration is not None:
            kind = type(self).__name__
            raise NotFittedError(
                f"calibration={self.calibration!r} was set after this {kind} was fitted; fit again"
            )
        return loss_for(self._loss(), len(self.classes_)), columns(scores)

    def _ranking(self, scores: FloatArray) -> FloatArray:
        """Values that rank the classes: scores, or calibrated log probabilities, whose order may differ."""
        return decisions_of(self.calibrator_, scores, self.classes_) if self._is_calibrated else scores

    # ------------------------------------------------------------ blocks of rows

    def _blocks(self, X: Matrix, limit: float) -> tuple[list[slice], Model]:
        """Slices of the rows, and the model in the form that suits them."""
        blocks, model = row_blocks(X.shape[0], len(self.classes_), limit), self._model(self._learnt())
        return blocks, model if len(blocks) == 1 else model.laid_out_for(X)

    def _by_blocks(
        self,
        X: MatrixLike | Batches,
        function: Callable[[FloatArray], Any],
        limit: float | None = None,
        offset: ArrayLike | None = None,
    ) -> NDArray[Any]:
        """``function`` of the scores of each block plus their offset, one after the other."""
        if not self._has("classes_"):  # scikit-learn's check takes as long as scoring a row
            check_is_fitted(self)
        if isinstance(X, Batches):
            check_columns(self, X)
            if offset is not None:
                raise ValueError("offset is given besides Batches, and needs rows in memory; pass arrays")
            blocks = X._blocks()
            return np.concatenate([self._of_rows(one.X, function, limit, one.checked) for one in blocks])
        rows = self._checked(X, reset=False, finite=False)
        known = None if offset is None else known_scores(self, offset, rows.shape[0], rows.dtype)
        return self._of_rows(rows, function, limit, lambda: self._checked(X, reset=False), known)

    def _of_rows(
        self,
        rows: Matrix,
        function: Callable[[FloatArray], Any],
        limit: float | None,
        checked: Callable,
        known: FloatArray | None = None,
    ) -> NDArray[Any]:
        if limit is None:
            limit = PROBABILITIES if self._is_calibrated else BLOCK // int(rows.dtype.itemsize)
        blocks, model = self._blocks(rows, limit)
        results, is_checked = [], False
        for part in blocks:
            with np.errstate(invalid="ignore", over="ignore"):
                scores = self._scores(model, part_of_rows(rows, part))
                finite = is_checked or all_finite(scores)
            if not finite:  # NaN and infinity in X always show here, so X is read only once
                scale.refuse_overflow(checked())
                is_checked = True
            if known is not None:
                scores = scores + known[part].astype(scores.dtype)
            results.append(function(scores))
            del scores  # so that the next block can have the memory
        return results[0] if len(results) == 1 else np.concatenate(results)

    def _all_scores(self, X: MatrixLike | Batches, offset: ArrayLike | None = None) -> FloatArray:
        """Scores of all rows, not calibrated."""
        return self._by_blocks(X, lambda scores: scores, limit=np.inf, offset=offset)

    # ------------------------------------------------------------ for people

    def decision_function(self, X: MatrixLike | Batches, *, offset: ArrayLike | None = None) -> FloatArray:
        """Scores of each class; for two classes (not two labels a row) one, positive for ``classes_[1]``.

        For losses on cosines the rows are normalised first. With `calibration`, the scores are the logarithms
        of the calibrated probabilities, or the log odds for two classes, so that they agree with `predict`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or Batches
            Rows to score.
        offset : array-like of shape (n_samples,) or (n_samples, n_classes), default=None
            Known scores to add, as in `fit`; None adds nothing.

        Returns
        -------
        scores : ndarray of shape (n_samples,) or (n_samples, n_classes)
            ``X @ coef_.T + intercept_``, divided by the norm of the row for cosines; float64 if calibrated.
        """
        return self._by_blocks(X, self._ranking, limit=np.inf, offset=offset)

    def predict(self, X: MatrixLike | Batches, *, offset: ArrayLike | None = None) -> LabelArray:
        """Class of the highest score, or of the highest calibrated probability.

        Scores are computed for blocks of rows, so that memory does not grow with
        ``n_samples * n_classes``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or Batches
            Rows to classify.
        offset : array-like of shape (n_samples,) or (n_samples, n_classes), default=None
            Known scores to add, as in `fit`; None adds nothing.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Labels from ``classes_``.
        """

        def best(scores: FloatArray) -> IntArray:
            ranking = self._ranking(scores)
            return (ranking > 0).astype(np.intp) if ranking.ndim == 1 else ranking.argmax(axis=1)

        index = self._by_blocks(X, best, offset=offset)
        return self.classes_[index]

    def predict_topk(self, X: MatrixLike | Batches, k: int, *, offset: ArrayLike | None = None) -> LabelArray:
        """The k classes of the highest scores, or of the highest calibrated probabilities.

        Works in blocks of rows, like `predict`. Finding the k classes costs little compared with the scores.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or Batches
            Rows to classify.
        k : int in 1 ... n_classes
            Number of classes to return.
        offset : array-like of shape (n_samples,) or (n_samples, n_classes), default=None
            Known scores to add, as in `fit`; None adds nothing.

        Returns
        -------
        labels : ndarray of shape (n_samples, k)
            Labels from ``classes_``, best first; ties in the order of ``classes_``. The first column
            equals `predict`.

        Raises
        ------
        ValueError
            If k is not an integer between 1 and the number of classes.

        Examples
        --------
        >>> from linclf import SoftmaxClassifier
        >>> from sklearn.datasets import load_iris
        >>> iris = load_iris()
        >>> clf = SoftmaxClassifier(random_state=0).fit(iris.data, iris.target_names[iris.target])
        >>> clf.predict_topk(iris.data[[0, 120]], 2)
        array([['setosa', 'versicolor'],
               ['virginica', 'versicolor']], dtype='<U10')
        """
        check_is_fitted(self)
        n_classes = len(self.classes_)
        if not (is_integer(k) and 1 <= k <= n_classes):
            raise ValueError(
                f"k={k!r} must be an integer between 1 and the number of classes, which is {n_classes}"
            )

        def best(scores: FloatArray) -> IntArray:
            ranking = columns(self._ranking(scores))
            if np.isnan(ranking.min()):  # overflow; NaN comes first, as in argmax
                ranking = np.where(np.isnan(ranking), np.inf, ranking)
            return largest(ranking, int(k))

        index = self._by_blocks(X, best, offset=offset)
        return self.classes_[index]

    @typed(available(has_probabilities))
    def predict_proba(self, X: MatrixLike | Batches, *, offset: ArrayLike | None = None) -> FloatArray:
        """Class probabilities of the loss, or calibrated ones.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or Batches
            Rows to classify.
        offset : array-like of shape (n_samples,) or (n_samples, n_classes), default=None
            Known scores to add, as in `fit`; None adds nothing.

        Returns
        -------
        p : ndarray of shape (n_samples, n_classes)
            Non-negative; each row sums to 1, unless it has several labels; float64 if calibrated.
        """
        return self._probabilities(self._all_scores(X, offset))

    @typed(available(has_probabilities))
    def predict_log_proba(self, X: MatrixLike | Batches, *, offset: ArrayLike | None = None) -> FloatArray:
        """Logarithm of `predict_proba`: -inf if that is a true 0, exact if it underflows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or Batches
            Rows to classify.
        offset : array-like of shape (n_samples,) or (n_samples, n_classes), default=None
            Known scores to add, as in `fit`; None adds nothing.

        Returns
        -------
        log_p : ndarray of shape (n_samples, n_classes)
            Logarithms of the probabilities.
        """
        return self._log_probabilities(self._all_scores(X, offset))

    @typed(available(has_probabilities))
    def predict_proba_of(
        self, X: MatrixLike, classes: ArrayLike, *, offset: ArrayLike | None = None
    ) -> FloatArray:
        """Probabilities of the given classes only, as in `predict_proba`.

        Works in blocks of rows, so that memory does not grow with ``n_samples * n_classes``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to classify.
        classes : label or array-like of shape (n_samples,), (n_samples, m) or (1, m)
            Labels from ``classes_``: one for all rows, one for each row, m for each row, or the same
            m for all rows.
        offset : array-like of shape (n_samples,) or (n_samples, n_classes), default=None
            Known scores to add, as in `fit`; None adds nothing.

        Returns
        -------
        p : ndarray of shape (n_samples,) or (n_samples, m)
            Their probabilities; (n_samples,) if there is one label per row.

        Raises
        ------
        ValueError
            If a label is not in ``classes_``, or the shape of `classes` does not fit X.

        Examples
        --------
        >>> from linclf import SoftmaxClassifier
        >>> from sklearn.datasets import load_wine
        >>> X, y = load_wine(return_X_y=True)
        >>> clf = SoftmaxClassifier(random_state=0).fit(X, y)
        >>> clf.predict_proba_of(X[60:62], clf.predict_topk(X[60:62], 2)).round(1)
        array([[1. , 0. ],
               [0.9, 0.1]])
        >>> clf.predict_proba_of(X[:3], 0).round(1)
        array([1., 1., 1.])
        """
        check_is_fitted(self)
        rows = self._checked(X, reset=False)
        index, one_each = positions_by_row(classes, self.classes_, rows.shape[0])
        known = None if offset is None else known_scores(self, offset, rows.shape[0], rows.dtype)
        blocks, model = self._blocks(rows, PROBABILITIES)
        parts = []
        for part in blocks:
            besides = None if known is None else known[part]
            parts.append(self._probability_of(model, part_of_rows(rows, part), index[part], besides))
        p = parts[0] if len(parts) == 1 else np.concatenate(parts)
        return p[:, 0] if one_each else p
